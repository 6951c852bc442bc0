"""Reference numbers a patient can read out loud: unguessable, and without letters that are taken for one another.

Crockford's base 32 (https://www.crockford.com/base32.html): no I, L, O or U; 8 characters carry 40 random bits.
"""

from __future__ import annotations

import re
import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1"})
_PREFIXES = "PS|ESC|RC"
_WRITTEN = re.compile(
    rf"(?<![A-Za-z0-9])({_PREFIXES})[\s\-–—_.:#]*([A-Za-z0-9]{{4}})[\s\-–—_.]*([A-Za-z0-9]{{4}})(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_AS_GIVEN = re.compile(rf"\b(?:{_PREFIXES})-[A-Za-z0-9]{{4}}-[A-Za-z0-9]{{4}}\b", re.IGNORECASE)
_BEGUN = re.compile(r"\W*ps[\s\-–—_.:#]*(?=\w*\d)\w+", re.IGNORECASE)
_BEGUN_ALONE = re.compile(rf"{_BEGUN.pattern}(?:[\s\-–—_.]+\w*\d\w*)?\W*", re.IGNORECASE)


def new_reference(prefix: str) -> str:
    """Return a new reference such as ``PS-7K3M-Q0XD``. Prefixes: PS intake, ESC escalation, RC resume code."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"{prefix}-{letters[:4]}-{letters[4:]}"


def find_reference(text: str, prefix: str) -> str | None:
    """Return the reference with ``prefix`` in ``text`` as it is stored, or None. "ps 7k3m qoxd" is PS-7K3M-Q0XD."""
    for found, first, second in _WRITTEN.findall(text):
        code = (first + second).upper().translate(_MISREAD)
        if found.upper() == prefix and all(letter in ALPHABET for letter in code):
            return f"{prefix}-{code[:4]}-{code[4:]}"
    return None


def without_references(text: str) -> str:
    """``text`` with spaces in place of references written as they are given: no word is to be read into their letters."""
    return _AS_GIVEN.sub(lambda found: " " * len(found.group()), text)


def begins_like_reference(text: str, *, alone: bool = False) -> bool:
    """Whether ``text`` begins like an intake's reference, be it too short or too long for one; ``alone``: and is no more."""
    return bool(_BEGUN_ALONE.fullmatch(text) if alone else _BEGUN.match(text))
