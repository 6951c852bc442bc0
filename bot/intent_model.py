"""Which of the trained labels a message means, how surely, and how like anything trained it is. Nothing of Rasa here.

Features: the sentence embedding, an inner layer of the same encoder, and reduced character n-grams; over them one
multinomial logistic regression, whose scores of the likeliest labels are raised by the cosine to each label's nearest
training phrase: the regression draws one plane a label, and a rare way to ask lies beside it. The probabilities are
calibrated on cross-validated predictions. Familiarity is a second opinion on the first: a small logistic regression over the highest probability and the cosines to the nearest
training phrases of the likeliest labels, fitted to tell cross-validated training phrases from those of labels that were
left out on purpose.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from bot import softmax
from bot.characters import Characters
from bot.sentence_embedding import SIZE, SentenceEmbedding
from bot.spelling import Speller

_NEAREST = 5
_LIKELIEST = 8
"""So many labels have their phrases compared with a message: those of all are megabytes to read for every message."""
_ALWAYS_FAMILIAR = np.array([0.0, 0.0, 0.0, 20.0])
"""The detector when there is nothing to fit it to."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What training can be told. The numbers were chosen by cross-validation on the training phrases."""

    scale: float = 9.0
    character_weight: float = 0.8
    components: int = 400
    penalty: float = 1.0
    nearness_weight: float = 6.0
    iterations: int = 50
    folds: int = 3
    left_out: tuple[str, ...] = ()
    """Labels that stand in for the unknown when familiarity is fitted."""


@dataclass(frozen=True)
class Prediction:
    """Labels with their calibrated probabilities, best first, and the familiarity (0 nothing like it, 1 well known)."""

    ranking: tuple[tuple[str, float], ...]
    familiarity: float


@dataclass(frozen=True, kw_only=True)
class _Fitted:
    """The numbers that training found; they are saved as they stand."""

    inner_mean: np.ndarray
    matrix: np.ndarray
    intercept: np.ndarray
    temperature: np.ndarray
    phrases: np.ndarray
    """The embedding of each training phrase, label by label."""
    amounts: np.ndarray
    """How many phrases each label has."""
    familiarity: np.ndarray


class IntentModel:
    """A trained model: :meth:`train` or :meth:`load` one."""

    def __init__(
        self,
        *,
        embedding: SentenceEmbedding,
        recipe: Recipe,
        labels: Sequence[str],
        speller: Speller,
        characters: Characters,
        fitted: _Fitted,
    ) -> None:
        self.labels = tuple(labels)
        self._embedding = embedding
        self._recipe = recipe
        self._speller = speller
        self._characters = characters
        self._fitted = fitted
        self._phrases = np.split(fitted.phrases, np.cumsum(fitted.amounts)[:-1])

    @classmethod
    def train(
        cls,
        embedding: SentenceEmbedding,
        texts: Sequence[str],
        labels: Sequence[str],
        recipe: Recipe,
        encode: Callable[[str], np.ndarray] | None = None,
    ) -> IntentModel:
        """Learn from ``texts`` (as ``readable`` gives them) and the label of each.

        ``encode`` may stand in for ``embedding.features`` where some vectors are known already. Raises ValueError when
        a label has fewer phrases than there are folds.
        """
        names = sorted(set(labels))
        targets = np.array([names.index(label) for label in labels])
        scarce = [name for number, name in enumerate(names) if (targets == number).sum() < recipe.folds]
        if scarce:
            raise ValueError(f"fewer than {recipe.folds} training phrases: {', '.join(scarce)}")
        speller = Speller.learn(texts, embedding.whole_words)
        mended = [speller.mend(text) for text in texts]
        characters = Characters.learn(mended, components=recipe.components)
        encoded = np.array([(encode or embedding.features)(text) for text in mended])
        inner_mean = encoded[:, SIZE:].mean(axis=0)
        features = np.array(
            [
                _assemble(row, inner_mean, characters.vector(text), recipe)
                for row, text in zip(encoded, mended, strict=True)
            ]
        )
        regression = _Regression(features, targets, len(names), recipe)
        scores, near = np.zeros((len(features), len(names)), dtype=np.float32), np.zeros((len(features), 2))
        phrases = encoded[:, :SIZE]
        for kept, held in StratifiedKFold(recipe.folds, shuffle=True, random_state=0).split(features, targets):
            by_label = _by_label(phrases[kept], targets[kept], len(names))
            scores[held], near[held] = _compared(phrases[held], regression.scores(kept, held), by_label, recipe)
        temperature = softmax.best_temperature(scores, targets)

        familiarity = _ALWAYS_FAMILIAR
        unknown = np.array([label in recipe.left_out for label in labels])
        if unknown.any():
            strange, known = np.flatnonzero(unknown), np.flatnonzero(~unknown)
            by_label = _by_label(phrases[known], targets[known], len(names))
            scores[strange], near[strange] = _compared(
                phrases[strange], regression.scores(known, strange), by_label, recipe
            )
            signals = _signals(softmax.probabilities(scores, temperature=temperature), near)
            detector = LogisticRegression(class_weight="balanced").fit(signals, ~unknown)
            familiarity = np.append(detector.coef_[0], detector.intercept_)
        matrix, intercept = regression.fit(np.arange(len(features)))
        fitted = _Fitted(
            inner_mean=inner_mean,
            matrix=matrix,
            intercept=intercept,
            temperature=np.array(temperature),
            phrases=np.concatenate(_by_label(phrases, targets, len(names))),
            amounts=np.bincount(targets),
            familiarity=familiarity,
        )
        return cls(
            embedding=embedding, recipe=recipe, labels=names, speller=speller, characters=characters, fitted=fitted
        )

    def predict(self, text: str, encoded: np.ndarray | None = None) -> Prediction:
        """Rank all labels for ``text`` (as ``readable`` gives it).

        ``encoded`` are the embedding's features of that same text, where they are known; else they are made here.
        """
        mended = self._speller.mend(text)
        if encoded is None or mended != text:
            encoded = self._embedding.features(mended)
        fitted = self._fitted
        features = _assemble(encoded, fitted.inner_mean, self._characters.vector(mended), self._recipe)
        scores = (features @ fitted.matrix + fitted.intercept).reshape(1, -1)
        scores, near = _compared(encoded[np.newaxis, :SIZE], scores, self._phrases, self._recipe)
        chances = softmax.probabilities(scores, temperature=float(fitted.temperature))
        evidence = float(_signals(chances, near)[0] @ fitted.familiarity[:-1] + fitted.familiarity[-1])
        order = np.argsort(-chances[0])
        return Prediction(
            ranking=tuple((self.labels[number], float(chances[0, number])) for number in order),
            familiarity=float(1 / (1 + np.exp(-evidence))),
        )

    def save(self, folder: Path) -> None:
        """Write ``model.json`` and ``model.npz`` (no pickles) into ``folder``."""
        words = {
            "recipe": asdict(self._recipe),
            "labels": self.labels,
            "counts": self._speller.counts,
            "pieces": self._characters.numbers,
            "embedding": self._embedding.checksum,
        }
        (folder / "model.json").write_text(json.dumps(words), encoding="utf-8")
        arrays = {**vars(self._fitted), "idf": self._characters.idf, "projection": self._characters.projection}
        np.savez_compressed(folder / "model.npz", **arrays)

    @classmethod
    def load(cls, embedding: SentenceEmbedding, folder: Path) -> IntentModel:
        """Read what :meth:`save` wrote. Raises ValueError when it was trained over another embedding."""
        words = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        if words["embedding"] != embedding.checksum:
            raise ValueError("this model was trained over another embedding: train again")
        with np.load(folder / "model.npz") as stored:
            arrays = dict(stored)
        recipe = Recipe(**{**words["recipe"], "left_out": tuple(words["recipe"]["left_out"])})
        return cls(
            embedding=embedding,
            recipe=recipe,
            labels=words["labels"],
            speller=Speller(words["counts"], embedding.whole_words),
            characters=Characters(words["pieces"], arrays.pop("idf"), arrays.pop("projection")),
            fitted=_Fitted(**arrays),
        )


