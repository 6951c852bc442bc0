"""Everything that was answered, as the patient reads it before it is sent. Pure."""

from __future__ import annotations

from actions.intake.letters import line
from actions.intake.state import State
from knowledge.intake import Field, questionnaire, words

LONGEST_MESSAGE = 1500


def read_back(state: State) -> list[str]:
    """Every answer with the name it can be changed by, in as few messages as it fits into."""
    parts = [words().say["review"]]
    for section in questionnaire().sections:
        shown = [
            f"{field.label}: {_shown(state, field)}"
            for field in questionnaire().fields
            if field.section == section.id and field.id in state.answers
        ]
        if not shown:
            continue
        lines = "\n".join([section.title.upper(), *shown])
        if len(parts[-1]) + len(lines) > LONGEST_MESSAGE:
            parts.append(lines)
        else:
            parts[-1] = f"{parts[-1]}\n{lines}"  # no blank line: Rasa's channels cut a message in two there
    return parts


def shorter(text: str) -> str:
    """``text``, cut where it is too long to be read back."""
    return text if len(text) <= 300 else f"{text[:300].rsplit(' ', 1)[0]} …"


def _shown(state: State, field: Field) -> str:
    answer = state.answers[field.id]
    if field.needs == "letters":
        return line(state.files) if answer.value == "yes" and state.files else words().say["letters_left_out"]
    if answer.status == "answered":
        same = answer.shown.casefold() == answer.text.casefold()
        worth_quoting = field.type == "date" or field.recognise
        return answer.shown if same or not worth_quoting else f'{answer.shown} ("{shorter(answer.text)}")'
    return {"unknown": "you don't know", "declined": "left out"}.get(answer.status, "not asked")
