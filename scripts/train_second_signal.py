"""Train the learned second signal and write ``safety/second_signal.json``. Runs in the bot's Python (the encoder is there).

    .venv/bot/bin/python -m scripts.train_second_signal

A multinomial logistic regression over the sentence embedding and the concepts named, one label a category and ``none``,
on the phrases of ``knowledge/en/red_flag_phrases.yml``, ``red_flag_voices.yml`` and the examples beside the rules. There are
three thresholds, each the lowest that keeps its promise over cross-validated predictions: at most 7 in 1,000 look-alikes
would be asked about when their topic is plain, at most 10 in 1,000 of the others, of which there are few, and at most 3 in 1,000
would be called sure. A category may have a lower threshold of its own (``FALSELY_ABOUT``). A story is as dangerous as the
gravest of its sentences, and each of them may mislead: every sentence of a harmless one is learned as harmless, and stories
have thresholds of their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from bot.plain_text import readable
from bot.question_splitter import thoughts
from bot.sentence_embedding import shared_embedding
from knowledge.loader import load
from runtime.settings import KNOWLEDGE, ROOT
from safety.detect import assess, detect
from safety.questions import question_for, questions
from safety.rules import load_rules
from safety.second_signal import STORY, WEIGHTS, cues, features

FALSE_QUESTIONS = 0.010
FALSE_QUESTIONS_WHEN_PLAIN = 0.007
FALSELY_SURE = 0.003
FALSELY_ABOUT = {"crisis": 0.010}
"""Of a category that is asked about more readily: the question is gentle, and what is not asked about may be a life."""
FILES = ("red_flag_phrases.yml", "red_flag_voices.yml")
FOLDS = 5
FALSE_QUESTIONS_IN_STORIES = 0.03
FALSELY_SURE_IN_STORIES = 0.01
"""Of stories there are fewer to learn from: a threshold is taken from some hundred, and their signs are many. The rules ask
too: of what strangers write, one message in twenty may be asked about by both together."""
EVERY = 2
"""One in so many of a topic's phrasings is used: enough to know them, without drowning the rest."""


@dataclass(frozen=True)
class Phrases:
    """The training phrases: those with a red flag by category, and those without."""

    positives: dict[str, tuple[str, ...]]
    none: tuple[str, ...]


def examples() -> Iterator[tuple[str, str]]:
    """Yield every training text with its label."""
    phrases, voices = (load(KNOWLEDGE / "en" / name, Phrases) for name in FILES)
    for source in (phrases, voices):
        for category, texts in source.positives.items():
            yield from ((text, category) for text in texts)
    # Ordinary questions: every topic's phrasings, so that the threshold is right for what most people write.
    for path in sorted((ROOT / "data" / "nlu").glob("*.yml")):
        for group in yaml.safe_load(path.read_text(encoding="utf-8")).get("nlu", []):
            lines = [line[2:].strip() for line in (group.get("examples") or "").splitlines() if line.startswith("- ")]
            yield from ((line, "none") for line in lines[::EVERY] if not assess(detect(line)).key)
    yield from ((text, "none") for text in voices.none)
    negatives = [*phrases.none, *(text for _, rule in load_rules() for text in rule.negative)]
    yield from ((text, "none") for text in negatives if not assess(detect(text)).key)
    for category, rule in load_rules():
        if category != "decision" and rule.tier != "clarify":
            yield from ((text, category) for text in rule.positive)


