"""The clarifying questions: what each is about and what its answers lead to. Their words stand in ``domain.yml``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from knowledge.loader import load
from runtime.settings import KNOWLEDGE


@dataclass(frozen=True)
class Question:
    """A clarifying question: its category, and the tier that "yes" and "not sure" (or no answer) lead to.

    ``told_yes`` and ``told_no`` name concepts that answer it in a word or two: "both", "just the left".
    """

    category: str
    yes: Literal["emergency", "crisis", "urgent", "soon"]
    unsure: Literal["emergency", "crisis", "urgent", "soon"]
    told_yes: tuple[str, ...] = ()
    told_no: tuple[str, ...] = ()

    def answer(self, states: frozenset[str]) -> str:
        """Return "affirm" or "deny" as a brief reply in which ``states`` were found answers; "" when it does not."""
        if not states.isdisjoint(self.told_yes):
            return "affirm"
        return "" if states.isdisjoint(self.told_no) else "deny"


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
