"""Everything said about words, letters, opinions, questions and the plan is plain."""

from __future__ import annotations

import dataclasses
import re
import statistics
from collections.abc import Iterator
from typing import Any

import pytest

from knowledge.content import load_content
from knowledge.explain import compare_words, explain_words, plan_words, question_words
from knowledge.lint import evidence_faults, grade, longest_sentence, stray_figures, words

FILLED = {
    "emergency_number": "911", "phone": "555 0100", "quote": "This is so.", "evidence": "This is so.", "number": "1",
    "first": "wait and see", "second": "yes, operate", "both": "yes, operate", "matters": "walk further", "lines": "",
    "word": "word", "words": "words", "names": "an operation", "levels": "L4/5", "label": "Risks", "question": "What?", "questions": "What?",
    "name": "Disc", "said": "Disc", "plain": "A part.", "count": "3", "found": "3", "missing": "risks",
    "why": "it helps.",
    "ask": "What?", "which": "first", "date": "1 May 2026", "clinic": "the clinic", "title": "A page",
    "publisher": "A clinic", "year": "2022",
}  # fmt: skip
NOT_SAID = {
    "id",
    "when",
    "said",
    "value",
    "signs",
    "acts",
    "whom",
    "evidence",
    "per_opinion",
    "only_if_need",
    "families",
    "lay",
    "told",
}


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a words file that a patient reads, filled in."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            if field.name not in NOT_SAID:
                yield from texts(getattr(value, field.name), f"{path}.{field.name}")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from texts(item, f"{path}.{key}")
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from texts(item, f"{path}.{number}")
    elif isinstance(value, str) and value:
        yield path, value.format(**FILLED).replace("\n", ". ")


SAID = {
    f"{name}{path}": text
    for name, found in (
        ("explain", explain_words()),
        ("compare", compare_words()),
        ("questions", question_words()),
        ("plan", plan_words()),
    )
    for path, text in texts(found)
    if words(text) >= 5
}


@pytest.mark.parametrize("name", SAID)
def test_a_text_is_plain(name: str) -> None:
    text = SAID[name]
    assert words(longest_sentence(text)) <= 20, longest_sentence(text)
    assert grade(text) <= 8, text
    assert not re.search(r"\b(?:e\.g|i\.e|etc)\b", text)


def test_all_texts_together_are_for_grade_six() -> None:
    assert statistics.mean(grade(text) for text in SAID.values()) <= 6


def test_evidence_is_only_what_the_registry_holds() -> None:
    registry = load_content().evidence
    for remark in compare_words().evidence:
        items = [registry[name] for name in remark.evidence]
        assert [fault for item in items for fault in evidence_faults(item)] == []
        assert stray_figures(remark.text, items, ("opinions", "people")) == [], remark.text
