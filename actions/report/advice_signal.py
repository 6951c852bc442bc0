"""The second reader of advice: how likely what a sentence says of an operation is advice, refusal, an option, past. Pure.

A linear model over the words around the place where the operation is named, and its heading, learned from the sample
letters (``scripts/train_advice_signal.py``). The rules of ``said`` decide; where this reader finds hardly a sign of what
they took a sentence to say, the advice is told as unsure, because a wrong word on what a letter advises is the worst fault.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from actions.report.letter import Sentence
from runtime.settings import KNOWLEDGE

WEIGHTS = KNOWLEDGE / "en" / "advice_signal.json"
REACH = 9
"""So many words on each side count."""
_NEAR = 3
_BEFORE = 12
_TOKEN = re.compile(r"(?P<level>[ctls]\d+\S*)|(?P<number>\d+)|[a-z]+(?:'t)?|[?/+%]")


@dataclass(frozen=True)
class AdviceSignal:
    """The learned weights: a number for each kind (the names of ``said.Kind``) and feature."""

    kinds: tuple[str, ...]
    bias: tuple[float, ...]
    weights: Mapping[str, tuple[float, ...]]


@cache
def advice_signal() -> AdviceSignal:
    """The weights of ``advice_signal.json``."""
    raw = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    weights = {feature: tuple(numbers) for feature, numbers in raw["weights"].items()}
    return AdviceSignal(tuple(raw["kinds"]), tuple(raw["bias"]), weights)


def chances_of_advice(sentence: Sentence, before: Sentence | None, start: int, end: int) -> dict[str, float]:
    """How likely ``sentence`` says each kind of thing of the operation named from ``start`` to ``end``."""
    learned = advice_signal()
    found = [item for item in advice_features(sentence, before, start, end) if item[0] in learned.weights]
    size = math.sqrt(sum(strength**2 for _, strength in found)) or 1.0
    totals = [
        bias + sum(learned.weights[name][place] * strength / size for name, strength in found)
        for place, bias in enumerate(learned.bias)
    ]
    most = max(totals)
    parts = [math.exp(total - most) for total in totals]
    return {kind: part / sum(parts) for kind, part in zip(learned.kinds, parts, strict=True)}


def advice_features(sentence: Sentence, before: Sentence | None, start: int, end: int) -> Iterator[tuple[str, float]]:
    """Yield every feature of what is named from ``start`` to ``end``, once: its name and its strength."""
    plain = sentence.plain
    found: dict[str, float] = {}
    for side, words in (("<", _tokens(plain[:start])[-REACH:][::-1]), (">", _tokens(plain[end:])[:REACH])):
        for place, word in enumerate(words):
            found[f"{side}{word}"] = 1.0
            if place < _NEAR:
                found[f"{side}{place}{word}"] = 1.0
            if place + 1 < len(words):
                found[f"{side}{word} {words[place + 1]}"] = 1.0
    found |= {f"~{word}": 0.5 for word in _tokens(plain)}
    if before:
        found |= {f"^{word}": 0.3 for word in _tokens(before.plain)[-_BEFORE:]}
    found[f"${sentence.section}"] = 2.0
    yield from found.items()


def _tokens(plain: str) -> list[str]:
    """The words; levels and numbers each as one word that stands for all."""
    return [(match.lastgroup.upper() if match.lastgroup else match.group()) for match in _TOKEN.finditer(plain)]
