"""The levels that sentences of a letter name as places of an operation, in the letter's own writing. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from actions.report.letter import Sentence
from actions.spine_terms import SPINE, Level, find_levels


@dataclass(frozen=True)
class NamedLevel:
    """A level and the letter's own writing of it."""

    name: str
    said: str


_BONE_ALONE = re.compile(
    r"\s*(?:nerve|root|radicul|dermatom|myotom|distribution|screw|pain|weakness|palsy|sensory|vertebral body|endplate)",
    re.I,
)
_NOT_THIS = re.compile(
    r"\b(?:unlike|who (?:had |has )?(?:planned|proposed|wanted|suggested|advised|offered|recommended))\b[^.;,]{0,30}$|\b(?:leav|spar|exclud)(?:e|ing) (?:the )?$|(?:, (?:and )?not|rather than|instead of|over) (?:[\w-]+ ){0,4}(?:at |of |from )?$",
    re.I,
)
_NOT_HERE = re.compile(
    r"(?: (?:level|disc|segment|itself))* (?:(?:does|do|is|are|need|needs|should|would) ?(?:not|n't)\b)", re.I
)
"""What follows a level where nothing is to be done: "L4/5 needs it, L5/S1 does not"."""
_BESIDE = 45
"""So many letters away something still stands beside it."""
_JOINED = re.compile(r"\W*(?:and|plus)?\W*", re.I)
_NEXT_TO = re.compile(
    r"[\s,:(]*(?:(?:at|of|from|on|in|level|levels|the|(?:and|for|with) (?:medial |partial |bilateral )?(?:\w+otomy|\w+ectomy|fusion|decompression)|surgery|operation|\w+otomy|\w+ectomy|fusion|decompression|microscopic|posterior|anterior) ?)*",
    re.I,
)
CURVE = re.compile(r"\b(?:curve|cobb)\b|\b\d{2,3} ?(?:deg\w*\b|°)", re.I)
"""How far a curve reaches is not where an operation would be."""
_AT = re.compile(
    r"(?:decompress\w*|wedges?|\w+ectomy|\w+otomy|\w+plasty|resection|excision|removal)[^,;.]{0,25} (?:at|of) $", re.I
)
"""What makes a single bone a level although the sentence has others: "decompression at T8 with fixation T6-T10"."""
_OPERATED = re.compile(
    r" (?:[a-z]+ ){0,3}?(?:decompress|separation|laminect|corpect|vertebrect|resection|kyphopl|vertebropl)", re.I
)
_ROOT = re.compile(r"\s*(?:(?:selective|exiting|traversing)\s+)?(?:nerve|root|transforaminal|perineural|block)", re.I)
_NEXT_LEVEL = re.compile(
    r"(?:decompression|\w+ectomy|\w+otomy|fusion)s? (?:of |at )?(?:the )?(?:(?:level|segment|one|disc|just|immediately) )*"
    r"(?P<way>above|below)\b",
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
        elif (_is_place_of_one(sentence.text, level) or not any(other.segments for other in found)) and (
            not _BONE_ALONE.match(sentence.text, level.end)
        ):
            yield NamedLevel(level.name, said), frozenset()


def _is_set_against(sentence: Sentence, level: NamedLevel) -> bool:
    """Whether the level is what is not done: "decompress L4/5 only, not fuse L3 to S1"."""
    place = sentence.text.index(level.said)
    return bool(_NOT_THIS.search(sentence.text[:place]) or _NOT_HERE.match(sentence.text[place + len(level.said) :]))


def _is_place_of_one(text: str, level: Level) -> bool:
    return bool(_AT.search(text[: level.start]) or _OPERATED.match(text[level.end :]))


def beside(sentence: Sentence, start: int, end: int) -> tuple[NamedLevel, ...]:
    """The levels right beside what is named from ``start`` to ``end``: "L4/5 stenosis, laminectomy at L2/3 and L3/4"."""
    left = sentence.text.rfind(" ", 0, max(0, start - _BESIDE)) + 1
    for piece, from_end in ((sentence.text[end : end + _BESIDE], False), (sentence.text[left:start], True)):
        levels = list(_named(Sentence(piece, 0, "")))
        group: list[NamedLevel] = []
        rest = piece[::-1] if from_end else piece
        for level, _ in reversed(levels) if from_end else levels:
            said = level.said[::-1] if from_end else level.said
            place = rest.index(said)
            between = rest[:place][::-1] if from_end else rest[:place]
            if not (_JOINED if group else _NEXT_TO).fullmatch(between):
                break
            group.append(level)
            rest = rest[place + len(said) :]
        if group:
            return tuple(reversed(group) if from_end else group)
    return ()


_MILD = r"(?:mild\w*|minor|slight\w*|small|minimal\w*|early|normal|healthy|unremarkable|little|bulg\w*|trace|no|not|without)"
_MILD_BEFORE = re.compile(rf"\b{_MILD}\b[^.;,:]*$", re.I)
_MILD_AFTER = re.compile(
    rf"[^.;,]{{0,20}}\b(?:is|are|looks?|appears?|remains?)\b[^.;,]{{0,12}}\b(?:{_MILD}|fine|preserved|clear)\b", re.I
)
_POINTED = re.compile(
    r"\b(?:(?P<low>lower|bottom)|upper|top|higher) (?:of the two |lumbar |cervical )?(?:level|one|disc|segment)\b", re.I
)


def serious(sentences: Iterable[Sentence]) -> tuple[NamedLevel, ...]:
    """The levels that ``sentences`` name and not only as mildly changed or normal ("mild bulge at L3/4")."""
    found = []
    for sentence in sentences:
        spans = [level for level in find_levels(sentence.text) if level.segments]
        told = [
            level
            for level in spans
            if not _MILD_BEFORE.search(sentence.text[: level.start])
            and not _MILD_AFTER.match(sentence.text[level.end :])
        ]
        found += [NamedLevel(level.name, sentence.text[level.start : level.end]) for level in told]
    return tuple({level.name: level for level in reversed(found)}.values())


def pointed_out(levels: tuple[NamedLevel, ...], said: str) -> tuple[NamedLevel, ...]:
    """The one of several levels that ``said`` means by "the lower level" or "the upper disc"; none where it does not."""
    pointed = _POINTED.search(said)
    if not pointed or len(levels) < 2:
        return ()
    ordered = sorted(levels, key=lambda level: SPINE.index(level.name.split("-")[0]))
    return (ordered[-1 if pointed["low"] else 0],)


def root_of(sentence: Sentence) -> tuple[NamedLevel, ...]:
    """The bones that name a nerve root ("a right S1 root block")."""
    return tuple(
        NamedLevel(level.name, sentence.text[level.start : level.end])
        for level in find_levels(sentence.text)
        if _ROOT.match(sentence.text, level.end)
    )


def elsewhere(sentence: Sentence, levels: tuple[NamedLevel, ...]) -> bool:
    """Whether the sentence speaks of other levels only: "I would not fuse L4-5" beside a fusion of L5-S1."""
    here = {segment for _, segments in _named(sentence) for segment in segments}
    theirs = {segment for level in levels for found in find_levels(level.said) for segment in found.segments}
    return bool(here and theirs) and not here & theirs


def next_to(
    levels: tuple[NamedLevel, ...], sentences: tuple[Sentence, ...], everywhere: tuple[Sentence, ...]
) -> tuple[NamedLevel, ...]:
    """The level above or below ``levels`` where ``sentences`` say so: "TLIF L5-S1 and decompression above"."""
    written = {level.name: level for sentence in everywhere for level, segments in _named(sentence) if segments}
    found: dict[str, NamedLevel] = {}
    for way in (match["way"].lower() for sentence in sentences for match in _NEXT_LEVEL.finditer(sentence.text)):
        for level in levels:
            ends = level.name.split("-")
            if ends[0] not in SPINE or ends[-1] not in SPINE:
                continue
            top, bottom = SPINE.index(ends[0]), SPINE.index(ends[-1])
            pair = SPINE[top - 1 : top + 1] if way == "above" else SPINE[bottom : bottom + 2]
            if "-".join(pair) in written:
                found["-".join(pair)] = written["-".join(pair)]
    return tuple(level for name, level in found.items() if name not in {known.name for known in levels})


def widest(sentences: tuple[Sentence, ...]) -> tuple[NamedLevel, ...]:
    """The levels of ``sentences``, each once, without those that lie within another ("L4-S1" holds "L4-L5")."""
    levels: dict[str, tuple[NamedLevel, frozenset[str]]] = {}
    for sentence in sentences:
        named = list(_named(sentence))
        meant = [item for item in named if not _is_set_against(sentence, item[0])]
        for level, segments in meant or named:
            known = levels.get(level.name)
            if known is None or (" " in known[0].said and " " not in level.said):  # "L3/4" rather than "L3 on L4"
                levels[level.name] = level, segments
    return tuple(
        level
        for level, segments in levels.values()
        if not any(segments < wider for _, wider in levels.values() if segments)
    )


def discs_in(sentence: Sentence) -> tuple[NamedLevel, ...]:
    """The levels of a sentence that are no single bones."""
    return tuple(level for level in widest((sentence,)) if "-" in level.name)


def without_inner(levels: tuple[NamedLevel, ...]) -> tuple[NamedLevel, ...]:
    """``levels``, each once, without those that lie within another, and the bones at the ends of one."""
    told = {level.name: level for level in levels}
    parts = {
        name: {part for found in find_levels(level.said) for part in found.segments} for name, level in told.items()
    }
    ends = {
        bone for name in told if len(parts[name]) == 1 for bone in name.split("-")
    }  # "hemilaminectomy at L3" of L3-L4
    return tuple(
        told[name]
        for name in told
        if name not in ends and not any(parts[name] < parts[other] for other in told if parts[name])
    )
