"""What a message says that cannot wait: findings, and the one tier that follows from them.

``detect`` reads a text, ``assess`` draws the conclusion, ``answer_to_question`` reads the reply to a clarifying
question. All three are pure. Reassurance is not looked for anywhere, so that it cannot lower a tier.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

from safety.assertion import Reader
from safety.matcher import Concepts, Found, Matcher, find
from safety.questions import question_for
from safety.rules import TIERS, Pattern, Rule, load_lexicon, load_rules, parse
from safety.surroundings import Person

Source = Literal["patient", "report"]


@dataclass(frozen=True)
class Finding:
    """One rule that matched. ``assertion`` is "present", or says why the finding does not count."""

    category: str
    tier: str
    rule: str
    evidence: str
    assertion: str
    person: Person
    ask: str = ""
    start: int = 0
    general: bool = False


@dataclass(frozen=True)
class Learned:
    """What the second signal thinks: the category it recognises, the tier it raises to, and of whom the message speaks.

    ``sure``: what the message means and the words of the rules that it uses agree, so plainly that nothing need be asked.
    ``danger``, 0 to 1: how likely it holds a red flag of any category to be. ``brief``: the message is one sentence.
    """

    category: str
    tier: str
    sure: bool = False
    danger: float = 1.0
    person: Person = "self"
    brief: bool = True

    @property
    def finding(self) -> Finding:
        """The sign it stands for, beside those that rules found."""
        return Finding(self.category, self.tier, f"signal.{self.category}", "", "present", self.person)


@dataclass(frozen=True)
class Assessment:
    """The conclusion. ``key`` names the words to say; "" when nothing is to be said."""

    tier: str = "none"
    category: str = ""
    categories: tuple[str, ...] = ()
    person: Person = "self"
    key: str = ""
    clarify: str = ""
    in_care: bool = False
    worse: bool = False
    minor: bool = False
    findings: tuple[Finding, ...] = field(default=())


def rank(tier: str) -> int:
    """Return how severe ``tier`` is, 0 for none and for ``decision``, which is no sign of danger."""
    return TIERS.index(tier) if tier != "decision" else 0


class Detector:
    """All rules, ready to be matched. Build it once: :func:`detector`."""

    def __init__(self, folder: Path | None = None, without: str = "") -> None:
        self.rules = tuple((category, rule) for category, rule in load_rules(folder) if rule.id != without)
        lexicon = load_lexicon(folder)
        self._patterns: list[tuple[str, Rule, Pattern, tuple[frozenset[str], ...]]] = []
        literals: set[str] = set()
        for category, rule in self.rules:
            for text in rule.patterns:
                pattern = parse(text)
                needed = tuple(frozenset(step.names) for part in pattern.parts for step in part)
                self._patterns.append((category, rule, pattern, needed))
                literals |= {name for name in pattern.names if not name.isupper()}
                unknown = {name for name in pattern.names if name.isupper()} - set(lexicon.concepts) - _NUMBERS
                if unknown:
                    raise ValueError(f"rule {rule.id}: no such concept: {', '.join(sorted(unknown))}")
            if unknown := set(rule.unless) - set(lexicon.concepts) - _NUMBERS:
                raise ValueError(f"rule {rule.id}: no such concept: {', '.join(sorted(unknown))}")
        self.matcher = Matcher(lexicon, literals)
        # A pattern is looked at when one name of its narrowest step is there; most messages rule out most patterns so.
        self._by_name: dict[str, list[int]] = defaultdict(list)
        for place, (_, _, _, needed) in enumerate(self._patterns):
            for name in min(needed, key=len):
                self._by_name[name].append(place)
        self._concepts = lru_cache(maxsize=1)(self.matcher.concepts)  # detect() and states() read the same message
        self._across = [needed for _, _, pattern, needed in self._patterns if len(pattern.groups) > 1]
        self._names = lru_cache(maxsize=512)(lambda text: frozenset(self._concepts(text).spans))

    def detect(self, text: str, *, source: Source = "patient") -> list[Finding]:
        """Return every rule that matches ``text``, also those that do not count, each rule once.

        With ``source="report"``, what a sentence without "I" or "my" says is a clinician's finding: ``reported``.
        """
        concepts = self._concepts(text)
        present = concepts.spans.keys()
        reader = Reader(concepts)
        best: dict[str, Finding] = {}
        places = sorted({place for name in present for place in self._by_name.get(name, ())})
        for category, rule, pattern, needed in (self._patterns[place] for place in places):
            if any(names.isdisjoint(present) for names in needed):
                continue
            held = best.get(rule.id)
            if held and held.assertion == "present":
                continue
            for parts in find(pattern, concepts):
                finding = self._finding(category, rule, parts, reader, concepts, source)
                if rule.unless and reader.excused_by(rule.unless, parts):
                    finding = replace(finding, assertion="explained")  # another sentence never excuses
                if rule.id not in best or finding.assertion == "present":
                    best[rule.id] = finding
                if finding.assertion == "present":
                    break
        return list(best.values())

    def may_span(self, texts: Iterable[str]) -> bool:
        """Return whether a rule may match across ``texts``, each of which begins a sentence of its own.

        Only rules whose parts need not stand near one another can, and only where all that one needs is said. Costs little
        for texts that were looked at before.
        """
        present = frozenset[str]().union(*map(self._names, texts))
        return any(not any(names.isdisjoint(present) for names in needed) for needed in self._across)

    def person(self, text: str) -> Person:
        """Return of whom ``text`` speaks most."""
        concepts = self._concepts(text)
        owners = [token.owner for token in concepts.message.tokens]
        others = len(concepts.spans.get("OTHER", ())) + owners.count("other")
        return "other" if others > len(concepts.spans.get("SELF", ())) + owners.count("self") else "self"

    def concepts_in(self, text: str) -> frozenset[str]:
        """Return the names of the concepts that ``text`` holds."""
        return frozenset(name for name in self._concepts(text).spans if name.isupper())

    def _finding(
        self, category: str, rule: Rule, parts: Sequence[Found], reader: Reader, concepts: Concepts, source: Source
    ) -> Finding:
        reasons = [status for part in parts for status in reader.statuses(part, parts) if status not in rule.despite]
        tokens = concepts.message.tokens
        spans = [span for part in parts for span in part]
        first, last = min(span[0] for span in spans), max(span[1] for span in spans) - 1
        if rule.one_person and reader.is_anothers(parts[0], parts[1:]):
            reasons.append("family")  # "my wife has cancer, my back hurts": no one has both
        assertion: str = reasons[0] if reasons else "present"
        if source == "report" and assertion == "present" and not reader.first_person(tokens[first].sentence):
            assertion = "reported"
        return Finding(
            category=category,
            tier=rule.tier,
            rule=rule.id,
            evidence=concepts.message.text[tokens[first].start : tokens[last].end],
            assertion=assertion,
            person=reader.person(parts),
            ask=rule.ask,
            start=tokens[first].start,
            general=rule.general,
        )

    def states(self, text: str) -> frozenset[str]:
        """Return which of ``STATES`` and the typed replies (``REPLY_...``) a message tells."""
        concepts = self._concepts(text)
        found = {name for name in STATES if name in concepts}
        found |= {name for name in concepts.spans if name.startswith("REPLY_")}
        tokens = concepts.message.tokens
        for before, token, after in zip(tokens, tokens[1:], [*tokens[2:], None]):
            if (
                before.word == "am"
                and token.value
                and 10 <= token.value < 18
                and (after is None or after.word != "weeks")
            ):
                found.add("MINOR")  # "I am 15"
        return frozenset(found)


STATES = ("IN_CARE", "WORSE", "MINOR", "IDIOM", "WISH_OR_FEAR", "HAS_MEANS", "OWN_SUBJECT")
"""Concepts that are no sign by themselves and change what a message, or a conversation, means."""
_DOUBTFUL = frozenset({"IDIOM", "WISH_OR_FEAR"})
_NUMBERS = frozenset({"NUMBER", "NUMBER_HOT", "NUMBER_TEMP", "NUMBER_COOL", "NUMBER_OLD", "NUMBER_SMALL", "NUMBER_BIG"})


@lru_cache(maxsize=1)
def detector() -> Detector:
    """Return the detector with the product's rules, built on first use. Raises KnowledgeError for a faulty file."""
    return Detector()


