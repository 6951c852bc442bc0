"""Finds spine levels ("L4/5", "c5-c7") and operations ("acdf", "lamenectomy") in what a patient wrote.

Pure functions over text; the operations are data (``knowledge/en/procedures.yml``). What is found is a guess to be
confirmed by the patient, never a fact: the words themselves are always kept beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache

from knowledge.loader import load
from runtime.settings import KNOWLEDGE

SPINE = tuple(
    [f"C{n}" for n in range(1, 8)]
    + [f"T{n}" for n in range(1, 13)]
    + [f"L{n}" for n in range(1, 6)]
    + [f"S{n}" for n in range(1, 6)]
)
"""Every bone from top to bottom; a level's place in it orders and bounds ranges."""

REGIONS = {"C": "neck", "T": "mid", "L": "low", "S": "low"}

_LETTER = r"(?:cervical|thoracic|dorsal|lumbar|sacral|[ctdls])"
_NUMBER = r"(?:1[0-2]|[1-9]|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_WORDS = {word: number for number, word in enumerate(_NUMBER[3:-1].split("|")[2:], start=1)}
# "L five", but "tone" and "done" are no bones.
_BONE = rf"{_LETTER}(?:[\s.\-]?(?:1[0-2]|[1-9])|[\s.\-]{_NUMBER})"
_LINK = r"\s*(?:/|\\|-|–|—|to|thru|through|(?:up|down)\s+to)\s*"
_OVER = rf"\s+(?:up)?o(?:n|ver)\s+{_LETTER}\s?{_NUMBER}"
"""A slip "of L4 on L5" is at their level."""
_NEXT = rf"(?:{_LINK}(?:{_LETTER}[\s.\-]?)?{_NUMBER}|\s*{_LETTER}\s?{_NUMBER}|{_OVER})"
_RUN = r"(?:c(?:34|45|56|67)|l(?:23|34|45))"
"""As written by hand: "L45"."""
# "T2-weighted" and "T1 images" are ways of taking a scan, not bones.
_LEVEL = re.compile(
    rf"(?<![\w.'’])(?:{_BONE}|{_RUN})(?:{_NEXT})*(?![\w%]|\s*-?\s*(?:weighted|images?|signal|sequences?|mm\b|cm\b))",
    re.IGNORECASE,
)
_NECK = re.compile(r"\b(?:c ?[1-7]\b|neck|cervical|acdf|occipit)")
_PART = re.compile(rf"({_LETTER})?[\s.\-]?({_NUMBER})", re.IGNORECASE)
# What goes on after a level without its letter: "L3/4, 4/5 and 5/1", "L3, 4 and 5".
_AND = r"\s*(?:,?\s*(?:and|&|\+)|,)\s*"
_PAIR_ON = re.compile(
    rf"{_AND}(?P<upper>[1-7])\s*[/\-–]\s*(?P<lower>[1-7])(?![\w/])(?!\s*(?:power|strength|weak|on the|in the|\())", re.I
)
_BONE_ON = re.compile(
    rf"{_AND}(?P<lower>[2-7])(?=\s*(?:[,.;:)&+]|$|(?:and|levels?|fusion|decompress\w*|lam\w+|disc\w*|is|are|was|were|with)\b))",
    re.I,
)
_ORDINALS = "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth"
_ORDINAL = re.compile(
    rf"\b(?:({_ORDINALS})\s+(?:and|to|on|over|through)\s+(?:the\s+)?)?({_ORDINALS})\s+(cervical|thoracic|dorsal|lumbar)\b",
    re.I,
)
_LOWEST = re.compile(
    r"\b(?:lowest|bottom|last|lumbo-?sacral)(?:\s+(?:lumbar|mobile|one))?\s+(?:dis[ck]s?(?! (?:dis|deg|bul))|level|segment)\b(?!\s+of\s+the\s+(?:neck|cervical|thoracic))"
    r"|\b(?:dis[ck]|space)\s+between\s+the\s+(?:two\s+)?(?:lowest|bottom|last)\s+(?:two\s+)?(?:bones|vertebrae)(?!\s+of\s+(?:the|your|his|her)\s+neck)",
    re.I,
)


