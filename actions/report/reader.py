"""Reads a pasted letter into plain data: its kind, terms, advice, the six elements, what does not agree. Pure.

Nothing is concluded that the letter does not say. Whatever is quoted is a run of the letter's own characters, with
names, numbers and addresses left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from actions.glossary import TermSpan, find_terms, is_known, plain_words
from actions.report.advice_signal import advice_signal
from actions.report.elements import Element, find_elements, is_negated
from actions.report.letter import Letter, Sentence, is_scan_report, take_apart
from actions.report.levels import NamedLevel, widest
from actions.report.recommendation import NOTHING, Recommendation, find_recommendation
from actions.report.rules import compile_all, report_rules
from actions.report.signal import signal
from actions.spine_terms import find_levels, find_procedures
from bot.plain_text import is_foreign, readable
from knowledge.glossary import Term
from safety.detect import Finding, detect

Kind = Literal["letter", "too_short", "other_language", "not_medical", "other_part", "not_spine"]
QUOTE_WORDS = 24


@dataclass(frozen=True)
class SeenTerm:
    """A term the letter uses, by its first wording; ``denied`` when the letter says it is not there."""

    term: Term
    said: str
    denied: bool


@dataclass(frozen=True)
class Mismatch:
    """Two places of one letter that do not agree: ``kind`` "advice", "level" or "side"; quotes or names of both."""

    kind: Literal["advice", "level", "side"]
    first: str
    second: str


@dataclass(frozen=True)
class Reading:
    """All that was read. With another ``kind`` than "letter" the rest is empty."""

    kind: Kind
    letter: Letter
    terms: tuple[SeenTerm, ...] = ()
    recommendation: Recommendation = NOTHING
    elements: tuple[Element, ...] = ()
    mismatches: tuple[Mismatch, ...] = ()
    urgent: str = ""
    """The letter's own words for something that should not wait, if there is any."""
    is_scan: bool = False
    """A scan report: it tells what pictures show, and is not measured as an opinion is."""
    found_at: tuple[NamedLevel, ...] = ()
    """Where it finds a problem, for a letter that names no level of a treatment."""

    @property
    def found(self) -> tuple[Element, ...]:
        return tuple(element for element in self.elements if element.found)

    @property
    def missing(self) -> tuple[Element, ...]:
        return () if self.is_scan else tuple(element for element in self.elements if not element.found)


_QUOTED = re.compile(
    r"""\A\W{0,3}(?:[\w'\u2019]+[ ,.!]+){0,11}[\w'\u2019]+[:,-]?\s{0,3}["\u201c](?P<letter>[^"\u201c\u201d]{60,})["\u201d]?[\s.]*\Z"""
)
"""A whole letter in quotation marks behind a few words of the patient's own: "ok here goes: "Impression: ..."."""


def read(text: str) -> Reading:
    """Read ``text``. Never raises for any text; what is no letter about a spine comes back by its ``kind`` alone."""
    letter = _taken_apart(text)
    kind = kind_of(letter.text)
    if kind != "letter":
        return Reading(kind, letter)
    recommendation = find_recommendation(letter)
    elements = find_elements(letter)
    return Reading(
        kind,
        letter,
        _terms(letter),
        recommendation,
        elements,
        _mismatches(letter, recommendation),
        _urgent(letter),
        recommendation.stance in ("none", "done") and is_scan_report(letter.text),
        () if recommendation.levels else _found_at(letter, elements),
    )


def denied_terms(text: str) -> frozenset[str]:
    """Return the ids of the terms that :func:`read` would call denied, without reading what else ``text`` says."""
    letter = _taken_apart(text)
    seen = _terms(letter) if kind_of(letter.text) == "letter" else ()
    return frozenset(item.term.id for item in seen if item.denied)


def _taken_apart(text: str) -> Letter:
    return take_apart(_QUOTED.sub(r"\g<letter>", text))


def prepare() -> None:
    """Load and compile everything, so that the first letter is read as fast as the rest. For the start of a process."""
    compile_all()
    signal()
    advice_signal()
    find_terms("")
    find_procedures("")
    detect("", source="report")


