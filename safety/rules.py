"""The red-flag rules as data: what stands in ``knowledge/en/red_flags/*.yml``, loaded and checked.

A rule's ``patterns`` combine *concepts* (upper case; named groups of synonyms, word forms and slang in ``lexicon.yml``)
and literal words (lower case, ``_`` for a space inside one literal):

    ``NUMB .. SADDLE``   in this order, at most 3 words between, none of them "and", "but", "so", "because"
    ``NUMB ... SADDLE``  in this order, at most 8 words between
    ``FEEL NOT``         next to one another
    ``A & B``            both in one sentence (at most 14 words apart), any order
    ``A && B``           both anywhere in the message ("&" binds closer: ``A & B && C``)
    ``A|B``              either

Little words (my, the, really, just, ...) are dropped from message and pattern alike, so "between my legs" and "between
legs" are one phrase.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from knowledge.loader import load
from runtime.settings import KNOWLEDGE

RULES_VERSION = "2026-11-21"

Tier = Literal["emergency", "crisis", "urgent", "soon", "clarify", "decision"]
TIERS: tuple[str, ...] = ("none", "clarify", "soon", "urgent", "crisis", "emergency")
"""From least to most severe; compare by position."""

Category = Literal[
    "cauda_equina",
    "limb_weakness",
    "myelopathy",
    "infection",
    "cancer",
    "fracture",
    "blood_clot",
    "heart_stroke_artery",
    "post_op",
    "crisis",
    "overdose",
    "very_unwell",
    "decision",
]
Status = Literal[
    "negated", "historical", "hypothetical", "question", "quoted", "stable", "resolved", "family", "normal", "explained"
]
"""Why a finding may not count (see :mod:`safety.assertion`). "normal": asked whether it is normal. "explained": a rule's
``unless`` says what it is instead."""

_ITEM = re.compile(r"&&|&|\.{2,3}|[A-Za-z_'|0-9]+")


@dataclass(frozen=True)
class Step:
    """One place in a sequence: any of ``names`` (concepts or literals), at most ``gap`` words after the step before."""

    names: tuple[str, ...]
    gap: int
    over_and: bool = False


@dataclass(frozen=True)
class Pattern:
    """Sequences that must all be found. ``groups`` says how many of them in turn stand near one another."""

    parts: tuple[tuple[Step, ...], ...]
    groups: tuple[int, ...]

    @property
    def names(self) -> frozenset[str]:
        return frozenset(name for part in self.parts for step in part for name in step.names)


@dataclass(frozen=True)
class Rule:
    """One red-flag rule with the phrases that prove it."""

    id: str
    tier: Tier
    source: str
    patterns: tuple[str, ...]
    positive: tuple[str, ...]
    negative: tuple[str, ...]
    ask: str = ""
    """Key of the clarifying question, for tier ``clarify``."""
    unless: tuple[str, ...] = ()
    """Concepts that, in a sentence of the finding, say that this is something else."""
    despite: tuple[Status, ...] = ()
    """Statuses that do not excuse it: a suicidal "if" still counts."""
    one_person: bool = False
    """Its parts must be said of one person: "my wife has cancer, my back hurts" is no sign in either."""
    general: bool = False
    """It may be part of many things ("blue lips"): another sign of the same tier gives the words."""

    def __post_init__(self) -> None:
        if self.tier == "clarify" and not self.ask:
            raise ValueError(f"rule {self.id}: a rule of tier clarify names its question with 'ask'")
        if self.tier != "decision" and not (self.positive and self.negative):
            raise ValueError(f"rule {self.id}: give at least one positive and one negative phrase")
        for pattern in self.patterns:
            parse(pattern)


@dataclass(frozen=True)
class RuleFile:
    """One file of rules: all of one category."""

    category: Category
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class LexiconFile:
    """One file of words: each a list with commas, so that "no" and "off" stay words."""

    concepts: dict[str, str] = field(default_factory=dict)
    drop: str = ""
    same: dict[str, str] = field(default_factory=dict)
    emoji: dict[str, str] = field(default_factory=dict)
    of_others: bool = False
    """Its concepts are signs: what one says of oneself is also looked for as it is said of another ("hurts himself")."""


@dataclass(frozen=True)
class Lexicon:
    """All files as one: concepts, words dropped, spellings made alike, and the concepts that are told of others too."""

    concepts: dict[str, str]
    drop: str
    same: dict[str, str]
    emoji: dict[str, str]
    of_others: frozenset[str]


def phrases(text: str) -> tuple[str, ...]:
    """Return the phrases of a list with commas."""
    return tuple(" ".join(phrase.split()) for phrase in text.split(",") if phrase.strip())


@cache
def parse(pattern: str) -> Pattern:
    """Return ``pattern`` as data. Raises ValueError when it cannot be read."""
    items = _ITEM.findall(pattern)
    if "".join(items) != pattern.replace(" ", "") or not items:
        raise ValueError(f"cannot read the pattern {pattern!r}")
    parts: list[list[Step]] = [[]]
    groups = [1]
    gap, over = 0, False
    for item in items:
        if item == "&&":
            parts.append([])
            groups.append(1)
        elif item == "&":
            parts.append([])
            groups[-1] += 1
        elif item == "..":
            gap = 3
        elif item == "...":
            gap, over = 8, True
        else:
            parts[-1].append(Step(tuple(item.split("|")), gap, over))
            gap, over = 0, False
    if not all(parts):
        raise ValueError(f"a part of the pattern {pattern!r} is empty")
    return Pattern(tuple(tuple(part) for part in parts), tuple(groups))


def load_rules(folder: Path | None = None) -> tuple[tuple[Category, Rule], ...]:
    """Return every rule with its category. Raises KnowledgeError (file and line), or ValueError for a repeated id."""
    found: list[tuple[Category, Rule]] = []
    for path in sorted((folder or KNOWLEDGE / "en" / "red_flags").glob("rules_*.yml")):
        file = load(path, RuleFile)
        found += [(file.category, rule) for rule in file.rules]
    ids = [rule.id for _, rule in found]
    if len(ids) != len(set(ids)):
        raise ValueError(f"rule ids repeat: {sorted({i for i in ids if ids.count(i) > 1})}")
    return tuple(found)


def load_lexicon(folder: Path | None = None) -> Lexicon:
    """Return all words: the shared ``lexicon*.yml`` files as one. Raises KnowledgeError, or ValueError for a repeat."""
    files = [
        load(path, LexiconFile) for path in sorted((folder or KNOWLEDGE / "en" / "red_flags").glob("lexicon*.yml"))
    ]
    concepts: dict[str, str] = {}
    for file in files:
        for name, listed in file.concepts.items():
            if name in concepts:
                raise ValueError(f"the concept {name} stands in two lexicon files")
            concepts[name] = listed
    return Lexicon(
        drop=",".join(file.drop for file in files),
        same={key: value for file in files for key, value in file.same.items()},
        emoji={key: value for file in files for key, value in file.emoji.items()},
        concepts=concepts,
        of_others=frozenset(
            name for file in files if file.of_others for name in file.concepts if not name.endswith("_NOT")
        ),
    )