@dataclass(frozen=True)
class Level:
    """A bone (``upper == lower``) or the run of bones from ``upper`` down to ``lower``, and where the text says it."""

    upper: str
    lower: str
    start: int
    end: int

    @property
    def name(self) -> str:
        """The usual short form: "L4-L5", "C5-C7", "L5"."""
        return self.upper if self.upper == self.lower else f"{self.upper}-{self.lower}"

    @property
    def segments(self) -> tuple[str, ...]:
        """The disc levels in it: "C5-C7" gives C5-C6 and C6-C7; a single bone gives none."""
        first, last = SPINE.index(self.upper), SPINE.index(self.lower)
        return tuple(f"{SPINE[i]}-{SPINE[i + 1]}" for i in range(first, last))

    @property
    def region(self) -> str:
        """ "neck", "mid" or "low", by the upper bone."""
        return REGIONS[self.upper[0]]


@dataclass(frozen=True)
class Procedure:
    """An operation or treatment as ``procedures.yml`` describes it."""

    id: str
    name: str
    plain: str
    said: tuple[str, ...]
    kind_of: str | None = None
    forms: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    neck: bool = False


@dataclass(frozen=True)
class Procedures:
    """The file ``procedures.yml``."""

    procedures: tuple[Procedure, ...]
    not_procedures: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """A procedure and where the text names it.

    ``exact`` is false when it was read through a misspelling; ``plainly`` true when only what it is for was said.
    """

    procedure: Procedure
    start: int
    end: int
    exact: bool
    plainly: bool = False


@cache
def procedures() -> Procedures:
    """Every known operation. Raises KnowledgeError with file and line when the file is wrong."""
    return load(KNOWLEDGE / "en" / "procedures.yml", Procedures)


def find_levels(text: str) -> tuple[Level, ...]:
    """Return the levels named in ``text``, in order, each once.

    "L4/5", "L4-L5", "l 4 5" said as "l4 l5", "lumbar 4/5" are L4-L5; "C5-C7" and "C5/6/7" are C5-C7; "L5/1" is L5-S1;
    "D12" (as written outside the US) is T12. A bone that does not exist (L9) is left out.
    """
    found: list[Level] = []
    before: Level | None = None
    for level in _written(text):
        joined = _joined(before, level, text) if before else None
        if joined:
            level = joined
            if found and found[-1] is before:
                found.pop()
        if level.name not in {other.name for other in found}:
            found.append(level)
        before = level
    return tuple(found)


def _written(text: str) -> list[Level]:
    """Every level as it is written, in order; what goes on after one without its letter counts, too."""
    found: list[Level] = []
    for match in _LEVEL.finditer(text):
        bones = _bones(match.group())
        if not bones:
            continue
        found.append(_level(bones, *match.span()))
        while more := _going_on(found[-1], text):
            if more.start > found[-1].start:
                found.append(more)
            else:
                found[-1] = more
    for match in _ORDINAL.finditer(text):
        letter = {"d": "T"}.get(match[3][0].lower(), match[3][0].upper())
        bones = [f"{letter}{_ORDINALS.split('|').index(word.lower()) + 1}" for word in match.groups()[:2] if word]
        if all(bone in SPINE for bone in bones):
            found.append(_level(bones, *match.span()))
    found += [Level("L5", "S1", *match.span()) for match in _LOWEST.finditer(text)]
    return sorted(found, key=lambda level: level.start)


def _level(bones: list[str], start: int, end: int) -> Level:
    places = sorted(SPINE.index(bone) for bone in bones)
    return Level(SPINE[places[0]], SPINE[places[-1]], start, end)


def _going_on(level: Level, text: str) -> Level | None:
    """The next level, or the longer one, where a list goes on without the letter and without a gap."""
    following = SPINE[SPINE.index(level.lower) + 1 :][:1]
    pair = _PAIR_ON.match(text, level.end)
    if pair and following and level.upper != level.lower:
        if (pair["upper"], pair["lower"]) == (level.lower[1:], following[0][1:]):
            return Level(level.lower, following[0], pair.start("upper"), pair.end())
        return None
    bone = _BONE_ON.match(text, level.end)
    if bone and following and (level.lower[0], bone["lower"]) == (following[0][0], following[0][1:]):
        return Level(level.upper, following[0], level.start, bone.end())
    return None