def kind_of(text: str) -> Kind:
    """Tell a letter about a spine from everything else that may be pasted."""
    rules = report_rules()
    plain = text.lower()
    if is_foreign(readable(text)) or _is_strange(plain):
        return "other_language"
    spine = len(re.findall(rules.spine_words, plain)) + 2 * len(find_levels(text))
    others = len(re.findall(rules.other_parts, plain))
    medical = len(set(re.findall(rules.medical_words, plain)))
    if len(re.findall(r"\w+", text)) < rules.shortest_words:
        return "too_short"
    if not spine or spine * 3 <= others:
        if others and medical + others >= 3:
            return "other_part"
        return "not_spine" if medical >= 4 else "not_medical"
    if medical + spine < 3:
        return "not_medical"
    return "letter"


def _is_strange(plain: str) -> bool:
    """Whether hardly any word is English: a language that no list of common words covers."""
    words = re.findall(r"[^\W\d_]{2,}", plain)
    rules = report_rules()
    return len(words) >= rules.shortest_words and sum(map(is_known, words)) < rules.fewest_known * len(words)


def _found_at(letter: Letter, elements: tuple[Element, ...]) -> tuple[NamedLevel, ...]:
    """The levels of the diagnosis: of the sentences under its heading that name a condition, else of the one quoted."""
    conditions = {*report_rules().groups["condition"], *report_rules().groups["weak_condition"]}
    told = [
        sentence
        for sentence in letter.sentences
        if sentence.section == "diagnosis"
        and any(
            span.term.id in conditions and not is_negated(sentence.plain, span.start, span.end)
            for span in sentence.terms
        )
    ]
    quoted = [element.sentence for element in elements if element.id == "diagnosis" and element.sentence]
    return widest(tuple(told)) or widest(tuple(quoted))


def _terms(letter: Letter) -> tuple[SeenTerm, ...]:
    seen: dict[str, SeenTerm] = {}
    for span in find_terms(letter.text):
        if _is_everyday(span) or _overlaps(letter.private, span.start, span.end):
            continue
        denied = any(
            is_negated(sentence.plain, span.start - sentence.start, span.end - sentence.start)
            for sentence in letter.sentences
            if sentence.start <= span.start < sentence.end
        )
        known = seen.setdefault(span.term.id, SeenTerm(span.term, " ".join(span.said.split()), denied))
        if known.denied and not denied:
            seen[span.term.id] = SeenTerm(known.term, known.said, False)
    return tuple(seen.values())


def _is_everyday(span: TermSpan) -> bool:
    """Whether a reader knows the words: those of an everyday term, unless the letter writes "XR" or "hypoaesthesia"."""
    if not span.term.everyday or span.term.id in report_rules().everyday_explained:
        return False
    short = span.said.isupper() and len(span.said) <= 4 and span.said != span.term.name
    return not short and all(word in plain_words() for word in re.findall(r"[a-z]+", span.said.lower()))


def _urgent(letter: Letter) -> str:
    rules = report_rules()
    flagged = [finding.evidence.lower() for finding in detect(letter.text, source="report") if _is_grave(finding)]
    for sentence in letter.sentences:
        plain = sentence.plain
        if sentence.section in ("header", "past", "risks", "benefit") or _is_warning(plain):
            continue
        for span in find_terms(sentence.text):
            if span.term.id in rules.urgent.terms and not is_negated(plain, span.start, span.end):
                return quote(letter, sentence, (span.start, span.end))
        for evidence in flagged:
            if evidence in plain:
                return quote(letter, sentence, (plain.index(evidence), plain.index(evidence) + len(evidence)))
    return ""


def _is_warning(plain: str) -> bool:
    """Whether a sentence warns of what may come, or says that it is not there, rather than telling a finding."""
    words, compiled = report_rules().urgent, report_rules().compiled
    listed = compiled(words.listed).search(plain) and not compiled(words.there).search(plain)
    return bool(listed or compiled(words.unless).search(plain))


def _is_grave(finding: Finding) -> bool:
    """Whether a finding of the red-flag rules counts in a letter. One word alone ("S1") is too little to tell."""
    counts = finding.assertion in ("present", "reported") and finding.tier in ("urgent", "emergency")
    return counts and finding.category in report_rules().urgent.categories and " " in finding.evidence


def _overlaps(places: tuple[tuple[int, int], ...], start: int, end: int) -> bool:
    return any(left < end and start < right for left, right in places)


# --- Quoting --------------------------------------------------------------------------------------------------------


