"""A learned second opinion on whether a message is a red flag: one linear classifier over the sentence embedding
(its last layer and an inner one).

It asks more readily about a message whose topic is not plain: a message that is surely a question about fees needs a
clearer sign than one that nobody else understands. It may only raise: alone it asks a clarifying question, agreeing with a rule that would only ask, it raises to its tier
(:func:`safety.detect.assess`). Weights and thresholds are made by ``scripts/train_second_signal.py`` from the phrases
in ``knowledge/en/red_flag_phrases.yml`` and stored as plain numbers in ``safety/second_signal.json``.
"""

from __future__ import annotations

import json
import logging
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from safety.detect import Learned

WEIGHTS = Path(__file__).parent / "second_signal.json"

log = logging.getLogger(__name__)


class SecondSignal:
    """Calling it with a message's vector gives what it thinks, or None when it is not sure enough to ask."""

    def __init__(self, path: Path = WEIGHTS) -> None:
        """Read the weights. Raises OSError or ValueError when the file is missing or is not what the script made."""
        data = json.loads(path.read_text(encoding="utf-8"))
        self.labels: list[str] = data["labels"]
        self.tier: dict[str, str] = data["tier"]
        self.threshold: float = data["threshold"]
        self.plain_threshold: float = data["plain_threshold"]
        self._weights = np.array(data["weights"], dtype=np.float32)
        self._bias = np.array(data["bias"], dtype=np.float32)

    def __call__(self, vector: Any, *, plain: bool = False) -> Learned | None:
        """``plain``: the message is surely about a topic of its own."""
        if vector is None:
            return None
        scores = np.asarray(vector, dtype=np.float32)[: self._weights.shape[1]] @ self._weights.T + self._bias
        chances = np.exp(scores - scores.max())
        chances /= chances.sum()
        if 1.0 - float(chances[self.labels.index("none")]) < (self.plain_threshold if plain else self.threshold):
            return None
        label = max(
            (label for label in self.labels if label != "none"), key=lambda name: chances[self.labels.index(name)]
        )
        return Learned(label, self.tier[label])


@lru_cache(maxsize=1)
def second_signal() -> SecondSignal:
    """Return the trained signal, loaded on first use."""
    return SecondSignal()
