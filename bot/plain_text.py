"""What the features see of a message: its words, without markup, capitals or odd characters.

The message itself is never changed: the red-flag rules, the forms and the nurse get exactly what was typed.
"""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from knowledge.loader import load
from runtime.settings import KNOWLEDGE

_HIDDEN = re.compile(r"<(script|style|head)\b.*?(</\1\s*>|$)|<!--.*?(-->|$)", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*(>|$)")
_ADDRESS = re.compile(r"\b(?:https?://|www\.)\S+", re.IGNORECASE)
_QUOTES = str.maketrans("‘’‚´`“”„–—…", "'''''\"\"\"--.")
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, kw_only=True)
class Words:
    """``knowledge/languages.yml``: common English words, and common words of other languages that are not English."""

    english: tuple[str, ...]
    foreign: dict[str, tuple[str, ...]]


def readable(text: str) -> str:
    """``text`` in lower case with markup, web addresses, control characters and doubled spaces taken out.

    Keeps ``text``'s words in order; may be empty (only emoji, only markup).
    """
    if "<" in text:
        text = _TAG.sub(" ", _HIDDEN.sub(" ", text))
    if "&" in text:
        text = html.unescape(text)
    text = unicodedata.normalize("NFKC", _ADDRESS.sub(" ", text)).translate(_QUOTES)
    # Letters, digits, marks, punctuation and spaces stay; symbols (emoji), controls and lone surrogates go.
    kept = (char if unicodedata.category(char)[0] in "LNMP" or char in "$+<>=" else " " for char in text)
    return " ".join("".join(kept).lower().split())


def has_words(text: str) -> bool:
    """Whether ``text`` has at least one word of two letters, or the single letters people do send (y, n, k, u)."""
    return any(len(word) > 1 or word in "ynku" for word in _WORD.findall(text))


def is_foreign(text: str) -> bool:
    """Whether ``text`` (as :func:`readable` gives it) is most likely not in English.

    Another script decides at once; otherwise common words are counted, and English wins a tie.
    """
    letters = [char for char in text if char.isalpha()]
    # Latin letters with all their accents end before U+0250; Vietnamese adds a block of its own.
    latin = sum(char < "\u0250" or "\u1e00" <= char <= "\u1eff" for char in letters)
    if letters and latin < len(letters) / 2:
        return True
    english, foreign = _common_words()
    words = _WORD.findall(text)
    strangers = sum(word in foreign for word in words)
    natives = sum(word in english for word in words)
    return strangers > natives and (strangers > 1 or len(words) <= 3)


@lru_cache(maxsize=1)
def _common_words() -> tuple[frozenset[str], frozenset[str]]:
    words = load(KNOWLEDGE / "languages.yml", Words)
    english = frozenset(words.english)
    return english, frozenset(word for listed in words.foreign.values() for word in listed) - english
