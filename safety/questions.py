"""The clarifying questions: what each is about and what its answers lead to. Their words stand in ``domain.yml``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from knowledge.loader import load
from runtime.settings import KNOWLEDGE


@dataclass(frozen=True)
class Question:
    """A clarifying question: its category, and the tier that "yes" and "not sure" (or no answer) lead to."""

    category: str
    yes: Literal["emergency", "crisis", "urgent", "soon"]
    unsure: Literal["emergency", "crisis", "urgent", "soon"]


@dataclass(frozen=True)
class QuestionFile:
    """All clarifying questions, and which one a category asks when nothing narrower is known."""

    questions: dict[str, Question]
    by_category: dict[str, str]


@lru_cache(maxsize=1)
def _file() -> QuestionFile:
    return load(KNOWLEDGE / "en" / "red_flags" / "questions.yml", QuestionFile)


def questions() -> dict[str, Question]:
    """Return every clarifying question by its id. Raises KnowledgeError when the file is faulty."""
    return _file().questions


def question_for(category: str) -> str:
    """Return the id of the question that a category asks when all that is known is the category."""
    return _file().by_category[category]
