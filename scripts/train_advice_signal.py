"""Train the second reader of advice and write ``knowledge/en/advice_signal.json``. Runs in the bot's Python.

    .venv/bot/bin/python -m scripts.train_advice_signal

One regression over the places where the sample letters, and the sentences of the tests of advice, name an operation. What
is said of it there is what the rules say: every one of these letters is read right by them, or the tests fail. The
sentences of ``knowledge/en/advice_sentences.yml`` are labelled by hand, whatever the rules make of them. Before it writes,
it prints how often this reader agrees in sets that were left out one by one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from actions.report.advice_signal import WEIGHTS, advice_features
from actions.report.letter import Sentence, take_apart
from actions.report.said import Kind, judge
from actions.report.settled import settle
from actions.spine_terms import find_procedures
from knowledge.loader import load
from runtime.settings import KNOWLEDGE, ROOT
from scripts.evaluate_letters import samples
from scripts.word_weights import Vocabulary, write_weights
from tests.explain import test_advice_lines, test_advice_wordings, test_recommendation, test_whose_advice
from tests.explain.advice import OPENING

STRENGTH = 20.0
"""The regression's C."""
SMALLEST = 0.1
"""Weights below this for every kind are left out of the file."""


@dataclass(frozen=True)
class Sentences:
    """The file of written sentences, by what they say of the operation they name first."""

    sentences: dict[str, tuple[str, ...]]


SAME = {"AVOIDED": "REFUSED", "REPORTED_REFUSED": "REFUSED", "ASKED": "NAMED"}
"""Too rare, and too like, to be told apart here."""


@dataclass(frozen=True)
class Example:
    features: dict[str, float]
    kind: str
    folder: str


def examples(text: str, folder: str, expected: tuple[str, ...] | None = None) -> list[Example]:
    """Every place where ``text`` names an operation, with what is said of it in the end.

    What the rules take for advised although it is not ``expected`` (told as doubtful) is no example of advice.
    """
    letter = take_apart(text)
    said, _ = settle([list(judge(sentence)) for sentence in letter.sentences], letter)
    found = []
    for item in said:
        place = letter.sentences.index(item.sentence)
        wrong = (
            expected is not None and item.kind is Kind.ADVISED and item.operation and item.operation.id not in expected
        )
        if item.at and not wrong:
            before = letter.sentences[place - 1] if place else None
            found.append(
                Example(
                    dict(advice_features(item.sentence, before, *item.at)),
                    SAME.get(item.kind.name, item.kind.name),
                    folder,
                )
            )
    return found


def written() -> list[Example]:
    """The first operation of each written sentence, with the kind it stands under."""
    found = []
    for kind, texts in load(KNOWLEDGE / "en" / "advice_sentences.yml", Sentences).sentences.items():
        for text in texts:
            named, sentence = find_procedures(text)[0], Sentence(text, 0, "")
            found.append(Example(dict(advice_features(sentence, None, named.start, named.end)), kind, ""))
    return found


def all_examples() -> list[Example]:
    """Those of the letters by folder, and those of the sentences written and of the tests (folder "")."""
    found = written()
    for folder in sorted((ROOT / "tests" / "explain").glob("letters*")):
        for sample in samples(folder).values():
            if sample.kind == "letter":
                found += examples(sample.letter, folder.name, sample.operations)
    sentences = [(OPENING + said, names) for said, _, names, _ in test_recommendation.SAID]
    for tests in (test_advice_wordings, test_whose_advice, test_advice_lines):
        sentences += [(OPENING + said, names) for _, said, _, names, _ in tests.CASES]
    for said, names in sentences:
        found += examples(said, "", tuple(names.split()))
    return found


class Model:
    """One regression over the features that at least two examples have."""

    def __init__(self, learned: list[Example]) -> None:
        told = [example.features for example in learned]
        self.vocabulary = Vocabulary(told)
        self.model = LogisticRegression(C=STRENGTH, max_iter=3000, class_weight="balanced").fit(
            self.vocabulary.counted(told), [example.kind for example in learned]
        )

    def chances(self, unseen: list[Example]) -> np.ndarray:
        return self.model.predict_proba(self.vocabulary.counted([example.features for example in unseen]))

    def write(self) -> None:
        bias = [round(float(number), 3) for number in self.model.intercept_]
        head = {"kinds": list(self.model.classes_), "bias": bias}
        write_weights(WEIGHTS, head, zip(self.vocabulary.names, self.model.coef_.T, strict=True), smallest=SMALLEST)


def left_out(learned: list[Example]) -> str:
    """For each kind, how often sets left out of the training get it right, and how often hardly a sign is found."""
    told: list[tuple[str, str, float]] = []
    for folder in sorted({example.folder for example in learned} - {""}):
        model = Model([example for example in learned if example.folder != folder])
        unseen = [example for example in learned if example.folder == folder]
        for example, chances in zip(unseen, model.chances(unseen), strict=True):
            by_kind = dict(zip(model.model.classes_, chances, strict=True))
            told.append((example.kind, max(by_kind, key=by_kind.__getitem__), by_kind[example.kind]))
    lines = []
    for kind in sorted({kind for kind, _, _ in told}):
        mine = [(said, chance) for true, said, chance in told if true == kind]
        agreed = sum(said == kind for said, _ in mine) / len(mine)
        doubted = ", ".join(
            f"below {low}: {sum(chance < low for _, chance in mine) / len(mine):.0%}" for low in (0.1, 0.2, 0.3)
        )
        lines.append(f"{kind:16} {len(mine):4} agreed {agreed:.0%}; {doubted}")
    return "\n".join(lines)


def main() -> None:
    learned = all_examples()
    print(f"{len(learned)} places where an operation is named")
    print(left_out(learned))
    Model(learned).write()


if __name__ == "__main__":
    main()
