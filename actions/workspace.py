"""What one patient has said about their opinions, and agreed to keep: what was read in letters, both opinions, the
edited list of questions. A letter itself is never in it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from actions.report.reader import Reading, quote
from actions.store import store


@dataclass(frozen=True)
class LetterNote:
    """What was read in one letter: ids, level names and two short quotes without names."""

    stance: str
    operations: tuple[str, ...]
    levels: tuple[str, ...]
    found: tuple[str, ...]
    missing: tuple[str, ...]
    mismatches: tuple[str, ...]
    advice: str = ""
    diagnosis: str = ""


KEPT_WORDS = 14
"""How long a quote on the plan may be: a clause that a patient reads at a glance, not the letter's whole sentence."""


def note(reading: Reading) -> LetterNote:
    """Return what may be kept of ``reading``."""
    advice = reading.recommendation
    diagnosis = next((item for item in reading.found if item.id == "diagnosis"), None)
    return LetterNote(
        advice.stance if advice.sure else "none",
        tuple(operation.id for operation in advice.operations if advice.sure),
        tuple(level.name for level in advice.levels),
        tuple(element.id for element in reading.found),
        tuple(element.id for element in reading.missing),
        tuple(mismatch.kind for mismatch in reading.mismatches),
        quote(reading.letter, advice.sentences[0], advice.at, KEPT_WORDS) if advice.sentences else "",
        quote(reading.letter, diagnosis.sentence, diagnosis.at, KEPT_WORDS) if diagnosis and diagnosis.sentence else "",
    )


@dataclass
class Workspace:
    """One patient's notes. ``compare`` is the state of the comparison (:mod:`actions.compare.conversation`)."""

    sender: str
    letters: list[LetterNote] = field(default_factory=list)
    compare: dict[str, Any] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    undo: list[list[list[str]]] = field(default_factory=list)
    """What was dropped, added and how it was ordered before each of the last changes to the questions."""

    @classmethod
    def load(cls, sender: str) -> Workspace:
        """Read the notes of ``sender``; empty ones when nothing was kept. Raises StoreUnavailable."""
        kept = store().workspace(sender)
        letters = [
            LetterNote(**{key: _tuple(value) for key, value in item.items()}) for item in kept.pop("letters", [])
        ]
        return cls(sender, letters, **kept)

    def save(self) -> None:
        """Keep the notes, sealed. Raises StoreUnavailable."""
        state = dataclasses.asdict(self)
        del state["sender"]
        store().save_workspace(self.sender, state)


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else value
