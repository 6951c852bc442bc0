"""Where an intake conversation stands, as plain data that can be stored and read back."""

from __future__ import annotations

import dataclasses
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from knowledge.intake import Field, questionnaire

AnswerStatus = Literal["answered", "unknown", "declined", "not_asked"]
Stage = Literal["ask", "offer", "review"]


@dataclass(frozen=True)
class Answer:
    """One answer: the value understood, how it is shown, the words it was given in, and by whom."""

    status: AnswerStatus
    value: Any = None
    shown: str = ""
    text: str = ""
    said_by: Literal["patient", "carer"] = "patient"


@dataclass(frozen=True)
class Pending:
    """An answer that waits for "is that right?"."""

    field: str
    answer: Answer


@dataclass(frozen=True)
class Letter:
    """A letter sent in the chat of ``sender``: an id, what it is, how large; ``sha256`` once a copy of it is kept."""

    id: str
    sender: str
    type: str
    size: int
    sha256: str = ""


@dataclass(frozen=True)
class State:
    """The whole conversation.

    Attributes:
        stage: asking questions, offering the longer part, or the read-back.
        field: the question on the table (stage ``ask``).
        answers: by field id, in the order given.
        trail: the questions asked so far, oldest first; "back" walks it.
        fails: answers in a row that did not fit the question on the table.
        pending: an answer to be confirmed.
        kept: words typed as an answer that also were a red flag; offered back when the patient returns.
        longer: whether the patient chose to answer the longer part.
        restarting: "start over" was said and is to be confirmed.
        from_review: one answer is being changed; the read-back comes next.
        as_said: fields whose reading the patient rejected; their words are taken as they are.
        red_flags: what the safety screen found.
        consent_at: when the second consent was given (ISO).
        reference: of the intake this one corrects, or empty.
        letters: sent in the chat, that the clinic may get a copy of.
        left_out: letters that are not to be asked about (again).
        files: those a copy is kept of, to be sent with the case.
        letters_at: when the patient agreed to that (ISO).
    """

    stage: Stage = "ask"
    field: str | None = "consent_chatbot"
    answers: dict[str, Answer] = dataclasses.field(default_factory=dict)
    trail: tuple[str, ...] = ()
    fails: int = 0
    pending: Pending | None = None
    kept: str = ""
    longer: bool = False
    from_review: bool = False
    restarting: bool = False
    as_said: tuple[str, ...] = ()
    red_flags: tuple[dict[str, Any], ...] = ()
    consent_at: str = ""
    reference: str = ""
    letters: tuple[Letter, ...] = ()
    left_out: tuple[Letter, ...] = ()
    files: tuple[Letter, ...] = ()
    letters_at: str = ""

    @property
    def person(self) -> Literal["self", "other"]:
        """Whose case it is, as far as it is known."""
        return "other" if self.value("about") == "other" else "self"

    @property
    def said_by(self) -> Literal["patient", "carer"]:
        return "carer" if self.person == "other" else "patient"

    @property
    def consented(self) -> bool:
        """Whether anything may be stored."""
        return bool(self.value("consent_send") == "yes")

    def value(self, field_id: str) -> Any:
        """The value of an answered field, or None."""
        answer = self.answers.get(field_id)
        return answer.value if answer and answer.status == "answered" else None

    def with_answer(self, field_id: str, answer: Answer) -> State:
        return replace(self, answers={**self.answers, field_id: answer})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(data: dict[str, Any]) -> State:
        """Read a stored state; answers to questions that no longer exist are kept, a question that is gone is left."""
        known = {key: value for key, value in data.items() if key in State.__dataclass_fields__}
        known["answers"] = {key: Answer(**value) for key, value in known.get("answers", {}).items()}
        pending = known.get("pending")
        known["pending"] = Pending(pending["field"], Answer(**pending["answer"])) if pending else None
        for name in ("trail", "as_said", "red_flags"):
            known[name] = tuple(known.get(name, ()))
        for name in ("letters", "left_out", "files"):
            known[name] = tuple(Letter(**letter) for letter in known.get(name, ()))
        if known.get("field") and not questionnaire().has(known["field"]):
            known["field"] = None
        return State(**known)


def applies(field: Field, state: State) -> bool:
    """Whether the conditions of ``field`` hold."""
    if field.needs == "letters" and not (state.letters or state.left_out):
        return False
    for other, values in (field.only_if or {}).items():
        given = state.value(other)
        if not set(given if isinstance(given, list) else [given]) & set(values):
            return False
    return True


def open_fields(state: State, path: str) -> list[Field]:
    """The questions of ``path`` still to be asked, in order."""
    return [
        field
        for field in questionnaire().fields
        if field.path == path and field.id not in state.answers and applies(field, state)
    ]


def next_field(state: State) -> Field | None:
    """The next question to ask, or None when the part chosen is complete."""
    return next(iter(waiting_fields(state)), None)


def waiting_fields(state: State) -> list[Field]:
    """The questions of the part chosen that are still to be asked, in order."""
    return [field for path in _paths(state) for field in open_fields(state, path)]


def _paths(state: State) -> tuple[str, ...]:
    return ("consent", "short", "long") if state.longer else ("consent", "short")


def progress(state: State) -> tuple[int, int]:
    """``(step, of)`` of the question on the table, counted over the questions of the part chosen."""
    asked = [field for field in questionnaire().fields if field.path in _paths(state) and applies(field, state)]
    ids = [field.id for field in asked]
    step = ids.index(state.field) + 1 if state.field in ids else len(ids)
    return step, len(ids)
