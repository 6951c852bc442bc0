"""Train the second reader of letters and write ``knowledge/en/letter_signal.json``. Runs in the bot's Python.

    .venv/bot/bin/python -m scripts.train_letter_signal

One logistic regression an element, on the sentences of ``knowledge/en/letter_sentences.yml`` and those of the sample
letters. A sentence of a sample letter carries an element when the letter has it and a rule of ``report.yml`` says it is
this sentence. Where no rule finds the element that a letter has, its likeliest sentence is taken, in a second round. Before it writes, it prints how letters are read that it did not learn from: each set in turn is left out.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np
from sklearn.linear_model import LogisticRegression

from actions.report.elements import fired
from actions.report.letter import Sentence, take_apart
from actions.report.rules import report_rules
from actions.report.signal import WEIGHTS, features
from knowledge.loader import load
from runtime.settings import KNOWLEDGE, ROOT
from scripts.evaluate_letters import samples
from scripts.word_weights import Vocabulary, write_weights

STRENGTH = 15.0
"""The regression's C: chosen, like ENOUGH, by reading sets that were left out."""
ENOUGH = 0.55
SMALLEST = 0.15
"""Weights below this for every element are left out of the file."""
ELEMENTS = [rules.id for rules in report_rules().elements]


@dataclass(frozen=True)
class Sentences:
    """The file of written sentences, by the element they carry, or ``none``."""

    sentences: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Example:
    """A sentence as features, with the elements it carries and the letter it stands in ("" for a written one)."""

    features: dict[str, float]
    carries: frozenset[str]
    letter: str
    folder: str
    unclear: frozenset[str] = frozenset()
    """Elements the letter has in one sentence or another that no rule tells."""


def _features(sentence: Sentence, before: Sentence | None) -> dict[str, float]:
    return {name: strength for name, strength, _ in features(sentence, before)}


def written() -> list[Example]:
    """The written sentences; one that stands under two elements carries both."""
    carries: dict[str, set[str]] = defaultdict(set)
    for label, texts in load(KNOWLEDGE / "en" / "letter_sentences.yml", Sentences).sentences.items():
        for text in texts:
            carries[text] |= {label} - {"none"}
    return [Example(_features(Sentence(text, 0, ""), None), frozenset(of), "", "") for text, of in carries.items()]


def of_letters(without: frozenset[str]) -> tuple[list[Example], dict[str, frozenset[str]]]:
    """The sentences of the sample letters, and by letter the elements it has."""
    found: list[Example] = []
    present: dict[str, frozenset[str]] = {}
    for folder in sorted((ROOT / "tests" / "explain").glob("letters*")):
        if folder.name in without:
            continue
        for name, sample in samples(folder).items():
            if sample.kind != "letter":
                continue
            present[name] = frozenset(sample.present)
            sentences = take_apart(sample.letter).sentences
            carried = [
                frozenset(
                    rules.id
                    for rules in report_rules().elements
                    if rules.id in sample.present and fired(rules, sentences[max(0, place - 2) : place + 1])
                )
                for place in range(len(sentences))
            ]
            unclear = present[name] - frozenset().union(*carried)
            for place, (sentence, carries) in enumerate(zip(sentences, carried, strict=True)):
                before = sentences[place - 1] if place else None
                found.append(Example(_features(sentence, before), carries, name, folder.name, unclear))
    return found, present


class Model:
    """One regression an element over the features that at least two examples have."""

    @classmethod
    def of(cls, examples: list[Example]) -> Model:
        """Trained twice: the second time with the likeliest sentence where it was unclear which one it is."""
        said = cls(examples).chances(examples)
        best: dict[tuple[str, str], int] = {}
        for place, example in enumerate(examples):
            for element in example.unclear:
                known = best.get((example.letter, element))
                if known is None or said[element][place] > said[element][known]:
                    best[example.letter, element] = place
        settled = [replace(example, unclear=frozenset()) for example in examples]
        for (_, element), place in best.items():
            settled[place] = replace(settled[place], carries=settled[place].carries | {element})
        return cls(settled)

    def __init__(self, examples: list[Example]) -> None:
        told = [example.features for example in examples]
        self.vocabulary = Vocabulary(told)
        inputs = self.vocabulary.counted(told)
        self.by_element = {}
        for element in ELEMENTS:
            clear = [place for place, example in enumerate(examples) if element not in example.unclear]
            self.by_element[element] = LogisticRegression(C=STRENGTH, max_iter=3000, class_weight="balanced").fit(
                inputs[clear], [element in examples[place].carries for place in clear]
            )

    def chances(self, examples: list[Example]) -> dict[str, np.ndarray]:
        inputs = self.vocabulary.counted([example.features for example in examples])
        return {element: model.predict_proba(inputs)[:, 1] for element, model in self.by_element.items()}

    def write(self) -> None:
        columns = np.stack([self.by_element[element].coef_[0] for element in ELEMENTS], axis=1)
        bias = [round(float(self.by_element[element].intercept_[0]), 3) for element in ELEMENTS]
        head = {"elements": ELEMENTS, "bias": bias, "enough": ENOUGH}
        write_weights(WEIGHTS, head, zip(self.vocabulary.names, columns, strict=True), smallest=SMALLEST)


def left_out(own: list[Example], letters: list[Example], present: dict[str, frozenset[str]]) -> float:
    """The share of elements told rightly, by this reader alone, in letters of sets that were left out of the training."""
    right: list[bool] = []
    for folder in sorted({example.folder for example in letters}):
        model = Model.of(own + [example for example in letters if example.folder != folder])
        unseen = [example for example in letters if example.folder == folder]
        said = model.chances(unseen)
        for letter in {example.letter for example in unseen}:
            places = [place for place, example in enumerate(unseen) if example.letter == letter]
            right += [(said[element][places].max() >= ENOUGH) == (element in present[letter]) for element in ELEMENTS]
    return sum(right) / len(right)


def main() -> None:
    own = written()
    letters, present = of_letters(frozenset(sys.argv[1:]))
    print(f"{len(own)} written sentences, {len(letters)} of {len(present)} letters")
    print(f"told rightly in letters of sets left out: {left_out(own, letters, present):.1%}")
    Model.of(own + letters).write()


if __name__ == "__main__":
    main()
