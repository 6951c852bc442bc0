"""A learned second opinion on whether a message is a red flag: one linear classifier over the sentence embedding
(its last layer and an inner one) and the rules' concepts that the message names.

It may only raise: alone it asks a clarifying question; agreeing with a rule that would only ask, or when it is sure of a
message of one sentence (the meaning and the named concepts each speak for it, beyond a threshold), it raises to its tier
(:func:`safety.detect.assess`). It asks more readily about a message whose topic is not plain: a message that is surely a
question about fees needs a clearer sign than one that nobody else understands. Weights and thresholds are made by
``scripts/train_second_signal.py`` from the phrases in ``knowledge/en/red_flag_phrases.yml`` and ``red_flag_voices.yml``
and stored as plain numbers in ``safety/second_signal.json``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from safety.detect import Finding, Learned, detector

WEIGHTS = Path(__file__).parent / "second_signal.json"
CONCEPT = 0.5
"""What a named concept counts beside the embedding, whose two halves each have length 1."""
STORY = 3
"""A message of so many sentences is a story: one of many sentences misleads more easily, so that it has to be surer."""


def cues(text: str, findings: Iterable[Finding]) -> frozenset[str]:
    """Return what of ``text`` the classifier knows by name: its concepts, and categories of which a finding was excused."""
    excused = {f"excused {f.category}" for f in findings if f.assertion != "present" and f.tier != "decision"}
    return detector().concepts_in(text) | excused


def features(vector: Any, named: Iterable[str], known: dict[str, int]) -> Any:
    """Return what the classifier sees: the embedding, then ``CONCEPT`` at the place of each of :func:`cues` that it knows."""
    places = np.zeros(len(known), dtype=np.float32)
    places[[known[name] for name in named if name in known]] = CONCEPT
    return np.concatenate([np.asarray(vector, dtype=np.float32), places])


class SecondSignal:
    """Calling it with a message's vector and cues gives what it thinks, or None when it is not sure enough to ask."""

    def __init__(self, path: Path = WEIGHTS) -> None:
        """Read the weights. Raises OSError or ValueError when the file is missing or is not what the script made."""
        data = json.loads(path.read_text(encoding="utf-8"))
        self.labels: list[str] = data["labels"]
        self.tier: dict[str, str] = data["tier"]
        self.threshold: float = data["threshold"]
        self.thresholds: dict[str, float] = data["thresholds"]
        self.plain_threshold: float = data["plain_threshold"]
        self.sure_threshold: float = data["sure_threshold"]
        self.story_threshold: float = data["story_threshold"]
        self.story_sure_threshold: float = data["story_sure_threshold"]
        self._concepts = {name: place for place, name in enumerate(data["concepts"])}
        self._weights = np.array(data["weights"], dtype=np.float32)
        self._bias = np.array(data["bias"], dtype=np.float32)

    def strongest(self, thoughts: Iterable[tuple[Any, Iterable[str]]], *, plain: bool = False) -> Learned | None:
        """What it thinks of the gravest of a message's ``thoughts``: vectors with their cues, the whole message first.

        A sign may stand in one sentence of many: what stands around it must not hide it.
        """
        thoughts = list(thoughts)
        story = len(thoughts) > STORY
        brief = len(thoughts) == 1
        found = [
            learned
            for vector, named in thoughts
            if (learned := self(vector, named, plain=plain, story=story, brief=brief))
        ]
        return max(found, key=lambda learned: learned.danger, default=None)

    def __call__(
        self, vector: Any, named: Iterable[str] = (), *, plain: bool = False, story: bool = False, brief: bool = True
    ) -> Learned | None:
        """``named``: the message's :func:`cues`. ``plain``: it is surely about a topic of its own. ``story``: see STORY.

        The lower threshold that a category may have of its own is for a message of one sentence (``brief``)."""
        if vector is None:
            return None
        seen = features(vector, named, self._concepts)
        scores = seen @ self._weights.T + self._bias
        chances = np.exp(scores - scores.max())
        chances /= chances.sum()
        none = self.labels.index("none")
        danger = 1.0 - float(chances[none])
        chances[none] = 0.0
        best = int(chances.argmax())
        label = self.labels[best]
        own = self.thresholds.get(label, self.threshold) if brief else self.threshold
        least = self.plain_threshold if plain else own
        if danger < (max(self.story_threshold, least) if story else least):
            return None
        speaks_for = seen * (self._weights[best] - self._weights[none])
        size = len(seen) - len(self._concepts)
        agreed = speaks_for[:size].sum() > 0 and speaks_for[size:].sum() > 0
        return Learned(
            label,
            self.tier[label],
            sure=agreed and danger >= (self.story_sure_threshold if story else self.sure_threshold),
            danger=danger,
            brief=brief,
        )


@lru_cache(maxsize=1)
def second_signal() -> SecondSignal:
    """Return the trained signal, loaded on first use."""
    return SecondSignal()
