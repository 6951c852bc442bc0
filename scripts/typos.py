"""Spelling slips as fingers make them, seeded, to measure what they cost.

Four kinds, equally likely: a neighbouring key, two letters swapped, one letter dropped, one letter doubled.
"""

from __future__ import annotations

import random

from bot.spelling import NEIGHBOURS


def misspell(text: str, dice: random.Random, *, slips: int = 1) -> str:
    """``text`` with up to ``slips`` slips, each in a word of four letters or more; unchanged when it has none."""
    for _ in range(slips):
        places = [
            at
            for at in range(len(text) - 1)
            if text[at : at + 2].isalpha() and text[at].lower() in NEIGHBOURS and _word_length(text, at) >= 4
        ]
        if not places:
            return text
        at = dice.choice(places)
        kind = dice.choice(("neighbour", "swap", "drop", "double"))
        letter, following = text[at], text[at + 1]
        if kind == "neighbour":
            letter = dice.choice(NEIGHBOURS[letter.lower()])
        elif kind == "swap":
            letter, following = following, letter
        elif kind == "drop":
            letter = ""
        else:
            letter *= 2
        text = text[:at] + letter + following + text[at + 2 :]
    return text


def _word_length(text: str, at: int) -> int:
    start = end = at
    while start and text[start - 1].isalpha():
        start -= 1
    while end < len(text) and text[end].isalpha():
        end += 1
    return end - start