def _bones(written: str) -> list[str]:
    """ "L5/S1" -> [L5, S1]; a number alone takes the letter before it, or the next region ("L5/1" -> S1)."""
    bones: list[str] = []
    for letter, digits in _PART.findall(written):
        number = _WORDS.get(digits.lower()) or int(digits)
        if letter:
            region = {"D": "T"}.get(letter[0].upper(), letter[0].upper())
        elif not bones:
            return []
        else:
            region = bones[-1][0]
            if number < int(bones[-1][1:]) and number == 1 and bones[-1] in ("C7", "T12", "L5"):
                region = {"C": "T", "T": "L", "L": "S"}[region]
        bone = f"{region}{number}"
        if bone not in SPINE:
            return []
        bones.append(bone)
    return bones


_SLIPPED = re.compile(
    r"(?:has |had |is |have |\w+ly )*(?:sits?|slip\w*|mov(?:ed|ing)|shift\w*|slid\w*|lies|sitting|lying|forwards?|ahead)\b"
    r"[\w\s.]{0,30}\b(?:on|over|onto|in front of)(?: top of)?",
)
"""Between two bones of which one has slipped: "L3 sits about 7 mm forward on L4"."""


def _joined(before: Level, after: Level, text: str) -> Level | None:
    """ "L4, L5 and S1" is one run of bones; "C5-6 and C6-7" stay two."""
    between = text[before.end : after.start].strip().lower()
    run = "," in text[before.start : before.end] or before.upper == before.lower
    if (
        run
        and after.upper == after.lower
        and between in ("and", "&", "+", ",", ", and", "")
        and SPINE.index(after.upper) - SPINE.index(before.lower) == 1
    ):
        return Level(before.upper, after.lower, before.start, after.end)
    one_bone_each = before.upper == before.lower and after.upper == after.lower
    if one_bone_each and abs(SPINE.index(after.upper) - SPINE.index(before.lower)) == 1 and _SLIPPED.fullmatch(between):
        upper, lower = sorted((before.upper, after.upper), key=SPINE.index)
        return Level(upper, lower, before.start, after.end)
    return None


def find_procedures(text: str) -> tuple[Found, ...]:
    """Return the operations named in ``text``, in order, each once, narrower before broader ("TLIF fusion" is a TLIF).

    Misspellings of words of eight letters or more are read when they are close to exactly one known word.
    """
    plain = re.sub(r"[-–—_]", " ", text.lower())
    for other, usual in _SPELT:  # a word for another: every place stays
        plain = plain.replace(other, usual.ljust(len(other)))
    # "Endoscopic L4/5 discectomy": without the level the words stand together.
    bare = _LEVEL.sub(lambda level: " " * len(level.group()), plain)
    neck = bool(_NECK.search(plain))
    taken: list[Found] = []
    for pattern, procedure in _patterns():
        for match in (*pattern.finditer(plain), *pattern.finditer(bare)):
            _take(taken, procedure, match)
    for pattern, procedure in _forms():
        if neck or not procedure.neck:
            for match in pattern.finditer(bare):
                _take(taken, procedure, match, widening=True)
    # "To take the pressure off the nerve" names an operation where nothing else does, or stands beside another with "and".
    for pattern, procedure in _purposes():
        for match in pattern.finditer(bare):
            if not any(not other.plainly for other in taken) or _is_beside(match, taken, bare):
                taken.append(Found(procedure, *match.span(), True, True))
    for word in re.finditer(r"[a-z]{8,}", plain):
        if any(word.start() < other.end and other.start < word.end() for other in taken):
            continue
        near = _nearest(word.group())
        if near:
            taken.append(Found(near, word.start(), word.end(), False))
    broader = {name for found in taken for name in broader_than(found.procedure)}
    if {found.procedure.kind_of for found in taken if found.procedure.id != "instrumented_fusion"} & {"fusion"}:
        # "Instrumented fusion (TLIF)": with its kind named, the loose name is no second operation.
        taken = [found for found in taken if found.procedure.id != "instrumented_fusion"]
    kept: dict[str, Found] = {}
    for found in sorted(taken, key=lambda found: found.start):
        if found.procedure.id not in broader:
            kept.setdefault(found.procedure.id, found)
    return tuple(kept.values())


