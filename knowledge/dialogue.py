"""The words between answers (fallbacks, follow-ups, small talk), as data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from knowledge.loader import load
from runtime.settings import KNOWLEDGE


@dataclass(frozen=True)
class FallbackWords:
    two: tuple[str, ...]
    unsure: tuple[str, ...]
    none: tuple[str, ...]
    other_language: tuple[str, ...]


@dataclass(frozen=True)
class FollowUpWords:
    nothing_yet: str
    no_more: str
    for_me: str
    for_other: str
    simpler: str
    no_simpler: str
    nothing_to_repeat: str
    okay: str
    noted: str
    just_noted: tuple[str, ...]
    """Words that only say that an answer was heard: no yes to hearing more."""
    anything_else: str
    several: str
    one_of_several: str
    not_this_part: str
    """Said of a question that was not understood beside one that was; ``part`` are the patient's words."""


@dataclass(frozen=True)
class ButtonWords:
    more: str
    source: str
    menu: str
    human: str
    share: str


@dataclass(frozen=True)
class ShareWords:
    thanks: str
    enough: str
    nothing: str


@dataclass(frozen=True)
class AfraidWords:
    """``said`` is a pattern that finds fear in a message; ``say`` is said before the answer."""

    said: str
    say: str


@dataclass(frozen=True)
class Dialogue:
    introduction: str
    fallback: FallbackWords
    refused_more: str
    refused_again: str
    nothing_open: str
    follow_up: FollowUpWords
    afraid: AfraidWords
    share: ShareWords
    buttons: ButtonWords
    offers: dict[str, str]
    """Intent to the title of the button that leads there."""
    chitchat: dict[str, tuple[str, ...]]


@lru_cache(maxsize=1)
def dialogue() -> Dialogue:
    """The words of ``knowledge/en/dialogue.yml``. Raises KnowledgeError with file and line when they are malformed."""
    return load(KNOWLEDGE / "en" / "dialogue.yml", Dialogue)
