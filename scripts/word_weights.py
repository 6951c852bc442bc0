"""What the trainings of the two learned readers of letters share: the features they count, and the file of weights.

Both are linear: every feature of a sentence has a number for each label, and the file lists them, so that what a reader
goes by can be read. Used by ``train_letter_signal`` and ``train_advice_signal``; runs in the bot's Python.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction import DictVectorizer
from sklearn.preprocessing import normalize

SEEN_TWICE = 2


class Vocabulary:
    """The features that at least two examples have: of one that was seen once nothing can be learned."""

    def __init__(self, examples: Sequence[Mapping[str, float]]) -> None:
        self._names = DictVectorizer()
        counted = self._names.fit_transform(examples)
        self._kept = np.asarray((counted > 0).sum(axis=0)).ravel() >= SEEN_TWICE

    @property
    def names(self) -> list[str]:
        return [str(name) for name in np.array(self._names.get_feature_names_out())[self._kept]]

    def counted(self, examples: Sequence[Mapping[str, float]]) -> Any:
        """``examples`` as the rows of a sparse matrix, each of length one; features unknown here are left out."""
        return normalize(self._names.transform(examples)[:, self._kept])


def write_weights(
    path: Path,
    head: Mapping[str, Any],
    rows: Iterable[tuple[str, Sequence[float]]],
    *,
    smallest: float,
) -> None:
    """Write ``head`` and, under "weights", each feature of ``rows`` on its own line.

    A feature whose numbers are all below ``smallest`` is left out.
    """
    lines = ",\n".join(
        f"{json.dumps(name)}:{json.dumps([round(float(number), 2) for number in numbers], separators=(',', ':'))}"
        for name, numbers in rows
        if max(map(abs, numbers)) >= smallest
    )
    path.write_text(f'{json.dumps(head)[:-1]}, "weights": {{\n{lines}\n}}}}\n', encoding="utf-8")
    print(f"{path}: {path.stat().st_size // 1024} kB")