def _take(taken: list[Found], procedure: Procedure, match: re.Match[str], *, widening: bool = False) -> None:
    """Add what ``match`` names to ``taken``, unless it overlaps. With ``widening`` it replaces what lies within it."""
    within = [other for other in taken if match.start() <= other.start and other.end <= match.end()]
    own = broader_than(procedure) | {procedure.id, *procedure.parts}
    others = [other for other in within if other.procedure.id not in own]
    if any(match.start() < other.end and other.start < match.end() and other not in within for other in taken):
        return
    start = match.start()
    if within and not (widening and _is_told_by(procedure, within)):
        # "Posterior laminectomy and fusion" of the neck: the laminectomy stays, the fusion is the procedure.
        last = others if procedure.neck and others else within
        if not widening or match.end() == (start := max(other.end for other in last)):
            return
        within = [other for other in within if other.start >= start]
    taken[:] = [other for other in taken if other not in within]
    taken.append(Found(procedure, start, match.end(), True))


_SPELT = (
    ("interbody arthrodesis", "interbody fusion"),
    ("spinal arthrodesis", "spinal fusion"),
    ("diskectom", "discectom"),
)
_AND_THEN = re.compile(r"\W*(?:and|then|,)\W*(?:(?:and|then|to|we|i|also|at the same time)\W+)*(?:will |would )?")


def _is_beside(match: re.Match[str], others: list[Found], text: str) -> bool:
    """Whether only "and" stands between: "we free the nerves and join the bones"."""
    gaps = [(match.end(), other.start) for other in others] + [(other.end, match.start()) for other in others]
    return any(start < end and _AND_THEN.fullmatch(text, start, end) for start, end in gaps)


def _is_told_by(procedure: Procedure, parts: list[Found]) -> bool:
    """Whether ``parts`` are but parts of ``procedure``: "decompression" and "fusion" of a fusion from the front."""
    above = broader_than(procedure) | {procedure.id, *procedure.parts}
    return all(part.procedure.id in above for part in parts) and any(part.procedure is not procedure for part in parts)


def broader_than(procedure: Procedure) -> frozenset[str]:
    """The ids of all operations that ``procedure`` is a kind of."""
    by_id = {item.id: item for item in procedures().procedures}
    found: set[str] = set()
    above = procedure.kind_of
    while above and above not in found:
        found.add(above)
        above = by_id[above].kind_of
    return frozenset(found)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], Procedure], ...]:
    """Longest first, so that "anterior cervical discectomy and fusion" wins over "fusion"."""
    pairs = [(phrase.lower(), item) for item in procedures().procedures for phrase in (*item.said, item.name)]
    pairs.sort(key=lambda pair: -len(pair[0]))
    return tuple(
        (re.compile(rf"(?<!\w){re.escape(phrase.replace('-', ' ')).replace(chr(92) + ' ', ' +')}s?(?!\w)"), item)
        for phrase, item in pairs
    )


@cache
def _forms() -> tuple[tuple[re.Pattern[str], Procedure], ...]:
    """The forms of operations told by their parts, those of the neck first."""
    found = [(form, item) for item in procedures().procedures for form in item.forms]
    found.sort(key=lambda pair: not pair[1].neck)
    return tuple((re.compile(rf"(?<!\w)(?:{_filled(form)})"), item) for form, item in found)


@cache
def _purposes() -> tuple[tuple[re.Pattern[str], Procedure], ...]:
    found = [(form, item) for item in procedures().procedures for form in item.purposes]
    return tuple((re.compile(rf"(?<!\w)(?:{_filled(form)})(?!\w)"), item) for form, item in found)


def _filled(form: str) -> str:
    words = form.replace("{w}", r"(?:[a-z]+ +){0,3}").replace("{and}", r"(?:and|&|with|plus|\+|/|,)")
    return words.replace(" ", " +").replace(" ++", " +")


@cache
def _nearest(word: str) -> Procedure | None:
    if word in procedures().not_procedures:
        return None
    best: tuple[float, Procedure | None] = (0.0, None)
    for item in procedures().procedures:
        for phrase in item.said:
            if " " in phrase or len(phrase) < 8 or abs(len(phrase) - len(word)) > 2:
                continue
            likeness = SequenceMatcher(None, word, phrase).ratio()
            if likeness > best[0]:
                best = (likeness, item)
    return best[1] if best[0] >= 0.86 else None