def quote(letter: Letter, sentence: Sentence, at: tuple[int, int] = (0, 0), words: int = QUOTE_WORDS) -> str:
    """``sentence`` as a quote of at most ``words`` words around ``at``; "..." stands for what is left out."""
    start, end = _window(sentence, at, words)
    parts = []
    place = sentence.start + start
    stop = sentence.start + end
    for left, right in letter.private:
        if right <= place or left >= stop:
            continue
        parts.append(letter.text[place : max(left, place)])
        place = right
    parts.append(letter.text[place:stop])
    inner = " ... ".join(filter(None, (" ".join(part.split()).strip() for part in parts if re.search(r"\w", part))))
    lead = "... " if start > 0 else ""
    tail = " ..." if end < len(sentence.text) else ""
    return f"{lead}{inner}{tail}".strip().rstrip(";,").replace('"', "'")  # it will stand in quotation marks itself


_JOINS = frozenset({"and", "but", "or", "so", "that", "which", "as"})


def _window(sentence: Sentence, at: tuple[int, int], most: int) -> tuple[int, int]:
    """The part of a sentence to quote: all of it, or the clauses around ``at`` that fit."""
    words = [match.span() for match in re.finditer(r"\S+", sentence.text)]
    if len(words) <= most:
        return 0, len(sentence.text)
    first = next((i for i, span in enumerate(words) if span[1] > at[0]), 0)
    while first > 0 and sentence.text[words[first - 1][1] - 1] not in ",;:" and at[0] - words[first - 1][0] < 60:
        first -= 1
    while first > 0 and sentence.text[slice(*words[first])].lower() in _JOINS and first + 1 < len(words):
        first += 1  # "... and that one bone has slipped" begins better without what joins it on
    last = min(first + most, len(words)) - 1
    for i in range(last, first + most // 2, -1):  # end at a comma rather than in the middle of a thought
        if words[i][1] >= at[1] and sentence.text[words[i][1] - 1] in ",;:.":
            last = i
            break
    end = words[last][1]
    return words[first][0], len(sentence.text) if last == len(words) - 1 else end - (sentence.text[end - 1] in ",;:")


# --- What does not agree within the letter --------------------------------------------------------------------------

_SIDE = re.compile(
    r"\b(left|right|bilateral|both)\b"
    r"(?! (?:surgery|operation|choice|procedure|thing|treatment|option|way|one|answer|decision|plan|approach|away|now|time)\b)",
    re.I,
)
_LIMB = re.compile(
    r"\b(?:(left|right)(?:[- ]sided)?(?: \w+){0,2} "
    r"(?:leg|arm|buttock|thigh|calf|foot|hand|shoulder|sciatica|radiculopathy|limb))\b",
    re.I,
)


def _mismatches(letter: Letter, advice: Recommendation) -> tuple[Mismatch, ...]:
    found = []
    if advice.stance == "operate" and advice.against and advice.sentences:
        pair = quote(letter, advice.sentences[0]), quote(letter, advice.against[0])
        if pair[0] != pair[1]:
            found.append(Mismatch("advice", *pair))
    if advice.stance not in ("operate", "done") or advice.reported:
        return tuple(found)
    elsewhere = {
        segment: level
        for sentence in letter.sentences
        if sentence not in advice.sentences
        and sentence.section not in ("past", "recommendation", "done", "risks", "benefit")
        for level in find_levels(sentence.text)
        for segment in level.segments
    }
    advised = {segment for level in advice.levels for found in find_levels(level.said) for segment in found.segments}
    if advised and elsewhere and not advised & set(elsewhere):
        where = ", ".join(dict.fromkeys(level.name for level in elsewhere.values()))
        found.append(Mismatch("level", ", ".join(level.said for level in advice.levels), where))
    sides = {match.group(1).lower() for sentence in advice.sentences for match in _SIDE.finditer(sentence.text)}
    pains = {
        match.group(1).lower()
        for sentence in letter.sentences
        if sentence not in advice.sentences and sentence.section != "past"
        for match in _LIMB.finditer(sentence.text)
    }
    seen = {
        match.group(1).lower()
        for sentence in letter.sentences
        if sentence not in advice.sentences
        and sentence.section != "past"
        and report_rules().compiled(r"\b{structure}\b").search(sentence.plain)
        for match in _SIDE.finditer(sentence.text)
    }
    for elsewhere_said in (pains, seen):
        if sides in ({"left"}, {"right"}) and elsewhere_said in ({"left"}, {"right"}) and sides != elsewhere_said:
            found.append(Mismatch("side", *sides, *elsewhere_said))
            break
    return tuple(found)
