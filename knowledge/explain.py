"""The words of explaining, as data: terms and letters (``explain.yml``), questions to ask (``questions.yml``), the plan
(``plan.yml``) and the comparison of two opinions (``compare.yml``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from knowledge.loader import KnowledgeError, load
from runtime.settings import KNOWLEDGE

# --- Terms and letters ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ElementWords:
    label: str
    question: str


@dataclass(frozen=True)
class ExplainWords:
    term: str
    term_said: str
    term_denied: str
    term_not_there: str
    unknown: str
    unknown_nothing: str
    several_unknown: str
    buttons: dict[str, str]
    left: str
    leave: dict[str, str]
    ask_letter: str
    ask_letter_more: str
    stopped: str
    too_short: str
    other_language: str
    not_medical: str
    other_part: str
    not_spine: str
    cut: str
    joined: str
    read: str
    advice: dict[str, str]
    operation: str
    operation_against: str
    needle: str
    operation_unnamed: str
    operation_open: str
    operation_doubtful: str
    unsure: str
    level: str
    level_unnamed: str
    found_at: str
    mismatch: dict[str, str]
    terms_first: str
    terms_more: str
    terms_none: str
    terms_end: str
    six: str
    found: str
    found_item: str
    missing: str
    missing_item: str
    mentioned: str
    all_found: str
    scan_report: str
    scan_ask: str
    scan_questions: tuple[str, ...]
    in_letter: str
    in_letter_ask: str
    elements: dict[str, ElementWords]
    red_flag: str


@cache
def explain_words() -> ExplainWords:
    """The words of ``explain.yml``. Raises KnowledgeError."""
    return load(KNOWLEDGE / "en" / "explain.yml", ExplainWords)


# --- Questions to ask -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """A question to ask a doctor: ``when`` one of these facts holds. The facts are listed in ``questions.yml``."""

    id: str
    when: tuple[str, ...]
    ask: str
    why: str


@dataclass(frozen=True)
class QuestionWords:
    intro: str
    item: str
    edit: str
    dropped: str
    added: str
    added_why: str
    full: str
    no_such: str
    not_understood: str
    empty: str
    restored: str
    moved: str
    undone: str
    nothing_to_undo: str
    buttons: dict[str, str]
    questions: tuple[Question, ...]


@cache
def question_words() -> QuestionWords:
    """The words of ``questions.yml``. Raises KnowledgeError."""
    return load(KNOWLEDGE / "en" / "questions.yml", QuestionWords)


# --- The plan ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PlanWords:
    title: str
    date: str
    situation: dict[str, str]
    headings: dict[str, str]
    letter: str
    letter_all: str
    nothing_yet: str
    kept: str
    help: tuple[str, ...]
    sources: str
    footer: str
    letters: str
    intro: str
    buttons: dict[str, str]


@cache
def plan_words() -> PlanWords:
    """The words of ``plan.yml``. Raises KnowledgeError."""
    return load(KNOWLEDGE / "en" / "plan.yml", PlanWords)


# --- Two opinions -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CompareChoice:
    """``said`` are wordings of an answer; ``told`` patterns that mean this choice wherever they stand."""

    value: str
    label: str
    said: tuple[str, ...] = ()
    told: tuple[str, ...] = ()


@dataclass(frozen=True)
class CompareQuestion:
    """A question of the comparison; ``per_opinion`` ones are asked for the first and the second opinion."""

    id: str
    ask: str
    why: str
    label: str
    per_opinion: bool = False
    only_if_need: tuple[str, ...] = ()
    choices: tuple[CompareChoice, ...] = ()


@dataclass(frozen=True)
class CompareKind:
    label: str
    agree: str
    differ: str
    unclear: str


@dataclass(frozen=True)
class Remark:
    """Said when all facts of ``when`` hold. ``evidence`` are ids of the registry, ``whom`` a key of ``whom``."""

    text: str
    when: tuple[str, ...]
    id: str = ""
    evidence: tuple[str, ...] = ()
    whom: str = ""


@dataclass(frozen=True)
class TeachBack:
    ask: str
    acts: str
    good: str
    again: str


@dataclass(frozen=True)
class CompareWords:
    intro: str
    again: str
    again_in_words: str
    go_on: str
    left_out: str
    stopped: str
    resumed: str
    restarted: str
    ask_first: str
    why: str
    skipped: str
    nothing_back: str
    from_letter: str
    which: dict[str, str]
    letter_confirmed: str
    back_to_first: str
    letter_dropped: str
    letter_unread: str
    letter_silent: str
    buttons: dict[str, str]
    names: dict[str, str]
    questions: tuple[CompareQuestion, ...]
    kinds: dict[str, CompareKind]
    texts: dict[str, str]
    reasons: tuple[Remark, ...]
    evidence: tuple[Remark, ...]
    settle: tuple[Remark, ...]
    ask: tuple[Remark, ...]
    whom: dict[str, str]
    families: dict[str, tuple[str, ...]]
    lay: dict[str, str]
    signs: dict[str, str]
    told: dict[str, str]
    noted: str
    teach_back: TeachBack


@cache
def compare_words() -> CompareWords:
    """The words and rules of ``compare.yml``. Raises KnowledgeError, also for a ``whom`` that has no words."""
    path = KNOWLEDGE / "en" / "compare.yml"
    words = load(path, CompareWords)
    for remark in words.ask:
        if remark.whom not in words.whom:
            raise KnowledgeError(f"{path}:1: no words for whom: {remark.whom!r}")
    return words
