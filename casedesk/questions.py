"""The intake's questions as the desk shows them, read from the one place where the intake is defined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from knowledge.intake import Field, questionnaire

TITLES = {
    "consent": "Agreement",
    "about": "About the patient",
    "safety": "Safety questions",
    "reason": "Why they are asking",
    "wishes": "What the patient wants",
    "contact": "How to reach them",
    "service": "How they want the review",
}
"""Section titles speak to the patient; here they speak about the patient."""
WITHOUT = frozenset({"no", "none", "nothing", "report"})
"""Answers to a question about records that mean the reviewer does not have them; a report is not the pictures."""


@dataclass(frozen=True)
class Question:
    label: str
    section: str
    choices: Mapping[str, str]
    records: bool


@cache
def questions() -> dict[str, Question]:
    """Return the questions by field id, in the order of the desk: sections as in the questionnaire."""
    asked = questionnaire()
    order = [section.id for section in asked.sections]
    titles = {section.id: TITLES.get(section.id, section.title) for section in asked.sections}

    def question(field: Field) -> Question:
        choices = {choice.value: choice.label for choice in field.choices}
        # A question with a "none" of its own is answered by it; only one without leaves something to be sent.
        return Question(field.label, titles[field.section], choices, field.records and field.none is None)

    return {field.id: question(field) for field in sorted(asked.fields, key=lambda field: order.index(field.section))}


def records_questions() -> dict[str, Question]:
    """The questions about records the reviewer needs."""
    return {field_id: question for field_id, question in questions().items() if question.records}
