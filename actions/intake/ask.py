"""The question on the table, as the patient sees it: words, buttons and the reply contract's payload. Pure."""

from __future__ import annotations

from typing import Any

from actions.base import Button, Reply
from actions.intake.apply import FAILS_BEFORE_REWORDING
from actions.intake.readback import read_back, shorter
from actions.intake.state import State, open_fields, progress
from knowledge.intake import Field, questionnaire, words


def question(state: State) -> list[Reply]:
    """The messages that ask for what ``state`` waits for."""
    say = words().say
    if state.restarting:
        return [_choice(say["restart"], ("restart", "resume"), state)]
    if state.pending:
        text = say["confirm_value"].format(value=state.pending.answer.shown)
        return [_reply(text, ("yes", "no"), _payload(state, questionnaire().field(state.pending.field), "yes_no"))]
    if state.stage == "offer":
        count = len(open_fields(state, "long"))
        return [_choice(say["more_offer"].format(count=count), ("more", "review"), state)]
    if state.stage == "review" or state.field is None:
        return review(state)
    field = questionnaire().field(state.field)
    if state.kept:
        text = say["keep_words"].format(value=shorter(state.kept))
        return [_choice(text, ("keep", "rewrite"), state, field)]
    text = field.ask if state.fails < FAILS_BEFORE_REWORDING else field.again
    text = questionnaire().say(text, state.person)
    if state.fails >= FAILS_BEFORE_REWORDING and not field.required:
        text = f"{text} {say['way_out']}"
    return [Reply(text, _buttons(field), _payload(state, field, field.contract_type, _choices(field)))]


def review(state: State) -> list[Reply]:
    """The read-back, then the question whether to send."""
    ask = _choice(words().say["review_ask"], ("send", "change"), state)
    return [*(Reply(part) for part in read_back(state)), ask]


def _choices(field: Field) -> list[str]:
    if field.type == "yes_no":
        return [words().buttons["yes"], words().buttons["no"]] + (
            [words().buttons["unsure"]] if field.unsure_flag else []
        )
    return [choice.label for choice in field.choices]


def _buttons(field: Field) -> tuple[Button, ...]:
    titles = _choices(field)
    if field.type == "text" and not field.none_is_answer:
        titles.append(words().buttons["unknown"])
    if field.type == "date":
        titles.append(words().buttons["unknown"])
    if not field.required:
        titles.append(words().buttons["skip"])
    return tuple(Button(title, title) for title in titles)


def _choice(text: str, names: tuple[str, ...], state: State, field: Field | None = None) -> Reply:
    return _reply(text, names, _payload(state, field, "choice", [words().buttons[name] for name in names]))


def _reply(text: str, names: tuple[str, ...], payload: dict[str, Any]) -> Reply:
    return Reply(text, tuple(Button(words().buttons[name], words().buttons[name]) for name in names), payload)


def _payload(state: State, field: Field | None, kind: str, choices: list[str] | None = None) -> dict[str, Any]:
    step, of = progress(state)
    slot = field.id if field else state.stage
    if field and kind == "yes_no" and choices is None:
        choices = [words().buttons["yes"], words().buttons["no"]]
    return {"kind": "intake", "slot": slot, "type": kind, "choices": choices or [], "step": step, "of": of}
