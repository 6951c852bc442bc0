"""The words after an escalation, from ``knowledge/en/escalation_replies.yml``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from knowledge.loader import load
from runtime.settings import KNOWLEDGE


@dataclass(frozen=True)
class Choice:
    """A button: the words shown and the choice it stands for."""

    title: str
    choice: str


@dataclass(frozen=True)
class ReplyWords:
    """What is said to one choice."""

    text: str
    buttons: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class EscalationWords:
    """The whole file."""

    replies: dict[str, ReplyWords]
    back: str
    waits: str
    unseen: str


@lru_cache(maxsize=1)
def escalation_words() -> EscalationWords:
    """Return the file. Raises KnowledgeError when it is faulty."""
    return load(KNOWLEDGE / "en" / "escalation_replies.yml", EscalationWords)
