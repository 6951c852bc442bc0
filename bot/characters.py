"""Character n-grams as a short dense vector: what the letters say, where the sentence embedding says what is meant.

TF-IDF over the two to four letter pieces of each word, then a truncated singular value decomposition (latent semantic
analysis, Deerwester et al. 1990), which keeps the classifier small and its training short.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

_LENGTHS = (2, 3, 4)


class Characters:
    """``vector(text)`` for one text. Make it with :meth:`learn`, or from what another one holds."""

    def __init__(self, numbers: Mapping[str, int], idf: np.ndarray, projection: np.ndarray) -> None:
        """Takes each piece's row number, its inverse document frequency and its row of the projection."""
        self.numbers = dict(numbers)
        self.idf = idf.astype(np.float32)
        self.projection = projection.astype(np.float32)

    @classmethod
    def learn(cls, texts: Sequence[str], *, components: int) -> Characters:
        """Fit to ``texts``; pieces that occur in one text only are left out."""
        vectoriser = TfidfVectorizer(analyzer=pieces, min_df=2, sublinear_tf=True)
        table = vectoriser.fit_transform(texts)
        components = min(components, min(table.shape) - 1)
        decomposition = TruncatedSVD(components, random_state=0, n_iter=3).fit(table)
        numbers = {piece: int(number) for piece, number in vectoriser.vocabulary_.items()}
        return cls(numbers, vectoriser.idf_, decomposition.components_.T)

    def vector(self, text: str) -> np.ndarray:
        """The reduced vector of ``text``; zeros when none of its pieces is known."""
        counted = Counter(piece for piece in pieces(text) if piece in self.numbers)
        if not counted:
            return np.zeros(self.projection.shape[1], dtype=np.float32)
        rows = [self.numbers[piece] for piece in counted]
        weights = np.array([1 + math.log(count) for count in counted.values()], dtype=np.float32) * self.idf[rows]
        return (weights / np.linalg.norm(weights)) @ self.projection[rows]


def pieces(text: str) -> list[str]:
    """The pieces of each word of ``text``, its start and end marked by a space."""
    found = []
    for word in text.split():
        padded = f" {word} "
        found += [padded[at : at + length] for length in _LENGTHS for at in range(len(padded) - length + 1)]
    return found
