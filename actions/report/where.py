"""Where an operation that a letter advises would be: the levels of its sentences, or else the one the letter means. Pure."""

from __future__ import annotations

import re

from actions.report.letter import Letter, Sentence
from actions.report.levels import CURVE, NamedLevel, pointed_out, root_of, serious, widest
from actions.report.rules import report_rules
from actions.report.said import Kind, judge, operations_in
from actions.report.settled import says
from actions.spine_terms import Procedure


def levels_of(
    sentences: tuple[Sentence, ...], operations: tuple[Procedure, ...], letter: Letter, *, advised: bool
) -> tuple[NamedLevel, ...]:
    """The levels of the advice: of its own sentences, else where the operation is named, else the letter's only one."""
    own = widest(sentences)
    told_by_number = [_NUMBERS[match.group(1).lower()] for s in sentences for match in _HOW_MANY.finditer(s.text)]
    if own and told_by_number and not any("-" in level.name for level in own):
        own = _only_levels(letter, told_by_number) or own  # "extension to L2 with decompression at both levels"
    if not own and not operations and advised:  # "You are a candidate for our procedure. We can treat L3-4 and L4-5."
        places = [letter.sentences.index(sentence) for sentence in sentences]
        return widest(tuple(letter.sentences[place + 1] for place in places if place + 1 < len(letter.sentences)))
    if own or not operations or all(operation.id in WITHOUT_LEVEL for operation in operations):
        return own
    naming = _naming(operations, letter)
    named = widest(tuple(s for s in naming if not _tells_of_the_past(s))) or widest(naming)
    if named:
        return named
    said = " ".join(sentence.text for sentence in naming)
    counts = [_NUMBERS[match.group(1).lower()] for match in _HOW_MANY.finditer(said)]
    only = _only_levels(
        letter,
        counts,
        said=said if advised else "",
        of_earlier=all(operation.id in ON_AN_EARLIER_ONE for operation in operations),
    )
    of_roots = any(operation.id == "nerve_root_block" for operation in operations)
    return only or (tuple(root for sentence in sentences for root in root_of(sentence)) if of_roots else ())


def _only_levels(
    letter: Letter, counts: list[int], *, said: str = "", of_earlier: bool = False
) -> tuple[NamedLevel, ...]:
    """The one level that the letter, or its diagnosis, speaks of; or as many as ``counts`` has; or the one ``said`` means."""
    now = tuple(s for s in letter.sentences if not _tells_of_the_past(s) and not CURVE.search(s.text))
    diagnosis = tuple(sentence for sentence in now if sentence.section == "diagnosis")
    own = tuple(sentence for sentence in now if not _tells_of_anothers(sentence))
    scopes = [own, now, tuple(sentence for sentence in diagnosis if _names_a_condition(sentence))]
    if of_earlier:
        scopes.insert(0, tuple(sentence for sentence in letter.sentences if _tells_of_the_past(sentence)))
    for scope in scopes:
        others = widest(scope)
        # "at L5" beside "L5/S1" names no other level
        spans = tuple(level for level in others if "-" in level.name) or others
        if len(spans) == 1 or len(spans) in counts:
            return spans
    return _meant(own, said) if said else ()


def _meant(sentences: tuple[Sentence, ...], said: str) -> tuple[NamedLevel, ...]:
    """The level that ``said`` points to of those that ``sentences`` name, else the only one that is not but mildly changed."""
    written = tuple(level for level in widest(sentences) if "-" in level.name and "pelvis" not in level.name)
    left = serious(sentences)
    return pointed_out(written, said) or (left if len(left) == 1 else ())


def _names_a_condition(sentence: Sentence) -> bool:
    conditions = report_rules().groups["condition"]
    return any(span.term.id in conditions for span in sentence.terms)


_NUMBERS = {"both": 2, "one": 1, "1": 1, "single": 1, "two": 2, "2": 2, "three": 3, "3": 3, "four": 4, "4": 4}
_HOW_MANY = re.compile(
    rf"\b({'|'.join(_NUMBERS)})[- ](?:of (?:the|these|those) )?(?:\w+ )?(?:levels?|discs?|segments?)\b", re.I
)
""" "A two level TLIF" in a letter with two levels means them."""


ON_AN_EARLIER_ONE = frozenset({"hardware_removal", "revision", "washout"})
"""Operations where an earlier one was: its level is theirs."""
WITHOUT_LEVEL = frozenset({"stimulator", "si_fusion", "coccygectomy", "pump", "ablation", "joint_injection"})


def _tells_of_the_past(sentence: Sentence) -> bool:
    return sentence.section in ("past", "header") or any(item.kind is Kind.DONE for item in judge(sentence))


def _tells_of_anothers(sentence: Sentence) -> bool:
    """Whether the sentence tells of an operation that somebody else plans: its level need not be the writer's."""
    told = says(report_rules().recommendation.reported, sentence) and any(operations_in(sentence))
    return bool(told) or any(item.kind in (Kind.REPORTED, Kind.REPORTED_REFUSED) for item in judge(sentence))


def _naming(operations: tuple[Procedure, ...], letter: Letter) -> tuple[Sentence, ...]:
    """The sentences that name one of ``operations``, or a narrower or broader one of the same family."""
    family = {name for operation in operations for name in (operation.id, operation.kind_of)} - {None}
    return tuple(
        sentence
        for sentence in letter.sentences
        if sentence.section not in ("past", "header")
        and any(
            family & {operation.id, operation.kind_of}
            for operation in (item.procedure for item in operations_in(sentence))
        )
    )
