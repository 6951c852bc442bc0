"""The letters a patient sent in the chat, and whether the clinic gets a copy of them. Pure.

Rasa's events say only that a message was the words of a letter. Its bytes lie with the gateway for the time of the chat, and
are fetched (:mod:`actions.chat_letters`) when the patient says yes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from actions.intake.decision import Decision, Kind
from actions.intake.state import Answer, Letter, State

MOST_LETTERS = 5
FIELD = "send_letters"
KINDS = {"application/pdf": "PDF", "text/plain": "text"}

_LEAD = r"(?:(?:no|ok|okay|sorry|wait|oh|please|actually|and|but|can you|could you|i want you to|i'?d like you to)[,.]?\s+)*"
_LETTERS = (
    r"(?:a copy of |the copy of )?(?:my |the |that |this |those |these |any |both |all )*(?:mri |ct |scan |radiology |surgeon'?s )?"
    r"(?:letters?|reports?|files?|pdfs?|documents?|attachments?|cop(?:y|ies))(?: (?:i|that i) sent(?: you)?)?"
)
_TO = r"(?: (?:to (?:the clinic|them|anyone|it|my case|the case)|with (?:it|my case|the case|the clinic|them)|along|too|as well|also|please|yet|after all))*"
_HAND = r"(?:send|share|pass on|hand over|give (?:them|the clinic)|include|attach|add|forward)"
_NOT = re.compile(
    rf"{_LEAD}(?:(?:do not|don'?t|never|you may not|i don'?t want (?:you )?to|i do not want (?:you )?to|not to|stop) {_HAND} {_LETTERS}{_TO}"
    rf"|(?:leave|take|keep) {_LETTERS} (?:out|back|off|away|private|to (?:yourself|myself))(?: of it| of my case)?{_TO}"
    rf"|(?:leave|take) (?:out|back|off|away) {_LETTERS}{_TO}"
    rf"|(?:remove|delete|drop|withdraw|erase) {_LETTERS}(?: from (?:it|my case|the case))?{_TO}"
    rf"|(?:send it |send my case |send |but )?(?:without|not|no) {_LETTERS}{_TO})"
)
_SEND = re.compile(rf"{_LEAD}(?:yes[,.]? )?(?:please )?{_HAND} {_LETTERS}{_TO}")
_ONE = re.compile(
    rf"{_LEAD}(?:(?:do not|don'?t) {_HAND}|remove|delete|drop|leave out|take out|take back|without|not) (?:the )?"
    r"(?:letter|report|file) (?:number |no\.? )?(?P<number>\d)(?: please)?"
)
NONE_SENT = Decision(Kind.NO_LETTER)
_NOT_IT = re.compile(rf"{_LEAD}(?:do not|don'?t|never) {_HAND} (?:it|them|that|those){_TO}")


def letters_in(events: Sequence[Mapping[str, Any]], sender: str) -> tuple[Letter, ...]:
    """The letters sent in a conversation, oldest first."""
    found: dict[str, Letter] = {}
    for event in events:
        told = (event.get("metadata") or {}).get("letter") if event.get("event") == "user" else None
        if told:
            found[told["id"]] = Letter(told["id"], sender, told["type"], told["size"])
    return tuple(found.values())


def with_letters(state: State, found: Sequence[Letter]) -> State:
    """The state that knows of the letters ``found``. A yes or no was about the letters of its time: of new ones is asked anew."""
    known = {letter.id for letter in (*state.letters, *state.left_out)}
    new = [letter for letter in found if letter.id not in known]
    if not new:
        return state
    answers = {field_id: answer for field_id, answer in state.answers.items() if field_id != FIELD}
    together = (*state.letters, *new)
    return replace(
        state,
        letters=together[-MOST_LETTERS:],
        left_out=(*state.left_out, *together[:-MOST_LETTERS]),
        answers=answers,
        trail=tuple(each for each in state.trail if each != FIELD),
    )


def about_letters(said: str, state: State) -> Decision | None:
    """What ``said`` (plain words) asks about the letters: send them, do not, leave one out; None when it is about none."""
    if not state.consented:
        return None
    if (match := _ONE.fullmatch(said)) and 1 <= int(match["number"]) <= len(state.letters):
        return Decision(Kind.DROP_LETTER, field=FIELD, topic=match["number"])
    if _NOT.fullmatch(said) or (state.field == FIELD and _NOT_IT.fullmatch(said)):
        return Decision(Kind.CHANGE, field=FIELD, answer=_answer(state, "no", said)) if state.letters else None
    if _SEND.fullmatch(said):
        known = brought_back(state)
        return Decision(Kind.CHANGE, field=FIELD, answer=_answer(known, "yes", said)) if known.letters else NONE_SENT
    return None


def left_out(state: State, letters: Sequence[Letter]) -> State:
    """The state that asks about none of ``letters``; "send the letter" still reaches them."""
    going = {letter.id for letter in state.files}
    return replace(state, left_out=tuple(letter for letter in letters if letter.id not in going))


def brought_back(state: State) -> State:
    """The state in which a wish to send "the letter" means those left out before, when there are no others."""
    return state if state.letters else replace(state, letters=state.left_out[-MOST_LETTERS:], left_out=())


def speaks_of_letters(said: str) -> bool:
    """Whether ``said`` (plain words) asks to send a letter to the clinic, or not to."""
    return any(pattern.fullmatch(said) for pattern in (_ONE, _NOT, _SEND))


def without(state: State, number: int) -> State:
    """The state without its letter ``number`` (1, 2, ...). Without any letter left nothing is sent."""
    gone = state.letters[number - 1]
    letters = tuple(letter for letter in state.letters if letter is not gone)
    left = replace(state, letters=letters, left_out=(*state.left_out, gone))
    return left if letters else left.with_answer(FIELD, _answer(state, "no", ""))


def named(files: Sequence[Letter]) -> list[str]:
    """What each letter is called at the clinic: its place and its kind, no word of the patient."""
    return [f"Letter {number} ({KINDS[file.type]})" for number, file in enumerate(files, 1)]


def line(files: Sequence[Letter]) -> str:
    """The letters in one line, as the read-back shows them."""
    return f"{len(files)} ({'; '.join(f'{KINDS[file.type]}, {_size(file.size)}' for file in files)})"


def _answer(state: State, value: str, said: str) -> Answer:
    return Answer("answered", value, line(state.letters) if value == "yes" else "No", said, state.said_by)


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1_000_000 else f"{max(1, round(count / 1000))} kB"
