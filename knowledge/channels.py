"""The fixed words of messaging channels. Read inside Rasa; nothing here is said on the web page."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from knowledge.loader import load
from runtime.settings import KNOWLEDGE


@dataclass(frozen=True)
class Media:
    """What is said to something that is not text."""

    image: str
    voice: str
    file: str
    location: str
    other: str


@dataclass(frozen=True)
class ChannelWords:
    """Everything in ``knowledge/<language>/channels.yml``. ``numbers`` and ``emoji`` map a meaning to its forms."""

    choose: str
    choose_letter: str
    pick: str
    more: str
    more_words: tuple[str, ...]
    source: str
    media: Media
    flood: str
    numbers: dict[str, tuple[str, ...]]
    emoji: dict[str, tuple[str, ...]]


@cache
def channel_words(language: str = "en") -> ChannelWords:
    """Return the words in ``language``. Raises KnowledgeError with file and line when the file is wrong."""
    return load(KNOWLEDGE / language / "channels.yml", ChannelWords)
