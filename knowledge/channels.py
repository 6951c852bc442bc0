"""The fixed words of messaging channels, and what one sign alone stands for, which the web page reads too."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from knowledge.loader import load
from runtime.settings import KNOWLEDGE

_COLOURS = re.compile("[\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff\u200d♀♂]")
"""What makes one sign another colour, or a person of another kind."""


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


def flat(text: str) -> str:
    """``text`` as signs and words are compared: small letters, no colours of signs."""
    return unicodedata.normalize("NFKC", _COLOURS.sub("", text)).strip().casefold()


def in_words(text: str) -> str:
    """Return ``text``, or the word that a message of nothing but one sign stands for."""
    return _signs().get(flat(text), text)


@cache
def _signs() -> dict[str, str]:
    return {flat(sign): meaning for meaning, signs in channel_words().emoji.items() for sign in signs}