def main() -> None:
    """Train, choose the threshold, write the file, print what was measured."""
    texts, labels = zip(*dict(examples()).items())
    hard = frozenset(text for name in FILES for text in load(KNOWLEDGE / "en" / name, Phrases).none)
    encoder = shared_embedding()
    named = [cues(text, detect(text)) for text in texts]
    concepts = {name: place for place, name in enumerate(sorted(frozenset[str]().union(*named)))}

    def seen(text: str, some: Iterable[str]) -> Any:
        return features(encoder.features(readable(text)), some, concepts)

    vectors = np.stack([seen(text, some) for text, some in zip(texts, named, strict=True)])
    # A message is as dangerous as its gravest sentence, as in use.
    parts = [thoughts(text) for text in texts]
    sentences = [[seen(part, cues(part, detect(part))) for part in told] for told in parts]
    known = np.array(labels)
    # (message, what is seen) of every sentence that is harmless because its message is, and no rule finds a sign in it.
    calm = [
        (place, said)
        for place, told in enumerate(parts)
        if known[place] == "none"
        for part, said in zip(told, sentences[place], strict=True)
        if not assess(detect(part)).key
    ]

    def fit(model: LogisticRegression, learned: Any) -> None:
        """Learn from the messages at the places ``learned``, and from the harmless sentences among them."""
        places = frozenset(learned)
        more = [said for place, said in calm if place in places]
        model.fit(np.stack([*vectors[learned], *more]), np.array([*known[learned], *["none"] * len(more)]))

    model = LogisticRegression(C=3.0, max_iter=2000)
    danger, thought = np.zeros(len(texts)), np.empty(len(texts), dtype=object)
    for learned, asked in StratifiedKFold(FOLDS, shuffle=True, random_state=7).split(vectors, known):
        fit(model, learned)
        none = list(model.classes_).index("none")
        for place in asked:
            said = np.stack([vectors[place], *sentences[place]])
            chances = model.predict_proba(said)
            gravest = chances[chances[:, none].argmin()]
            danger[place] = 1.0 - gravest[none]
            thought[place] = model.classes_[np.where(np.arange(len(gravest)) == none, 0.0, gravest).argmax()]
    fit(model, np.arange(len(texts)))
    # The threshold is set on the look-alikes: the easy questions would make it look better than it is.
    harmless = (known == "none") & np.array([text in hard for text in texts])
    long = np.array([len(told) >= STORY for told in parts])
    threshold, plain, sure = (
        float(np.quantile(danger[harmless & ~long], 1.0 - share))
        for share in (FALSE_QUESTIONS, FALSE_QUESTIONS_WHEN_PLAIN, FALSELY_SURE)
    )
    story, story_sure = (
        float(np.quantile(danger[harmless & long], 1.0 - share))
        for share in (FALSE_QUESTIONS_IN_STORIES, FALSELY_SURE_IN_STORIES)
    )
    # At most so many of all look-alikes: the quantile is taken among those that it would take for this category.
    own = {
        category: float(np.sort(danger[harmless & ~long & (thought == category)])[-1 - int(share * harmless.sum())])
        for category, share in FALSELY_ABOUT.items()
    }
    flagged = known != "none"
    print(f"{len(texts)} phrases, {(~flagged).sum()} without a red flag, {harmless.sum()} of them look-alikes")
    for name, at in (("threshold", threshold), ("when the topic is plain", plain), ("sure", sure)):
        print(f"{name} {at:.3f}: takes up {np.mean(danger[harmless] > at):.3f} of the look-alikes for nothing,")
        print(f"{np.mean(danger[~flagged] > at):.3f} of all; recognises {np.mean(danger[flagged] > at):.3f}")
    for name, at in (("in stories", story), ("sure in stories", story_sure)):
        print(
            f"{name} {at:.3f}: takes up {np.mean(danger[harmless & long] > at):.3f} of {(harmless & long).sum()} for nothing,"
        )
        print(f"recognises {np.mean(danger[flagged & long] > at):.3f} of {(flagged & long).sum()}")
    print(f"thresholds of their own: {own}")
    WEIGHTS.write_text(
        json.dumps(
            {
                "labels": list(model.classes_),
                "tier": {label: questions()[question_for(label)].yes for label in model.classes_ if label != "none"},
                "threshold": round(threshold, 4),
                "thresholds": {category: round(min(at, threshold), 4) for category, at in own.items()},
                "plain_threshold": round(plain, 4),
                "sure_threshold": round(sure, 4),
                "story_threshold": round(story, 4),
                "story_sure_threshold": round(max(story_sure, sure), 4),
                "concepts": list(concepts),
                "weights": np.round(model.coef_, 4).tolist(),
                "bias": np.round(model.intercept_, 4).tolist(),
            }
        )
        + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