def detect(text: str, *, source: Source = "patient") -> list[Finding]:
    """Return the findings of ``text`` (see :meth:`Detector.detect`)."""
    return detector().detect(text, source=source)


def assess(
    findings: Iterable[Finding], learned: Learned | None = None, states: frozenset[str] = frozenset()
) -> Assessment:
    """Draw the conclusion from ``findings``; ``learned`` may only raise it.

    Alone, the learned signal asks its clarifying question. It raises to its own tier when it agrees with a rule that would
    only ask, or is ``sure`` of a message of one sentence: then the rules' own words in it and its meaning agree. Of several
    sentences one misleads more easily: there it asks. What a rule excused ("no numbness"), words of an idiom ("dying to
    know"), or a wish or fear that every patient has ("I want the pain gone"), it must be sure to ask about. "No, I'm safe, I just
    want it to stop" is asked about, not answered as a new cry for help.
    """
    findings = tuple(findings)
    counted = [f for f in findings if f.assertion == "present" and f.tier != "decision"]
    reported = (
        [f for f in findings if f.assertion == "reported" and rank(f.tier) >= rank("urgent")] if not counted else []
    )
    excused = {f.category for f in findings if f.tier != "decision" and f.assertion != "present"}
    if learned and all(f.tier == "clarify" for f in counted):
        safe = learned.category == "crisis" and "REPLY_SAFE" in states and not learned.sure
        doubted = learned.category in excused or states & _DOUBTFUL or safe
        plain = learned.sure and learned.brief
        if not doubted and (plain or any(f.category == learned.category for f in counted)):
            counted = [learned.finding]
            findings = (*findings, learned.finding)
    counted.sort(key=lambda f: (-rank(f.tier), f.general, f.start))
    if not counted and reported:
        return _ask(max(reported, key=lambda f: rank(f.tier)).category, "report", findings)
    if not counted:
        over = next((f for f in findings if f.assertion in ("resolved", "normal") and f.tier == "emergency"), None)
        if over:  # "I couldn't pee on Sunday, fine now", "is it normal not to pee after surgery?": worth one question
            return _ask(over.category, question_for(over.category), findings, over.person)
        if learned is None or ((excused or states & _DOUBTFUL) and not learned.sure):
            return Assessment(findings=findings)
        return _ask(learned.category, question_for(learned.category), findings)
    top = counted[0]
    if top.tier == "clarify":
        return _ask(top.category, top.ask, findings, top.person)
    categories = dict.fromkeys(f.category for f in counted if rank(f.tier) > rank("clarify"))
    other = "_other" if top.person == "other" else ""
    return Assessment(
        top.tier,
        top.category,
        tuple(categories),
        top.person,
        f"{top.category}_{top.tier}{other}",
        in_care="IN_CARE" in states,
        worse="WORSE" in states,
        minor="MINOR" in states,
        findings=findings,
    )


def _ask(category: str, question: str, findings: tuple[Finding, ...], person: Person = "self") -> Assessment:
    return Assessment("clarify", category, (category,), person, f"clarify_{question}", question, findings=findings)


def decision_flags(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Return the ids of the decision flags among ``findings``, in order."""
    return tuple(
        dict.fromkeys(f.rule.split(".")[0] for f in findings if f.tier == "decision" and f.assertion == "present")
    )
