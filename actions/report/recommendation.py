"""What a letter recommends: to operate or not, which operation, at which level, in its own words. Pure.

Every operation named is judged in its own sentence: advised, advised against, only an option, advised by somebody else,
or already done. What the writer advises beats what the writer reports.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Literal

from actions.glossary import ordinary_words
from actions.report.letter import Letter, Sentence
from actions.report.rules import report_rules
from actions.spine_terms import Procedure, find_levels, find_procedures

Stance = Literal["operate", "no_operation", "non_surgical", "conditional", "done", "none"]
NOT_OPERATIONS = frozenset({"epidural", "ablation"})
"""Treatments ``find_procedures`` knows that are no operations."""


@dataclass(frozen=True)
class NamedLevel:
    """A level and the letter's own writing of it."""

    name: str
    said: str


@dataclass(frozen=True)
class Recommendation:
    """What is advised. With ``no_operation``, ``operations`` are those advised against; ``reported`` if by another.

    ``against`` are sentences that speak against what is advised, ``later`` one that names a possible later operation.
    """

    stance: Stance
    operations: tuple[Procedure, ...] = ()
    levels: tuple[NamedLevel, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    reported: bool = False
    against: tuple[Sentence, ...] = ()
    later: Sentence | None = None


class Kind(Enum):
    """What a sentence says of an operation it names."""

    ADVISED = auto()
    REFUSED = auto()
    AVOIDED = auto()
    LATER = auto()
    REPORTED = auto()
    REPORTED_REFUSED = auto()
    DONE = auto()
    NAMED = auto()


@dataclass(frozen=True)
class _Said:
    kind: Kind
    operation: Procedure | None
    sentence: Sentence


NOTHING = Recommendation("none")


def find_recommendation(letter: Letter) -> Recommendation:
    """Return what ``letter`` recommends; ``stance`` is "none" when it recommends nothing that could be read."""
    said = _decided([list(_judge(sentence)) for sentence in letter.sentences], letter)

    def of(*kinds: Kind) -> list[_Said]:
        return [item for item in said if item.kind in kinds]

    advised, refused = of(Kind.ADVISED), of(Kind.REFUSED)
    named = [item for item in advised if item.operation]
    if named or (advised and not refused):
        family = {name for item in named if item.operation for name in (item.operation.id, item.operation.kind_of)}
        against = tuple(item.sentence for item in refused if item.operation and item.operation.id in family)
        return _result("operate", named or advised, letter, against=against)
    care, later = _care(letter), of(Kind.LATER)
    if refused:
        told = (
            [item for item in refused if item.operation]
            or [item for item in later if item.operation]
            or of(Kind.REPORTED)
        )
        return _result("no_operation", _narrowed([*refused, *told], said), letter, shown=refused, later=later)
    if care and not (of(Kind.DONE) and not of(Kind.AVOIDED, Kind.LATER)):
        named_later = [item for item in later if item.operation] or [i for i in of(Kind.REPORTED) if i.operation]
        quoted = [_Said(Kind.ADVISED, None, sentence) for sentence in care]
        return _result("non_surgical", named_later, letter, shown=quoted, later=later)
    for kind, stance in FALLBACKS:
        if of(kind):
            reported = kind in (Kind.REPORTED, Kind.REPORTED_REFUSED)
            return _result(stance, of(kind), letter, reported=reported)
    return NOTHING


def _decided(said: list[list[_Said]], letter: Letter) -> list[_Said]:
    """What each sentence says, where "she is keen to proceed" makes the operation named shortly before the advised one."""
    rules = report_rules()
    for place, sentence in enumerate(letter.sentences):
        if said[place] or not rules.compiled(rules.recommendation.decided).search(sentence.plain):
            continue
        for earlier in range(place - 1, max(-1, place - 4), -1):
            if any(item.operation and item.kind in (Kind.NAMED, Kind.LATER) for item in said[earlier]):
                said[earlier] = [
                    replace(item, kind=Kind.ADVISED) if item.kind in (Kind.NAMED, Kind.LATER) else item
                    for item in said[earlier]
                ]
                break
    return [item for items in said for item in items]


FALLBACKS: tuple[tuple[Kind, Stance], ...] = (
    (Kind.LATER, "conditional"),
    (Kind.REPORTED, "operate"),
    (Kind.REPORTED_REFUSED, "no_operation"),
    (Kind.AVOIDED, "no_operation"),
    (Kind.DONE, "done"),
)
"""What a letter without the writer's own clear advice is taken to say, the first that there is."""


def _judge(sentence: Sentence) -> Iterable[_Said]:
    """Every operation, or plain "surgery", of one sentence with what is said of it."""
    rules = report_rules()
    words, plain = rules.recommendation, sentence.plain
    if sentence.section in ("header", "past", "tried", "risks", "benefit"):
        return
    if plain.endswith("?") and (len(plain) > 60 or _QUESTION.match(plain)):
        return
    if rules.compiled(words.slogan).search(plain):  # "No hospital stay, no fusion!"
        return
    places: list[tuple[Procedure | None, int, int]] = []
    places.extend(_operations(sentence))
    generic = rules.compiled(words.generic).search(plain)
    if not places and generic:
        places.append((None, generic.start(), generic.end()))
    if not places and rules.compiled(words.refused).search(plain):
        yield _Said(Kind.REFUSED, None, sentence)
    for operation, start, end in places:
        yield _Said(_kind(sentence, start, end), operation, sentence)


_QUESTION = re.compile(r"(?:what|why|how|when|which|who|will|would|can|could|should|is|are|do|does)\b")


def _kind(sentence: Sentence, start: int, end: int) -> Kind:
    """What the sentence says of the operation named from ``start`` to ``end``."""
    rules = report_rules()
    words, plain = rules.recommendation, sentence.plain
    before, after = _clause_before(plain, start), plain[end:]

    def says(pattern: str, where: str) -> bool:
        return bool(rules.compiled(pattern).search(where))

    if sentence.section == "done" or says(words.past_before, before) or says(words.past_after, after):
        return Kind.DONE
    if sentence.section == "request":
        return Kind.REPORTED
    others = not says(words.own, plain[:start]) and sentence.section != "recommendation"
    reported = others and says(words.reported, plain)
    if says(words.refused_before, before) or says(words.refused_after, after):
        return Kind.REPORTED_REFUSED if reported else Kind.REFUSED
    reported = reported or (others and says(words.proposed, plain)) or says(words.asked, before)
    if says(words.wants_advice, plain[:start]):
        return Kind.LATER
    if says(words.told, before) or says(words.after_told, after):
        return Kind.NAMED
    if says(words.avoided_before, before):
        return Kind.AVOIDED
    cued = says(words.cue, plain) or sentence.section == "recommendation"
    if reported:
        unsure = says(words.may_need, before)
        return Kind.LATER if unsure else Kind.REPORTED if cued else Kind.NAMED
    if says(words.conditional, plain) or says(words.option, before) or "?" in before[-12:]:
        return Kind.LATER
    return Kind.ADVISED if cued else Kind.NAMED


def _operations(sentence: Sentence) -> Iterable[tuple[Procedure, int, int]]:
    """The operations a sentence names. A guess at a misspelling counts only for a word not otherwise known."""
    for item in find_procedures(sentence.text):
        word = sentence.plain[item.start : item.end]
        if item.procedure.id not in NOT_OPERATIONS and (item.exact or word not in ordinary_words()):
            yield item.procedure, item.start, item.end


def _clause_before(plain: str, start: int) -> str:
    """What stands before ``start`` in the same clause."""
    before = plain[:start]
    cuts = [
        before.rfind(mark) + len(mark)
        for mark in (";", ":", " but ", " however ", " so ", " therefore ", " hence ")
        if mark in before
    ]
    return before[max(cuts, default=0) :]


def _narrowed(items: list[_Said], said: list[_Said]) -> list[_Said]:
    """``items``, where "I would not advise a fusion" means the kind of fusion that the letter names as the other's plan."""
    found = []
    for item in items:
        narrower = {
            other.operation.id: other.operation
            for other in said
            if item.operation
            and other.operation
            and other.kind is not Kind.DONE
            and other.operation.kind_of == item.operation.id
        }
        only = next(iter(narrower.values())) if len(narrower) == 1 else item.operation
        found.append(replace(item, operation=only))
    return found


def _care(letter: Letter) -> tuple[Sentence, ...]:
    """The sentences that advise treatment without an operation, or say that no operation is needed."""
    rules = report_rules()
    found = []
    for sentence in letter.sentences:
        if sentence.section in ("header", "past", "tried", "history", "risks", "benefit", "examination"):
            continue
        plain = sentence.plain
        cued = sentence.section == "recommendation" or rules.compiled(rules.recommendation.care_cue).search(plain)
        waits = rules.compiled(rules.recommendation.wait).search(plain)
        if cued and (waits or rules.compiled(r"\b{care}").search(plain)):
            found.append(sentence)
    return tuple(found)


def _result(
    stance: Stance,
    items: list[_Said],
    letter: Letter,
    *,
    shown: list[_Said] | None = None,
    against: tuple[Sentence, ...] = (),
    reported: bool = False,
    later: list[_Said] | None = None,
) -> Recommendation:
    """``items`` give operations and levels; ``shown`` (by default the same) the sentences quoted."""
    operations = {item.operation.id: item.operation for item in items if item.operation}
    broader = {operation.kind_of for operation in operations.values()}
    kept = tuple(operation for operation in operations.values() if operation.id not in broader)
    naming = [item for item in items if item.operation] or items
    sentences = tuple(dict.fromkeys(item.sentence for item in naming))
    quoted = tuple(dict.fromkeys(item.sentence for item in shown or items))
    afterwards = next((item.sentence for item in later or [] if item.sentence not in quoted[:1]), None)
    return Recommendation(
        stance, kept, _levels(stance, sentences, kept, letter), quoted[:2], reported, against, afterwards
    )


def _levels(
    stance: Stance, sentences: tuple[Sentence, ...], operations: tuple[Procedure, ...], letter: Letter
) -> tuple[NamedLevel, ...]:
    """The levels of the advice: of its own sentences, else where the operation is named, else the letter's only one."""
    own = _widest(sentences)
    if (
        not own and not operations and stance == "operate"
    ):  # "You are a candidate for our procedure. We can treat L3-4 and L4-5."
        places = [letter.sentences.index(sentence) for sentence in sentences]
        return _widest(tuple(letter.sentences[place + 1] for place in places if place + 1 < len(letter.sentences)))
    if own or not operations or all(operation.id in WITHOUT_LEVEL for operation in operations):
        return own
    named = _widest(_naming(operations, letter))
    if named:
        return named
    others = _widest(tuple(sentence for sentence in letter.sentences if not _tells_of_the_past(sentence)))
    spans = (
        tuple(level for level in others if "-" in level.name) or others
    )  # "at L5" beside "L5/S1" names no other level
    return spans if len(spans) == 1 else ()


WITHOUT_LEVEL = frozenset({"stimulator"})


def _tells_of_the_past(sentence: Sentence) -> bool:
    return sentence.section in ("past", "header") or any(item.kind is Kind.DONE for item in _judge(sentence))


def _naming(operations: tuple[Procedure, ...], letter: Letter) -> tuple[Sentence, ...]:
    """The sentences that name one of ``operations``, or a narrower or broader one of the same family."""
    family = {name for operation in operations for name in (operation.id, operation.kind_of)} - {None}
    return tuple(
        sentence
        for sentence in letter.sentences
        if sentence.section not in ("past", "header")
        and any(family & {operation.id, operation.kind_of} for operation, _, _ in _operations(sentence))
    )


_BONE_ALONE = re.compile(
    r"\s*(?:nerve|root|radicul|dermatom|myotom|distribution|screw|pain|weakness|palsy|sensory|vertebral body|endplate)",
    re.I,
)
_TO_PELVIS = re.compile(r"\s*(?:-|–|to|down to)\s*(?:the )?(pelvis|sacrum|ilium|iliac|sacral)\w*", re.I)


def _named(sentence: Sentence) -> Iterable[tuple[NamedLevel, frozenset[str]]]:
    """The levels of a sentence with the disc levels in each; a bone alone counts when it stands for a level."""
    found = find_levels(sentence.text)
    for level in found:
        said = sentence.text[level.start : level.end]
        beyond = _TO_PELVIS.match(sentence.text, level.end)
        if beyond:
            lowest = "S1" if beyond.group(1).lower().startswith("sacr") else "pelvis"
            yield NamedLevel(f"{level.upper}-{lowest}", said + beyond.group()), frozenset()
        elif level.segments:
            yield NamedLevel(level.name, said), frozenset(level.segments)
        elif not any(other.segments for other in found) and not _BONE_ALONE.match(sentence.text, level.end):
            yield NamedLevel(level.name, said), frozenset()


def _widest(sentences: tuple[Sentence, ...]) -> tuple[NamedLevel, ...]:
    """The levels of ``sentences``, each once, without those that lie within another ("L4-S1" holds "L4-L5")."""
    levels: dict[str, tuple[NamedLevel, frozenset[str]]] = {}
    for sentence in sentences:
        for level, segments in _named(sentence):
            levels.setdefault(level.name, (level, segments))
    return tuple(
        level
        for level, segments in levels.values()
        if not any(segments < wider for _, wider in levels.values() if segments)
    )
