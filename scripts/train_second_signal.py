"""Train the learned second signal and write ``safety/second_signal.json``. Runs in the bot's Python (the encoder is there).

    .venv/bot/bin/python -m scripts.train_second_signal

A multinomial logistic regression over the sentence embedding, one label a category and ``none``, on the phrases of
``knowledge/en/red_flag_phrases.yml`` and the examples beside the rules. There are two thresholds: the lowest at which, over
cross-validated predictions, at most 12 in 1,000 look-alikes would be asked about, for messages whose topic is plain,
and at most 4 in 100 for the others, of which there are few.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from bot.plain_text import readable
from bot.sentence_embedding import shared_embedding
from knowledge.loader import load
from runtime.settings import KNOWLEDGE, ROOT
from safety.detect import detect
from safety.questions import question_for, questions
from safety.rules import load_rules
from safety.second_signal import WEIGHTS

FALSE_QUESTIONS = 0.04
FALSE_QUESTIONS_WHEN_PLAIN = 0.012
EVERY = 4
"""One in so many of a topic's phrasings is used: enough to know them, without drowning the rest."""


@dataclass(frozen=True)
class Phrases:
    """The training phrases: those with a red flag by category, and those without."""

    positives: dict[str, tuple[str, ...]]
    none: tuple[str, ...]


def examples() -> Iterator[tuple[str, str]]:
    """Yield every training text with its label."""
    phrases = load(KNOWLEDGE / "en" / "red_flag_phrases.yml", Phrases)
    for category, texts in phrases.positives.items():
        yield from ((text, category) for text in texts)
    # Ordinary questions: every topic's phrasings, so that the threshold is right for what most people write.
    for path in sorted((ROOT / "data" / "nlu").glob("*.yml")):
        for group in yaml.safe_load(path.read_text(encoding="utf-8")).get("nlu", []):
            lines = [line[2:].strip() for line in (group.get("examples") or "").splitlines() if line.startswith("- ")]
            yield from ((line, "none") for line in lines[::EVERY] if not detect(line))
    # What a rule excuses ("no numbness") never reaches the signal, so it is no example of what the signal must pass over.
    negatives = [*phrases.none, *(text for _, rule in load_rules() for text in rule.negative)]
    yield from ((text, "none") for text in negatives if not detect(text))
    for category, rule in load_rules():
        if category != "decision" and rule.tier != "clarify":
            yield from ((text, category) for text in rule.positive)


def main() -> None:
    """Train, choose the threshold, write the file, print what was measured."""
    texts, labels = zip(*dict(examples()).items())
    hard = frozenset(load(KNOWLEDGE / "en" / "red_flag_phrases.yml", Phrases).none)
    encoder = shared_embedding()
    vectors = np.stack([encoder.features(readable(text)) for text in texts])
    known = np.array(labels)
    model = LogisticRegression(C=3.0, max_iter=2000)
    folds = StratifiedKFold(10, shuffle=True, random_state=7)
    chances = cross_val_predict(model, vectors, known, cv=folds, method="predict_proba")
    model.fit(vectors, known)
    danger = 1.0 - chances[:, list(model.classes_).index("none")]
    # The threshold is set on the look-alikes: the easy questions would make it look better than it is.
    harmless = (known == "none") & np.array([text in hard for text in texts])
    threshold, plain = (
        float(np.quantile(danger[harmless], 1.0 - share)) for share in (FALSE_QUESTIONS, FALSE_QUESTIONS_WHEN_PLAIN)
    )
    flagged = known != "none"
    print(f"{len(texts)} phrases, {(~flagged).sum()} without a red flag, {harmless.sum()} of them look-alikes")
    for name, at in (("threshold", threshold), ("when the topic is plain", plain)):
        print(f"{name} {at:.3f}: asks {np.mean(danger[harmless] > at):.3f} of the look-alikes for nothing,")
        print(f"{np.mean(danger[~flagged] > at):.3f} of all; recognises {np.mean(danger[flagged] > at):.3f}")
    WEIGHTS.write_text(
        json.dumps(
            {
                "labels": list(model.classes_),
                "tier": {label: questions()[question_for(label)].yes for label in model.classes_ if label != "none"},
                "threshold": round(threshold, 4),
                "plain_threshold": round(plain, 4),
                "weights": np.round(model.coef_, 4).tolist(),
                "bias": np.round(model.intercept_, 4).tolist(),
            }
        )
        + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
