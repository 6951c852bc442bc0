"""Takes a pasted letter apart: sections, sentences, and what in it is private. Pure.

Every sentence knows its place in the text, so that what is quoted is always the letter's own wording.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import pairwise

from actions.glossary import TermSpan, find_terms, is_known, ordinary_words
from actions.report.rules import report_rules
from actions.report.sections import ENDED_BY_A_LABEL, UNKNOWN_LABEL, headings_in, meant_here
from actions.spine_terms import find_procedures, procedures

_MARKUP = re.compile(r"<(script|style|head)\b.*?</\1\s*>|<!--.*?-->|</?[a-zA-Z][^<>]{0,300}>", re.I | re.S)
_SHORT_FORMS = re.compile(
    r"\b(?:dr|mr|mrs|ms|prof|st|vs|e\.?g|i\.?e|approx|no|lt|rt|l|r|fig|yrs?|mths?|wks?|hrs?|min|max|inc|dept|resp|cf|etc|b\.?d|"
    r"t\.?d\.?s|o\.?d|p\.?r\.?n|a\.?m|p\.?m|pt|hx|dx|rx|tx|jr|sr|m\.?d|ph\.?d|int|ext|gr|st|ca|adj|ant|post|lat|sup|inf|cerv|thor|lumb|vert|approx|occ|freq|adv|equiv|sig|susp)\.$",
    re.I,
)
# Short forms that may also end a sentence: they do not where a small letter or a figure follows.
_OPEN_FORMS = re.compile(r"\b(?:tabs?|caps?|inj|adv|inv|incl|rec|bilat|mod|sev|poss|prob|wt|ht|f/u|opp?|rpt)\.$", re.I)
_STOP = re.compile(
    r"[.!?]+[\"')\]]*(?=\s)|[;](?=\s)|\n[ \t]*\n|\n(?=[ \t]*(?:[-*•·–]|\(?\d{1,2}[.)]\s|\(?[a-z][.)]\s))"
)
_PLAIN = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‐": "-", "‑": "-", "\n": " ", "\t": " ", "\xa0": " "}
)


# What a scanner takes for another letter: "l would advise AGAlNST surgery", "tr0uble", "norma1".
_MISREAD = (
    (re.compile(r"(?<=[A-Z])l(?=[A-Z])|(?<![\w'/.-])l(?= [a-z]{2})|(?<![\w'])l(?=[nft] [a-z])"), "I"),
    (re.compile(r"(?<=[a-z])0(?=[a-z])"), "o"),
    (re.compile(r"(?<=[a-z]{3})1(?=[a-z]|\b)"), "l"),
)


@dataclass(frozen=True)
class Sentence:
    """A piece of the letter: ``text`` as written, ``plain`` the same length in lower case with plain marks."""

    text: str
    start: int
    section: str

    @cached_property
    def plain(self) -> str:
        plain = self.text.translate(_PLAIN)
        for pattern, letter in _MISREAD:
            plain = pattern.sub(letter, plain)
        return plain.lower()

    @cached_property
    def terms(self) -> tuple[TermSpan, ...]:
        """The glossary terms it names."""
        return find_terms(self.text)

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@dataclass(frozen=True)
class Letter:
    """A letter taken apart. ``private``: places (start, end) never to be repeated; ``cut``: it was too long."""

    text: str
    sentences: tuple[Sentence, ...]
    private: tuple[tuple[int, int], ...]
    cut: bool


def take_apart(text: str) -> Letter:
    """Clean ``text`` (line ends, markup), cut it at the longest length read, and find sections, sentences and names."""
    text = _MARKUP.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", " "))
    longest = report_rules().longest_characters
    cut = len(text) > longest
    text = text[:longest]
    return Letter(text, tuple(_sentences(text)), tuple(_private(text)), cut)


_HEAD = 300
"""So far into a text a scan report has said that it is one."""


def is_scan_report(text: str) -> bool:
    """Whether ``text`` is the report of a scan, by its head and headings, rather than a letter that tells of one."""
    scan, plain = report_rules().scan, text.lower()
    if not re.search(scan.title, plain[:_HEAD]) or is_operation_note(plain):
        return False
    headings = {"".join(found) for found in re.findall(scan.headings, plain)}
    named_first = re.search(scan.title, plain.strip().split("\n")[0])
    return len(headings) > (0 if named_first else 1) and not re.search(f"(?m){scan.not_with}", plain)


def is_operation_note(plain: str) -> bool:
    """Whether a text, in lower case, is an operation note or a discharge letter."""
    return bool(report_rules().compiled(report_rules().recommendation.operation_note).search(plain))


def _tells_of_surgery(plain: str) -> bool:
    """Whether the operation that a text names in a form was done."""
    after = report_rules().compiled(report_rules().recommendation.after_operation)
    return is_operation_note(plain) or bool(after.search(plain))


# --- Sections and sentences -------------------------------------------------------------------------------------------


def _sentences(text: str) -> list[Sentence]:
    found: list[Sentence] = []
    section, place = "", 0
    afresh = [match.end() for match in re.finditer(rf"\n[ \t]*\n[ \t]*(?={report_rules().afresh})", text)]
    headings = headings_in(text)
    surgery, scan = _tells_of_surgery(text.lower()), is_scan_report(text)
    headings = [
        (start, end, meant_here(text, start, end, opened, surgery=surgery, scan=scan))
        for start, end, opened in headings
    ]
    following = [start for start, _, _ in headings[1:]] + [len(text)]
    for (start, end, opened), until in zip(headings, following, strict=False):
        if opened == UNKNOWN_LABEL:
            if section in ENDED_BY_A_LABEL:
                found += _split_afresh(text, place, start, section, afresh)
                place, section = start, ""
            continue
        found += _split_afresh(text, place, start, section, afresh)
        asked = text[start:end].strip()
        if asked.endswith("?") and find_procedures(asked):  # "Do I support the proposed fusion?"
            found.append(Sentence(asked, text.index(asked, start), "request"))
        place, section = end, opened
        if section == "header":  # "Re: ..." speaks for its own line only
            line_end = text.find("\n", place)
            line_end = len(text) if line_end < 0 else line_end
            found += _split(text, place, line_end, section)
            section, place = "", line_end
        elif opened == "criteria" or _runs_on(text, end):
            # "Impression: ..." at the head of a paragraph, or what opens a list of criteria, speaks for this paragraph
            stop = min(until, _end_of_paragraph(text, end))
            found += _split_afresh(text, place, stop, section, afresh)
            section, place = "", stop
    found += _split_afresh(text, place, len(text), section, afresh)
    return [replace(piece, section=_in_its_words(piece)) for piece in found]


def _in_its_words(piece: Sentence) -> str:
    """The section of a sentence under a heading that may hold two things: what was consented to, what is concluded."""
    if piece.section == "consent":
        return _of_consent(piece)
    if piece.section == "opinion" and not find_procedures(
        piece.text
    ):  # the finding; with an operation it may be the plan
        return "diagnosis"
    return piece.section


def _of_consent(piece: Sentence) -> str:
    """What was consented to is the plan where an operation is named, and the risks of it where harm is named first."""
    operations = find_procedures(piece.text)
    harm = report_rules().compiled(r"\b(?:{harm}|risks?)").search(piece.plain)
    planned = operations and not (harm and harm.start() < operations[0].start)
    return "recommendation" if planned else "risks"


_PARAGRAPH = re.compile(r"\n[ \t]*\n(?![ \t]*(?:[-*•·–]|\(?\d{1,2}[.)]\s|\(?[a-z][.)]\s))")


def _runs_on(text: str, end: int) -> bool:
    """Whether the line of the heading that ends at ``end`` goes on with words."""
    return bool(text[end:].split("\n", 1)[0].strip(" \t*"))


def _end_of_paragraph(text: str, start: int) -> int:
    """Where the paragraph ends; the items of a list belong together."""
    match = _PARAGRAPH.search(text, start)
    return match.start() if match else len(text)


def _split_afresh(text: str, start: int, end: int, section: str, afresh: list[int]) -> list[Sentence]:
    """As :func:`_split`; the section ends where a paragraph begins afresh."""
    turn = next((place for place in afresh if start < place < end and text[start:place].strip()), end)
    return _split(text, start, turn, section) + _split(text, turn, end, "")


_WIDEST_WRAPPED = 130  # a text with longer lines was not broken into lines by its writer


def _split(text: str, start: int, end: int, section: str) -> list[Sentence]:
    """The sentences between ``start`` and ``end``. A line end stops one only where the next line begins afresh."""
    stops = [start]
    for match in _STOP.finditer(text, start, end):
        before = text[stops[-1] : match.end()]
        if match.group().startswith(".") and _SHORT_FORMS.search(before):
            continue
        if _OPEN_FORMS.search(before) and re.match(r"\s+[a-z\d]", text[match.end() :]):
            continue
        if re.fullmatch(r"\W*\d{1,2}\.", before):  # "1." numbers the line
            continue
        stops.append(match.end())
    width = max((len(line) for line in text.split("\n")), default=0)
    for match in re.finditer(r"\n", text[start:end]):
        place = start + match.start()
        line = text[text.rfind("\n", 0, place) + 1 : place].strip()
        following = text[place + 1 : end].lstrip(" \t")
        if not line or not following:
            continue
        full = width <= _WIDEST_WRAPPED and len(line) > 0.8 * width
        wrapped = following[0].islower() or line[-1] in ",-(/" or (full and line[-1] not in ".:;!?")
        if not wrapped:
            stops.append(place + 1)
    stops = [*sorted(set(stops)), end]
    found = []
    for left, right in pairwise(stops):
        piece = text[left:right]
        stripped = piece.strip(" \t\n-*•·|")
        if any(character.isalnum() for character in stripped):
            found.append(Sentence(stripped, left + piece.index(stripped), section))
    return found


# --- What must never be repeated ------------------------------------------------------------------------------------

_TITLE = r"(?:Dr|Mr|Mrs|Ms|Miss|Mx|Prof|Professor|Sir|Dame|Doctor|Sister|Nurse|DR|MR|MRS|MS|MISS|PROF)"
_CAPITAL = "[A-ZÀ-ÖØ-ÞĀ-ſ]"
_NAME = rf"{_CAPITAL}(?:[^\W\d_]|['’\-])+"
_ADDRESSED = re.compile(rf"(?:Dr|Mr|Mrs|Ms|Miss|Mx|Prof|Professor)\b\.?[ \t]+(?:[A-Z]\.?[ \t]+)*{_NAME}")
_TITLED = re.compile(rf"\b{_TITLE}\b\.?[ \t]+((?:[A-Z]\.?[ \t]+){{0,3}}{_NAME}(?:[ \t]+{_NAME}){{0,2}})")
_LABELS = (
    r"re|regarding|patient(?:'s)?(?: name)?|name|dear|hi|hello|cc|copy to|member|claimant|insured|employee|attention|"
    r"attn|(?:electronically )?signed(?: by)?|dictated by|reported by|typed by|seen by|referr(?:ing|ed) (?:doctor|by)|"
    r"referring (?:physician|provider)|(?:yours )?(?:sincerely|faithfully|truly)|"
    r"(?:kind |best |warm )?(?:regards|wishes)|thanks|many thanks|cheers|next of kin|consultant|surgeon|radiologist|provider|gp"
)
_LABELLED = re.compile(
    rf"(?m:^|(?<=[.;,(]))[ \t]*(?i:{_LABELS})[ \t]*[:,\-]?[ \t]*\n?[ \t]*(?:{_TITLE}\b\.?[ \t]*)?"
    rf"((?:[A-Z]\.?[ \t]+){{0,2}}{_NAME}(?:,?[ \t]+{_NAME}){{0,3}})"
)
_INITIAL = re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Mx)\b\.?[ \t]+[A-Z]\b\.?")
# "Jane Roe came to clinic", "spoke to Roe": words with a capital that are neither first in a sentence nor known words.
_UNKNOWN = re.compile(rf"(?:(?<=[a-z,;)] )|(?<=^)|(?<=[.\n]))[ \t]*(?P<one>{_NAME})(?:[ \t]+(?P<two>{_NAME}))?")
# "Which Fern will show you": a word with a capital that does something, in the middle of a sentence.
_ACTING = re.compile(
    rf"(?<=[a-z,] )(?P<one>{_CAPITAL}[a-z]{{2,}})(?= (?:will|has|had|showed|shows|gave|gives|taught|told|said|says|wrote|asked)\b)"
)
_NUMBERED = re.compile(
    r"[\w.+\-]+@[\w\-]+\.[\w.\-]+"  # e-mail
    r"|(?:\+|\b00)\d[\d ().\-]{7,}\d"  # phone with a country code
    r"|(?<![\w/])\(?\d{3,5}\)?[ .\-]\d{3,4}[ .\-]?\d{3,4}\b"  # phone
    r"|(?<!\d)\d{3}[ .\-]\d{4}(?!\d)"  # local phone
    # a number with its label
    r"|\b(?i:nhs|mrn|hospital|hosp|ref(?:erence)?|claim|policy|case|file|member|account|acc(?:ession)?|ssn|id|unit|chi|pps|"
    r"licen[cs]e|npi|gmc)[ \t]*(?i:no|number|nr|id|num)?\.?[ \t]*[:#]?[ \t]*(?=[\w\-]*\d{3})"
    r"[A-Z0-9][\w\-/]*(?:[ \t]\d{2,})*"
    # a date of birth
    r"|\b(?i:dob|d\.o\.b\.?|date of birth|born)[ \t]*[:\-]?[ \t]*(?:on )?"
    r"\d{1,4}[./\- ](?:\d{1,2}|[A-Za-z]{3,9})[./\-, ]+\d{2,4}"
    r"|\b\d{3}-\d{2}-\d{4}\b|\b\d{6,}\b"
    r"|\b[A-Z]{1,2}\d[A-Z\d]?[ ]\d[A-Z]{2}\b"  # UK postcode
    r"|\b\d{1,5}[ ](?:[A-Z][a-z]+[ ]){1,3}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Close|Way|Court|Place|Terrace|"
    r"Crescent|Boulevard|Blvd)\b"
)


def _private(text: str) -> list[tuple[int, int]]:
    places = [match.span() for pattern in (_NUMBERED, _INITIAL) for match in pattern.finditer(text)]
    names: set[str] = set()
    for pattern in (_TITLED, _LABELLED):
        for match in pattern.finditer(text):
            words = re.split(r"[\s,]+", match.group(1))
            names.update(word for word in words if _is_name(word))
            if _ADDRESSED.match(match.group()):  # "Mr Kemp" is a name although Kemp is also a test
                names.add(next(word for word in words if len(word.strip(".")) > 1))
    for match in _UNKNOWN.finditer(text):
        first, second = match["one"], match["two"] or ""
        strangers = [word for word in (first, second) if len(word) > 3 and not word.isupper() and _is_stranger(word)]
        middle = match.start() > 0 and text[match.start() - 1] == " "
        if strangers and (second or middle):
            names.update(re.sub(r"['’]s$", "", word) for word in strangers)  # "about Fern's back"
            names.update(word for word in (first, second) if word.lower() in report_rules().also_names)
    for match in _ACTING.finditer(text):
        if not is_known(match["one"]) and match["one"].lower() not in _not_acting():
            names.add(match["one"])
    if names:
        known = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
        title = rf"(?:{_TITLE}\b\.?[ \t]+)?(?:[A-Z]\.?[ \t]+)*"
        places += [m.span() for m in re.finditer(rf"{title}\b(?:{known})\b(?:[ \t]+(?:{known})\b)*", text)]
        # The same names in capitals, or with only the first letter of a part, are still names.
        places += [m.span() for m in re.finditer(rf"\b(?:{known})\b", text, re.I)]
    return _merged(places)


@cache
def _vocabulary() -> frozenset[str]:
    """Words that are no names although they stand with a capital: headings, terms of the glossary, ordinary English."""
    headings = {word for heading in report_rules().section_of for word in heading.split()}
    operations = {word for item in procedures().procedures for said in item.said for word in said.split()}
    return ordinary_words() | headings | operations | frozenset(report_rules().no_names)


@cache
def _not_acting() -> frozenset[str]:
    """Words that may stand with a capital before a verb and are no names: those of headings, months and makers."""
    headings = {word for heading in report_rules().section_of for word in heading.split()}
    return frozenset(headings) | frozenset(report_rules().no_names)


def _is_name(word: str) -> bool:
    bare = word.strip(".'’-")
    return len(bare) > 1 and bare[0].isupper() and (_is_stranger(bare) or bare.lower() in report_rules().also_names)


def _is_stranger(word: str) -> bool:
    form = word.lower().removesuffix("'s").removesuffix("’s")
    if re.fullmatch(r"[A-Z]{2,}s", word):  # several of something with a short form ("MBBs")
        return False
    known = _vocabulary()
    return not any(part in known or part.rstrip("s") in known or is_known(part) for part in (form, *form.split("-")))


def _merged(places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
