"""Looks for the six elements of a good second opinion in a letter, one sentence at a time. Pure.

Two readers look at each sentence. One goes by rules, the method of rule-based clinical text processing: cue phrases with
negation and section context (ConText, Harkema 2009), as data. The other was learned from sentences (see ``signal``) and
finds what is said in words no rule foresaw. An element counts as present when either finds it, that is when the letter
speaks to it at all: "no neurological deficit" tells about neurology. "The risks were discussed" tells that something was
said, not what: a mention, not an element. The sentence quoted is the one that says it most clearly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from actions.report.letter import Letter, Sentence
from actions.report.rules import ElementId, ElementRules, Rule, report_rules
from actions.report.signal import Chance, chances, signal


@dataclass(frozen=True)
class Element:
    """One of the six. ``sentence`` carries or only mentions it, None when nothing does; ``at`` is where in it."""

    id: ElementId
    found: bool
    sentence: Sentence | None = None
    at: tuple[int, int] = (0, 0)


NOTHING_TOLD = ("header", "request")
_SAYS_NOTHING = re.compile(
    r"^\W*(?:none(?: known| noted)?|nil|n/?a|not applicable|no)\W*$|\b(?:not|n't) (?:include|cover)\b"
)
_BY_RULE = 0.8
_UNDER_ITS_HEADING = 0.4
"""What it adds to a sentence's chance to be the one quoted that a rule found it, and that it stands where one looks."""
HEADING_OF: dict[ElementId, str] = {
    "diagnosis": "diagnosis",
    "imaging_match": "match",
    "neurology": "examination",
    "conservative_care": "tried",
    "expected_benefit": "benefit",
    "risks": "risks",
}


def find_elements(letter: Letter) -> tuple[Element, ...]:
    """Return the six elements in their fixed order, found or not."""
    learned = [
        chances(sentence, letter.sentences[place - 1] if place else None)
        for place, sentence in enumerate(letter.sentences)
    ]
    return tuple(_element(rules, letter, [said[rules.id] for said in learned]) for rules in report_rules().elements)


def _element(rules: ElementRules, letter: Letter, learned: Sequence[Chance]) -> Element:
    best: tuple[float, Element] | None = None
    for place, (sentence, chance) in enumerate(zip(letter.sentences, learned, strict=True)):
        if sentence.section in ("account", "aftercare", "criteria") or _SAYS_NOTHING.search(sentence.plain):
            # neither a step of an operation nor what to do at home or what a policy asks for, and no "Complications: none"
            continue
        by, at = _met(rules, letter.sentences[max(0, place - 2) : place + 1])
        if not at and (chance.value < signal().enough or _unlearned(rules, sentence)):
            continue
        under_heading = sentence.section == HEADING_OF.get(rules.id)
        clear = chance.value + _BY_RULE * by + (_UNDER_ITS_HEADING if under_heading else 0)
        if best is None or clear > best[0]:
            best = clear, Element(rules.id, True, sentence, at or chance.at)
    if best:
        return best[1]
    for sentence in letter.sentences:
        for pattern in rules.mentions:
            match = report_rules().compiled(pattern).search(sentence.plain)
            if match:
                return Element(rules.id, False, sentence, match.span())
    return Element(rules.id, False)


def fired(rules: ElementRules, near: Sequence[Sentence]) -> tuple[int, int] | None:
    """Where the last sentence of ``near`` meets the first rule of an element that it meets, or None."""
    return _met(rules, near)[1]


def _met(rules: ElementRules, near: Sequence[Sentence]) -> tuple[float, tuple[int, int] | None]:
    """How telling the first rule is that the last sentence of ``near`` meets, from 1 for the first of all to 0, and where."""
    for place, rule in enumerate(rules.rules):
        at = _meets(rule, near[-1], near)
        if at:
            return 1 - place / len(rules.rules), at
    return 0.0, None


def _unlearned(rules: ElementRules, sentence: Sentence) -> bool:
    """Whether the learned reader has no say: nothing is told there, or not in these words."""
    compiled = report_rules().compiled
    return sentence.section in (*NOTHING_TOLD, *rules.unlearned_in) or any(
        compiled(pattern).search(sentence.plain) for pattern in rules.unlearned
    )


def _meets(rule: Rule, sentence: Sentence, around: Sequence[Sentence]) -> tuple[int, int] | None:
    """Where ``sentence`` meets ``rule``, or None."""
    rules = report_rules()
    if (rule.sections and sentence.section not in rule.sections) or sentence.section in rule.not_in:
        return None
    plain = sentence.plain
    for pattern in rule.ignore:
        plain = rules.compiled(pattern).sub(lambda match: "~" * len(match.group()), plain)
    spans: list[tuple[int, int]] = []
    for pattern in rule.has:
        match = rules.compiled(pattern).search(plain)
        if not match:
            return None
        spans.append(match.span())
    if any(rules.compiled(pattern).search(plain) for pattern in rule.lacks):
        return None
    if rule.after and not any(rules.compiled(rule.after).search(near.plain) for near in around):
        return None
    if rule.tags:
        tagged = next(_tagged(sentence, rule.tags), None)
        if tagged is None:
            return None
        spans.append(tagged)
    return min(span[0] for span in spans), max(span[1] for span in spans)


def _tagged(sentence: Sentence, tags: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    wanted = {term for tag in tags for term in report_rules().groups[tag]}
    for span in sentence.terms:
        if span.term.id in wanted and not is_negated(sentence.plain, span.start, span.end):
            yield span.start, span.end


def is_negated(plain: str, start: int, end: int) -> bool:
    """Whether what stands from ``start`` to ``end`` of a sentence is said not to be there ("no instability")."""
    negation = report_rules().negation
    before = plain[max(0, start - negation.reach) : start]
    return bool(re.search(negation.before, before) or re.search(negation.after, plain[end:]))
