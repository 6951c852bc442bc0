"""What a patient typed, made safe to hand on. Pure, and the same in both runtimes."""

from __future__ import annotations

import re
import unicodedata

_REORDERING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean(text: str) -> str:
    """Return ``text`` without control characters, lone surrogates and characters that reorder what is shown."""
    lines = re.sub(r"\r\n?|[\f\v\x85\u2028\u2029]", "\n", text)
    return unicodedata.normalize("NFC", "".join(map(_shown, lines))).strip()


def bare(text: str) -> str:
    """Return ``text`` so that Rasa cannot take it for a command."""
    return text.lstrip("/ \t\n")


def _shown(character: str) -> str:
    if character == "\n":
        return character
    kind = unicodedata.category(character)
    if kind == "Cc":
        return " "
    return "" if kind in ("Cs", "Co") or character in _REORDERING else character
