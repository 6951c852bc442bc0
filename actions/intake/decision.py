"""What a message may be in an intake, and what an answer to a question is worth. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any

from actions.intake.parse import Problem, Reader, Value, read
from actions.intake.state import Answer, State
from knowledge.intake import Field, FlagRule

_CONDITION = re.compile(r"\b(?:but|except|unless|only|if|as long as|provided)\b")
"""A yes with a condition is no consent: nobody could keep the condition."""


class Kind(Enum):
    """What a message is."""

    ANSWER = "answer"
    CONFIRM = "confirm"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    KEEP = "keep"
    REWRITE = "rewrite"
    INVALID = "invalid"
    NOT_READ = "not_read"
    SKIP = "skip"
    UNKNOWN = "unknown"
    DECLINED = "declined"
    NO_CONSENT = "no_consent"
    UNDER_AGE = "under_age"
    ESCALATE = "escalate"
    BACK = "back"
    CHANGE = "change"
    WHY = "why"
    HELP = "help"
    DIGRESSION = "digression"
    SMALLTALK = "smalltalk"
    EXPLAIN = "explain"
    STOP = "stop"
    CODE = "code"
    PROGRESS = "progress"
    REDEEM = "redeem"
    MORE = "more"
    REVIEW = "review"
    SEND = "send"
    HUMAN = "human"
    STATUS = "status"
    DELETE = "delete"
    FOLLOW_UP = "follow_up"
    LETTER = "letter"
    DROP_LETTER = "drop_letter"
    NO_LETTER = "no_letter"
    SHOW = "show"
    NOT_YET = "not_yet"
    ASK_FIRST = "ask_first"
    LATER = "later"
    RESTART = "restart"
    RESTARTED = "restarted"


@dataclass(frozen=True)
class Message:
    """What the patient sent, with what the language understanding made of it.

    Attributes:
        topics: what it asks about, the likeliest first, with confidence.
        label: the retrieval label, such as ``chitchat/thanks``.
        letter: it is the words of a letter, which is kept with the chat: never an answer.
        pressed: a button of something else than the question (``/faq{...}``): never an answer.
    """

    text: str
    intent: str = ""
    confidence: float = 0.0
    topics: tuple[tuple[str, float], ...] = ()
    label: str = ""
    pressed: bool = False
    letter: bool = False


@dataclass(frozen=True)
class Decision:
    """What to do with a message. Which fields are set depends on ``kind``.

    Attributes:
        field: the field answered or changed; empty with CHANGE when the patient did not say which.
        answer: the answer, with ANSWER, CONFIRM, ESCALATE, UNKNOWN, DECLINED, SKIP and (if given) CHANGE.
        problem: why it does not fit, with INVALID.
        topic: what is asked, with DIGRESSION; the kind of small talk with SMALLTALK; which letter, with DROP_LETTER.
        flag: with ESCALATE.
        code: with REDEEM.
    """

    kind: Kind
    field: str = ""
    answer: Answer | None = None
    problem: Problem | None = None
    topic: str = ""
    flag: FlagRule | None = None
    code: str = ""


def answer_to(field: Field, text: str, state: State, reader: Reader) -> Decision:
    """Return the decision for ``text`` as the answer to ``field``, be it fitting or not."""
    found = Value(text.strip(), text.strip()) if field.id in state.as_said else read(field, text, reader)
    if isinstance(found, Problem):
        return Decision(Kind.INVALID, field=field.id, problem=found)
    answer = Answer("answered", found.value, found.shown, text.strip(), state.said_by)
    if found.confirm:
        return Decision(Kind.CONFIRM, field=field.id, answer=answer)
    if (field.path == "consent" or field.needs) and found.value == "yes" and _CONDITION.search(text.casefold()):
        return Decision(Kind.INVALID, field=field.id, problem=Problem("invalid_yes_no"))
    if field.required and field.path == "consent" and found.value == "no":
        return Decision(Kind.NO_CONSENT, field=field.id)
    if (field.id == "age_ok" and found.value == "no") or (field.when == "birth" and _under_18(found.value, reader)):
        return Decision(Kind.UNDER_AGE, field=field.id)
    flag = _flag(field, found.value)
    if flag:
        return Decision(Kind.ESCALATE, field=field.id, answer=answer, flag=flag)
    return Decision(Kind.ANSWER, field=field.id, answer=answer)


def _under_18(iso: Any, reader: Reader) -> bool:
    born = str(iso)
    adult = f"{reader.today.year - 18:04d}-{reader.today.month:02d}-{reader.today.day:02d}"
    return born > adult


def _flag(field: Field, value: Any) -> FlagRule | None:
    """The most severe red flag that an answer to ``field`` stands for."""
    if field.flag and value == "yes":
        return field.flag
    order = ("soon", "urgent", "crisis", "emergency")
    picked = [field.choice(each) for each in (value if isinstance(value, list) else [])]
    flags = [choice.flag for choice in picked if choice and choice.flag]
    return max(flags, key=lambda flag: order.index(flag.tier), default=None)
