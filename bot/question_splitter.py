"""Finds the questions in a message that asks more than one thing. Pure; English.

A message is cut where a sentence ends, and inside a sentence only where a new question plainly opens ("..., and how
long", "also can you"). A cut says where a question may stand; whether two parts really ask different things is for the
classifier to say, so that one rambling question stays one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_ABBREVIATIONS = frozenset(
    ("dr", "mr", "mrs", "ms", "prof", "st", "vs", "eg", "ie", "e.g", "i.e", "approx", "etc", "no", "fig", "dept", "inc")
)
_SENTENCE_END = re.compile(r"[.!?;\u2026]+[)\"'\u201d\u2019]*(?=\s|$)|[\r\n]+|(?<=[?!])(?=[A-Za-z])")

_WH = r"(?:how|what|when|where|why|who|whom|whose|which)(?:['\u2019]?(?:s|re|ll|d))?"
_VERB = r"(?:is|are|am|was|were|do|does|did|can|could|will|would|should|shall|may|must|has|have|need)(?:n['\u2019]?t)?"
_SUBJECT = (
    r"(?:i|you|u|we|they|he|she|it|this|that|there|these|those|my|your|his|her|our|their|the|a|an(?:other)?|any(?:one|body)?"
    r"|some(?:one|body)?|second|surgeons?|doctors?|patients|insurance|insurers?|surgery|people|mum|mom|dad|nobody|everyone"
    r"|many|most|other|fusions?|operations?|scans?|physio|opinions?|reviewers?|carers?|children)"
)
_QUESTION = rf"(?:{_WH}\b|{_VERB}\s+{_SUBJECT}\b)"
_REQUEST = (
    r"(?:what\s+(?:i|we)(?:['\u2019]d)?\s+(?:\w+\s+)?(?:want|like|need)\s+to\s+(?:know|ask)\s+is|tell\s+me|explain|(?:i\s+)?(?:would|['\u2019]d)?\s*(?:also\s+)?(?:want|like|need)\s+to\s+(?:know|ask|understand)"
    r"|i\s+(?:was\s+|am\s+|['\u2019]m\s+)?(?:also\s+)?wonder(?:ing)?|wondering|any\s+idea|not\s+sure\s+(?:if|whether|what|how))"
)
_PLACE = (
    r"(?:(?:the\s+|my\s+|and\s+)?(?:first|second|third|fourth|next|other|last|final)\s+(?:of\s+all|off|thing|question|one)"
    r"(?:\s+is)?|(?:first|second|third|fourth|last|final)ly|second|(?:first|third|(?:number\s+|question\s+)?(?:one|two|three))"
    r"(?=[,:.)])|\(?[1-9][).:])"
)
"""What counts questions: "first of all", "the second thing", "number three", "lastly"."""
_JOIN = rf"(?:and|also|plus|but|&|then|anyway|anyhow|oh|{_PLACE}|another\s+(?:thing|question)|one\s+more\s+(?:thing|question))"
_FILLER = rf"(?:(?:{_JOIN}|so|ok|okay|well|hi|hiya|hello|hey|please|thanks|because|if\s+so|in\s+that\s+case)[\s,:.-]+)*"
_OPENS = re.compile(rf"{_FILLER}(?:{_QUESTION}|{_REQUEST})", re.IGNORECASE)
_SAME_CLAUSE = r"(?!(?:also|then)\s+(?:do|have|has|had|need)\s+(?!i\b|u\b|you\b|we\b|they\b))"
"""In "could she also do the operation", what follows "also" is no new question."""
_JOINED = re.compile(
    rf"(?:,\s*|\s+){_SAME_CLAUSE}(?:{_JOIN}[\s,:]+)+(?={_QUESTION}|{_REQUEST}|{_JOIN}\b)|(?:[,:]\s*|\s[-\u2013]\s)(?={_QUESTION})",
    re.IGNORECASE,
)
_LISTS = re.compile(
    rf"{_FILLER}(?:what(?:['\u2019]?s|\s+is|\s+are)\s+(?=(?:the|your)\b)|(?:(?:can|could|would|will)\s+you\s+)?(?:please\s+)?(?:tell\s+me|explain|(?:i\s+|we\s+)?(?:just\s+|also\s+)?"
    r"(?:would\s+like|['\u2019]?d\s+like|want|like|need|have)\s+to\s+(?:know|ask|understand)|(?:i['\u2019]?m\s+|i\s+am\s+)?asking)"
    r"(?:\s+(?:about|you|for))*\s*[:,-]*\s*)",
    re.IGNORECASE,
)
"""What may be followed by a list: "please tell me the price, the waiting time and ...", "what's the price, the ..."."""
_LEAD = re.compile(rf"{_FILLER}(?:{_REQUEST}(?:\s+(?:about|if|whether))?[\s,:-]+)?{_FILLER}(?=\S+\s+\S)", re.IGNORECASE)
_LEANS = re.compile(rf"{_FILLER}(?:if|when|whenever|once|since|as|after|before|although|though)\s", re.IGNORECASE)
"""How a clause begins that is nothing without the question behind it: "if they do not agree, what do we do"."""
_REASON = re.compile(r"[,\s]+(?:because|cos|coz)\s.*", re.IGNORECASE | re.DOTALL)
_POINTS_BACK = re.compile(r"\b(?:that|this|it|they|them|those|these|both|one)\b", re.IGNORECASE)
_EMPTY = re.compile(
    rf"{_FILLER}(?:(?:do\s+)?(?:you|u)\s+know(?:\s+what\s+i\s+mean)?|(?:can|could|will|would)\s+(?:you|u|any(?:one|body)|some(?:one|body))"
    r"(?:\s+please)?\s+(?:help(?:\s+(?:me|us))?|tell\s+(?:me|us)|explain)|what\s+(?:do|would)\s+(?:you|u)\s+(?:think|say|advise|suggest)"
    r"|is\s+that\s+(?:right|ok|okay|normal|true)|what\s+(?:do|should|can)\s+(?:i|we)\s+do|any\s+(?:idea|ideas|advice|help|thoughts))"
    r"(?:\s+(?:please|then|now|about\s+(?:it|this|that)))*\W*",
    re.IGNORECASE,
)
"""A question that only leans on the others: "can you help me?", "do you know what I mean?"."""
_RELATIVE = re.compile(r"(?:who|whom|whose|which|where|when|what)\b", re.IGNORECASE)
_MOST_WORDS_POINTING = 8
_WORDS_BEFORE = 15
_ITEM_END = re.compile(r"\s*(?:[,;:]|\b(?:and|plus|also|as well as)\b|\(?\b\d\s*[).])\s*", re.IGNORECASE)
_CLAUSE_END = re.compile(r"[.!?;,\n]+\s*|\s+(?=(?:and|but|so|because|then|yet)\s)", re.IGNORECASE)
_FEWEST_WORDS = 2
_FEWEST_WORDS_TOLD = 4
_RUN_ON_WORDS = 25
MOST_THOUGHTS = 12
"""Longer stories are looked at for signs in their first so many sentences, and as a whole."""
MOST_PARTS = 6
"""A message with more questions than this is answered for its first ones: nobody reads seven answers at once."""


@dataclass(frozen=True)
class Part:
    """One question: ``message[start:end]``."""

    start: int
    end: int
    text: str


def questions(message: str) -> list[Part]:
    """The parts of ``message`` that read as questions or requests, in order; at most ``MOST_PARTS``."""
    found = []
    for start, end in _sentences(message):
        asked = message[start:end].rstrip().endswith("?")
        cuts = _cuts(message, start, end)
        for number, (first, last) in enumerate(cuts):
            part = _trimmed(message, first, last)
            opens = _OPENS.match(part.text)
            if len(part.text.split()) >= _FEWEST_WORDS and (opens or (asked and number == len(cuts) - 1)):
                found.append(part)
    return found[:MOST_PARTS]


def readings(part: Part, message: str) -> Iterator[str]:
    """The words of ``part`` to be understood, the plainest first: bare, without its reason, behind what it points back to.

    "First of all, can we do it from home, because the car makes her ill?" asks if it can be done from home; and in "They
    disagree. Why does that happen?" the second sentence asks about the first.
    """
    bare = part.text[found.end() :] if (found := _LEAD.match(part.text)) else part.text
    yield bare
    if (short := _REASON.sub("", bare)) != bare and len(short.split()) >= _FEWEST_WORDS:
        yield short
    before = message[: part.start].split()
    if before and len(bare.split()) <= _MOST_WORDS_POINTING and _POINTS_BACK.search(bare):
        yield f"{' '.join(before[-_WORDS_BEFORE:])} {bare}"


def asks_nothing(part: Part, message: str) -> bool:
    """Whether ``part`` of ``message`` only looks like a question: it leans on the others, or tells who somebody is.

    "A busy man, who told him to have it" is no question where none of the message ends with a question mark.
    """
    clause = part.start and message[: part.start].rstrip().endswith(",") and _RELATIVE.match(part.text)
    return bool(_EMPTY.fullmatch(part.text)) or bool(clause and not part.text.endswith("?"))


def items(message: str) -> list[Part]:
    """What a request lists: "please tell me the price, the waiting time and if you take foreign patients"; else nothing."""
    found = []
    for start, end in _sentences(message):
        lead = _LISTS.match(message, start, end)
        if not lead:
            continue
        first, pieces = lead.end(), []
        for mark in [*_ITEM_END.finditer(message, lead.end(), end), None]:
            piece = _trimmed(message, first, mark.start() if mark else end)
            pieces += [piece] if piece.text else []
            first = mark.end() if mark else first
        found += pieces if len(pieces) > 1 else []
    return found[:MOST_PARTS]


def thoughts(message: str) -> list[str]:
    """The sentences of ``message`` if there are several, or the clauses of a long one: what may each be said on its own.

    Empty for a short message of one sentence.
    """
    found = [part for part in (_trimmed(message, *span) for span in _sentences(message)) if len(part.text.split()) >= 3]
    if len(found) < 2:
        found = clauses(message) if len(message.split()) >= _RUN_ON_WORDS else []
    return [part.text for part in found[:MOST_THOUGHTS]]


def clauses(message: str) -> list[Part]:
    """What ``message`` tells, cut where a clause may end; those too short to mean much on their own are left out."""
    found, first = [], 0
    for mark in [*_CLAUSE_END.finditer(message), None]:
        part = _trimmed(message, first, mark.start() if mark else len(message))
        if len(part.text.split()) >= _FEWEST_WORDS_TOLD:
            found.append(part)
        first = mark.end() if mark else first
    return found


def _cuts(message: str, start: int, end: int) -> list[tuple[int, int]]:
    """Cut one sentence where another question opens behind something that could stand alone."""
    cuts, first = [], start
    for joined in _JOINED.finditer(message, start, end):
        before = message[first : joined.start()]
        leans = joined[0].strip() == "," and _LEANS.match(before.lstrip())
        if len(before.split()) >= _FEWEST_WORDS and not leans:
            cuts.append((first, joined.start()))
            first = joined.end()
    return [*cuts, (first, end)]


def _sentences(message: str) -> list[tuple[int, int]]:
    spans, first = [], 0
    for mark in _SENTENCE_END.finditer(message):
        before = message[first : mark.start()].rsplit(None, 1)
        if mark[0] == "." and before and before[-1].lower().lstrip("(") in _ABBREVIATIONS:
            continue
        spans.append((first, mark.end()))
        first = mark.end()
    return [*spans, (first, len(message))]


def _trimmed(message: str, start: int, end: int) -> Part:
    text = message[start:end]
    left = len(text) - len(text.lstrip())
    text = text.strip()
    return Part(start + left, start + left + len(text), text)
