"""The second reader of the six elements: how likely a sentence carries each, learned from written sentences. Pure.

A linear model over the words and word pairs of a sentence, the concepts it names (the vocabulary of ``report.yml`` and
the kinds of glossary terms), its heading, and the concepts of the sentence before. ``scripts/train_letter_signal.py``
makes the weights. It needs no library here, and what it went by can be read in the file.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from actions.report.letter import Sentence
from actions.report.rules import ElementId, report_rules
from runtime.settings import KNOWLEDGE

WEIGHTS = KNOWLEDGE / "en" / "letter_signal.json"

CONCEPTS = (
    *("imaging", "harm", "care", "share", "symptom", "structure", "gain", "surgical", "relates", "outcome", "likely"),
    "felt",
)
"""Entries of the vocabulary that say what a sentence is about."""
_TOKEN = re.compile(
    r"(?P<level>\b[ctls]\d+\S*)|(?P<percent>\d+(?:\.\d+)?(?:\s?-\s?\d+)? ?(?:%|per ?cent))|(?P<number>\d+(?:\.\d+)?)"
    r"|[a-z]+(?:'t)?|[+%/]"
)


@dataclass(frozen=True)
class Chance:
    """How likely a sentence carries an element, from 0 to 1, and the words that say so most."""

    value: float
    at: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Signal:
    """The learned weights: a number for each element and feature, and from which chance on an element is there."""

    elements: tuple[ElementId, ...]
    bias: tuple[float, ...]
    enough: float
    weights: Mapping[str, tuple[float, ...]]


@cache
def signal() -> Signal:
    """The weights of ``letter_signal.json``."""
    raw = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    weights = {feature: tuple(numbers) for feature, numbers in raw["weights"].items()}
    return Signal(tuple(raw["elements"]), tuple(raw["bias"]), raw["enough"], weights)


def chances(sentence: Sentence, before: Sentence | None) -> dict[ElementId, Chance]:
    """How likely ``sentence``, which follows ``before``, carries each element."""
    learned = signal()
    found = [item for item in features(sentence, before) if item[0] in learned.weights]
    size = math.sqrt(sum(strength**2 for _, strength, _ in found)) or 1.0
    said: dict[ElementId, Chance] = {}
    for place, element in enumerate(learned.elements):
        parts = [(learned.weights[name][place] * strength / size, at) for name, strength, at in found]
        total = learned.bias[place] + sum(part for part, _ in parts)
        strongest = max(((part, at) for part, at in parts if at[1]), default=(0.0, (0, 0)))
        said[element] = Chance(1 / (1 + math.exp(-total)), strongest[1])
    return said


def features(sentence: Sentence, before: Sentence | None) -> Iterator[tuple[str, float, tuple[int, int]]]:
    """Yield every feature of ``sentence`` once: its name, its strength and where it stands ((0, 0): nowhere)."""
    tokens = list(_tokens(sentence.plain))
    seen: set[str] = set()
    for length in (1, 2):
        for first in range(len(tokens) - length + 1):
            run = tokens[first : first + length]
            name = " ".join(word for word, _, _ in run)
            if name not in seen:
                seen.add(name)
                yield name, 1.0, (run[0][1], run[-1][2])
    named = _concepts(sentence.plain)
    yield from ((f"#{concept}", 2.0, (0, 0)) for concept in named)
    yield from ((f"#{one}&{other}", 1.0, (0, 0)) for one in named for other in named if one < other)
    kinds = report_rules().kind_of_term
    own = sorted({span.term.id for span in sentence.terms})
    yield from ((f"@{term}", 1.0, (0, 0)) for term in own)
    yield from ((f"@@{kind}", 1.5, (0, 0)) for kind in sorted({kinds[term] for term in own if term in kinds}))
    if sentence.section:
        yield f"${sentence.section}", 1.5, (0, 0)
    if before:
        yield from ((f"<{concept}", 1.0, (0, 0)) for concept in _concepts(before.plain))


def _tokens(plain: str) -> Iterator[tuple[str, int, int]]:
    """The words of a sentence; levels, shares and numbers each as one word that stands for all."""
    for match in _TOKEN.finditer(plain):
        yield (match.lastgroup.upper() if match.lastgroup else match.group()), match.start(), match.end()


def _concepts(plain: str) -> list[str]:
    return [concept for concept in CONCEPTS if report_rules().compiled(rf"\b{{{concept}}}").search(plain)]
