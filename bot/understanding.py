"""From the classifier's ranking to what the dialogue may do with it: answer, offer two, offer some, or own up. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

FAQ = "faq/"


class Level(str, Enum):
    """How well a message was understood (design: levels of fallback)."""

    SURE = "sure"
    TWO = "two"
    UNSURE = "unsure"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """When to trust a ranking. Probabilities are calibrated: at the lowest, the first is right one time in three."""

    sure: float = 0.33
    """At least this probable: answered."""
    familiar: float = 0.2
    """A topic is only answered when the message is at least this familiar."""
    two: float = 0.5
    """Two topics that together are at least this probable are both offered."""
    near: float = 0.08
    """A topic less probable than this is not worth offering ..."""
    strange: float = 0.1
    """... and none is when the message is less familiar than this."""
    part: float = 0.5
    """A part of a message counts as a question of its own from this probability on."""


@dataclass(frozen=True)
class Understanding:
    """The level, the label to act on (None unless sure) and the topics to answer or to offer, best first."""

    level: Level
    label: str | None
    topics: tuple[str, ...]


def understand(
    ranking: Sequence[tuple[str, float]], familiarity: float, thresholds: Thresholds, refused: frozenset[str]
) -> Understanding:
    """Decide what a ranking of labels is good for.

    Args:
        ranking: labels and calibrated probabilities, best first; topics are ``faq/<topic>``.
        familiarity: how like the training phrases the message is, 0 to 1.
        thresholds: when to trust the two.
        refused: out-of-scope topics. They may be the answer, whatever the familiarity, but are never offered.
    """
    label, chance = ranking[0]
    best = label.removeprefix(FAQ) if label.startswith(FAQ) else None
    known = familiarity >= thresholds.familiar or best in refused
    if chance >= thresholds.sure and known:
        return Understanding(Level.SURE, label, (best,) if best else ())
    offers = [
        (name.removeprefix(FAQ), probability)
        for name, probability in ranking
        if name.startswith(FAQ) and probability >= thresholds.near and name.removeprefix(FAQ) not in refused
    ][:3]
    if not offers or familiarity < thresholds.strange:
        return Understanding(Level.NONE, None, ())
    if len(offers) > 1 and offers[0][1] + offers[1][1] >= thresholds.two:
        return Understanding(Level.TWO, None, (offers[0][0], offers[1][0]))
    return Understanding(Level.UNSURE, None, tuple(topic for topic, _ in offers))