@dataclass(frozen=True)
class _Regression:
    """The regression over some of the rows, as cross-validation needs it."""

    features: np.ndarray
    targets: np.ndarray
    classes: int
    recipe: Recipe

    def fit(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return softmax.fit(
            self.features[rows],
            self.targets[rows],
            self.classes,
            penalty=self.recipe.penalty,
            iterations=self.recipe.iterations,
        )

    def scores(self, rows: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """What a fit to ``rows`` says of the rows ``asked``."""
        matrix, intercept = self.fit(rows)
        return self.features[asked] @ matrix + intercept


def _assemble(encoded: np.ndarray, inner_mean: np.ndarray, characters: np.ndarray, recipe: Recipe) -> np.ndarray:
    """One row of features. Scaled, since on unit vectors the regression's penalty would leave every label unsure."""
    inner = encoded[SIZE:] - inner_mean
    inner = inner / max(float(np.linalg.norm(inner)), 1e-9)
    parts = np.concatenate([encoded[:SIZE], inner, characters * recipe.character_weight])
    return (parts * recipe.scale).astype(np.float32)


def _by_label(phrases: np.ndarray, targets: np.ndarray, labels: int) -> list[np.ndarray]:
    """The rows of ``phrases`` that belong to each label."""
    return [phrases[targets == label] for label in range(labels)]


def _compared(
    vectors: np.ndarray, scores: np.ndarray, by_label: list[np.ndarray], recipe: Recipe
) -> tuple[np.ndarray, np.ndarray]:
    """The scores with the nearest phrases of the labels that score best counted in, and per row how near they are.

    Nearness is the highest cosine to a training phrase of those labels, and the mean of the five highest. A label that
    was not compared counts as near as the farthest that was.
    """
    raised, near = np.empty_like(scores), np.zeros((len(vectors), 2))
    for row, vector in enumerate(vectors):
        likeliest = [label for label in np.argsort(-scores[row]) if len(by_label[label])][:_LIKELIEST]
        cosines = [by_label[label] @ vector for label in likeliest]
        nearest = np.array([found.max() for found in cosines], dtype=np.float32)
        farthest = float(np.min(nearest))
        raised[row] = scores[row] + recipe.nearness_weight * farthest
        raised[row, likeliest] += recipe.nearness_weight * (nearest - farthest)
        highest = np.sort(np.concatenate(cosines))[-_NEAREST:]
        near[row] = highest[-1], highest.mean()
    return raised, near


def _signals(chances: np.ndarray, near: np.ndarray) -> np.ndarray:
    highest = chances.max(axis=1).clip(1e-6, 1 - 1e-6)
    return np.column_stack([np.log(highest / (1 - highest)), near])
