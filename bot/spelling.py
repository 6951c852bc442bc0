"""Mends misspelt words towards the words of the training phrases, for the features alone.

A word is left as it is when it is known: a whole word of the encoder's own 30,000-piece vocabulary, a training word
seen often enough, or an inflection of one. So real words, and with them health terms, are never turned into others; and
the red-flag rules, the forms and the transcript always have the message as it was typed.

Method: candidates by symmetric deletion (Garbe's SymSpell), ranked by an edit distance in which the slips that fingers
make cost less (Kernighan, Church and Gale 1990, the noisy channel, with the keyboard's layout for the channel), then by
how often training uses the word.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Set

_WORD = re.compile(r"[a-z]+")
_LONGEST = 24
_SURE_COUNT = 3
"""A training word seen this often is no slip of the writer's."""
_COMMON_COUNT = 20
"""Only words as frequent as this are mended towards from three letters, or from two slips in six letters."""
_LIKELY_SLIP = 0.75
_SLIP_WEIGHT = 6
"""How many times likelier, as a logarithm, a word must be to outweigh one slip more."""
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def _neighbours() -> dict[str, str]:
    found: dict[str, str] = {}
    for number, row in enumerate(_ROWS):
        for column, key in enumerate(row):
            beside = [row[at] for at in (column - 1, column + 1) if 0 <= at < len(row)]
            for other in (number - 1, number + 1):
                if 0 <= other < len(_ROWS):
                    # Each row of a keyboard is shifted to the right of the one above it.
                    columns = (column, column + 1) if other < number else (column - 1, column)
                    beside += [_ROWS[other][at] for at in columns if 0 <= at < len(_ROWS[other])]
            found[key] = "".join(beside)
    return found


NEIGHBOURS = _neighbours()
"""Letter -> the letters around it on an English keyboard."""


class Speller:
    """Built from how often each training word occurs and the encoder's whole words; see the module's text."""

    def __init__(self, counts: Mapping[str, int], dictionary: Set[str]) -> None:
        self.counts = dict(counts)
        self._known = set(dictionary) | {word for word, count in counts.items() if count >= _SURE_COUNT}
        self._targets: dict[str, list[str]] = {}
        for word, count in counts.items():
            if len(word) >= 3 and count >= 2 and word in self._known:
                for shorter in _deletions(word):
                    self._targets.setdefault(shorter, []).append(word)

    @classmethod
    def learn(cls, texts: Iterable[str], dictionary: Set[str]) -> Speller:
        """Count the words of ``texts`` (as ``readable`` gives them)."""
        return cls(Counter(word for text in texts for word in _WORD.findall(text)), dictionary)

    def mend(self, text: str) -> str:
        """``text`` with each unknown word replaced by the nearest target, where there is one near enough."""
        return _WORD.sub(lambda found: self._mend_word(found[0]), text)

    def _mend_word(self, word: str) -> str:
        if not 3 <= len(word) <= _LONGEST or self._is_known(word):
            return word
        candidates = {target for shorter in _deletions(word) for target in self._targets.get(shorter, ())}
        ranked = []
        for target in candidates:
            cost = distance(word, target)
            if cost <= self._allowed(word, target):
                likelihood = math.log(self.counts[target]) + (word[0] == target[0])
                ranked.append((_SLIP_WEIGHT * cost - likelihood, target))
        return min(ranked)[1] if ranked else word

    def _allowed(self, word: str, target: str) -> int:
        common = self.counts[target] >= _COMMON_COUNT
        if len(word) < 4:
            return int(common)
        return 2 if len(word) >= (6 if common else 8) else 1

    def _is_known(self, word: str) -> bool:
        if word in self._known:
            return True
        for ending in ("s", "es", "d", "ed", "er", "ly", "ing", "nt"):
            stem = word[: -len(ending)]
            if word.endswith(ending) and (self._is_stem(stem) or self._is_stem(stem + "e")):
                return True
        return False

    def _is_stem(self, stem: str) -> bool:
        """Short pieces of the encoder's vocabulary are names and fragments: only training vouches for those."""
        return stem in self._known and (len(stem) > 4 or stem in self.counts)


def distance(left: str, right: str) -> float:
    """Slips between what was typed and a word: insertions, deletions, substitutions and swaps of neighbours.

    Each costs 1, but for the usual ones: a swap, a letter typed twice and a neighbouring key cost less.
    """
    before: list[float] = []
    above = [float(column) for column in range(len(right) + 1)]
    for row, letter in enumerate(left, start=1):
        current = [float(row)]
        for column, other in enumerate(right, start=1):
            substituted = 0.0 if letter == other else _LIKELY_SLIP if other in NEIGHBOURS.get(letter, "") else 1.0
            doubled = _LIKELY_SLIP if row > 1 and letter == left[row - 2] else 1.0
            best = min(above[column] + doubled, current[-1] + 1, above[column - 1] + substituted)
            if row > 1 and column > 1 and letter == right[column - 2] and left[row - 2] == other:
                best = min(best, before[column - 2] + _LIKELY_SLIP)
            current.append(best)
        before, above = above, current
    return above[-1]


def _deletions(word: str) -> set[str]:
    found = {word} | {word[:at] + word[at + 1 :] for at in range(len(word))}
    if len(word) >= 6:
        found |= {shorter[:at] + shorter[at + 1 :] for shorter in tuple(found) for at in range(len(shorter))}
    return found
