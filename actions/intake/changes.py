"""Changes in words: "change my phone to ...", "it was L5 not L4", "my email is ..." before it was asked. Pure."""

from __future__ import annotations

import re
from datetime import date
from difflib import get_close_matches

from actions.intake.decision import Decision, Kind, answer_to
from actions.intake.letters import about_letters
from actions.intake.parse import Reader, Value, plain, read, read_operation
from actions.intake.state import Answer, State
from actions.spine_terms import find_levels, find_procedures
from knowledge.intake import Field, questionnaire, words

_LEAD = (
    r"^(?:(?:no|sorry|wait|oops|actually|oh|please|hang on|hold on|can you|could you|i'?d like to|i would like to|"
    r"i want to|i need to|let me|can i|may i|i meant?)[,.]?\s+)*"
)
_NAME = r"(?:my |the |their |her |his )?(?P<name>[a-z' \-]{2,40}?)"
_CHANGE_TO = re.compile(
    _LEAD
    + r"(?:change|correct|update|edit|fix|replace|set|put)\s+(?P<name>.+?)"
    + r"(?:(?:\s+(?:to|into|with|as|=)|\s*:)\s+(?P<value>.+))?$"
)
_SHOULD_BE = re.compile(
    _LEAD + _NAME + r"\s+(?:should be|should say|should have been|must be|is actually|was actually|is really|"
    r"is wrong[,;.]?\s*(?:it'?s|it is|it should be)|is not [^,;.]+[,;.]\s*(?:it'?s|it is))\s+(?P<value>.+)$"
)
_IS_NOT = re.compile(
    _LEAD + rf"(?:{_NAME}\s+)?(?:it'?s|it is|it was|is|was|that'?s|that was)?\s*"
    r"(?P<value>[^,;]+?)[, ]+(?:and )?not\s+(?P<wrong>[^,;.]+)$"
)
_ACTUALLY = re.compile(
    r"^(?:(?:oh|hang on)[,.]?\s+)*(?:(?:no|sorry|wait|oops|actually|correction|i made a mistake|i got that wrong|"
    r"that was wrong)[,.:;]?\s+)+" + _NAME + r"\s+(?:is|was|are|were)\s+(?P<value>.+)$"
)
_CONTACT = re.compile(
    _LEAD + _NAME + r"\s+(?:has changed|changed|is)[,;.:]?\s+"
    r"(?:(?:it'?s|it is|to|now|more like|about|around|rather)\s+)*(?P<value>.+)$"
)
_CONTACT_TYPES = ("phone", "email", "name")
_FIGURE = re.compile(
    _LEAD
    + r"(?P<wish>(?:make|put|say)\s+)?"
    + _NAME
    + r"(?:\s*[:=]|\s+(?:to|at|as|is|a|an))*\s+(?P<value>[\d+][^a-z]*)$"
)
_CHECKING = ("offer", "review")
"""Stages with no question on the table: what is said of an answer changes it."""
_REMOVE = re.compile(_LEAD + r"(?:remove|delete|erase|leave out|take out|drop|clear)\s+(?P<name>.+)$")
_WRONG = re.compile(
    _NAME + r"\s+(?:is|was|are|were|isn'?t|wasn'?t) (?:wrong|incorrect|not right|not correct|right|correct)$"
)
_POSSESSIVE = re.compile(r"^(?:my|the|their|her|his|our)\s+")


def change_in_words(text: str, said: str, state: State, reader: Reader) -> Decision | None:
    """The change that ``text`` (``said`` when plain) asks for or makes, or None when it is something else."""
    if found := about_letters(said, state):
        return found
    for pattern in (_CHANGE_TO, _SHOULD_BE, _ACTUALLY, _WRONG):
        match = pattern.match(said)
        if not match:
            continue
        named = named_field(match["name"], state)
        if not named:
            continue
        value = match.groupdict().get("value")
        if not value:
            return Decision(Kind.CHANGE, field=named)
        return _changed(named, as_typed(text, value), state, reader)
    if (found := _volunteered(text, said, state, reader) or _removed(text, said, state)) is not None:
        return found
    match = _IS_NOT.match(said)
    if match:
        named = named_field(match["name"] or "", state) or _field_that_says(state, match["wrong"].strip())
        if named:
            return _changed(named, as_typed(text, match["value"]), state, reader)
    return None


def _volunteered(text: str, said: str, state: State, reader: Reader) -> Decision | None:
    """ "My phone is ..." or "make the pain a 7" at any other question, once there is consent to keep it.

    With no question on the table, "pain 6" too.
    """
    if state.value("consent_send") != "yes":
        return None
    checking = state.stage in _CHECKING
    for pattern in (_CONTACT, _FIGURE):
        match = pattern.match(said)
        named = named_field(match["name"], state) if match else None
        if not match or not named:
            continue
        kind = questionnaire().field(named).type
        wished = bool(match.groupdict().get("wish"))
        contact = kind in _CONTACT_TYPES and pattern is _CONTACT
        if contact or (kind != "text" and (checking or wished)):
            found = _changed(named, as_typed(text, match["value"]), state, reader)
            if found.answer:
                return found
    return None


def told_ahead(text: str, said: str, state: State, reader: Reader) -> Decision | None:
    """What is no answer to the question on the table and plainly one to another: kept for that, and noted.

    Before there is consent to keep it, it will be asked for again. At the read-back a bare number or address takes the
    place of the one that stands there.
    """
    for field_id, pattern in words().ahead.items():
        match = re.search(pattern, said)
        if not match or not questionnaire().has(field_id):
            continue
        if field_id in state.answers and (
            state.stage not in _CHECKING or questionnaire().field(field_id).type not in _CONTACT_TYPES
        ):
            continue
        found = _changed(field_id, as_typed(text, match["value"]), state, reader)
        if found.answer:
            return found if state.consented else Decision(Kind.LATER)
    return None


def _removed(text: str, said: str, state: State) -> Decision | None:
    """ "Remove my e-mail": an answer that is taken out again. What cannot be left out is asked anew."""
    match = _REMOVE.match(said)
    named = named_field(match["name"], state) if match else None
    if not named or named not in state.answers:
        return None
    if questionnaire().field(named).required:
        return Decision(Kind.CHANGE, field=named)
    return Decision(Kind.CHANGE, field=named, answer=Answer("declined", None, "", text.strip(), state.said_by))


def _changed(field_id: str, text: str, state: State, reader: Reader) -> Decision:
    field = questionnaire().field(field_id)
    found = answer_to(field, with_correction(field, text, state), state, reader)
    if found.kind in (Kind.ANSWER, Kind.CONFIRM):
        return Decision(Kind.CHANGE if found.kind is Kind.ANSWER else Kind.CONFIRM, field=field_id, answer=found.answer)
    if found.kind is Kind.INVALID:
        return Decision(Kind.CHANGE, field=field_id)
    return found


def with_correction(field: Field, text: str, state: State) -> str:
    """ "L5" for "L4 fusion" corrects the level and keeps the operation; "L5" for "fusion" adds it; "Sara" for "Sarah
    Example" keeps the surname."""
    before = state.answers.get(field.id)
    if field.type == "name" and before:
        return _respelled(text, before.shown, field)
    if field.recognise != "operation" or not before or not before.text:
        return text
    new, old = find_levels(text), find_levels(before.text)
    if not new or (read_operation(text).value != text and len(text.split()) > 3):
        return text
    if not old:
        return text if find_procedures(text) else f"{before.text} {text}"
    return before.text[: old[0].start] + new[0].name + before.text[old[0].end :]


def _respelled(text: str, before: str, field: Field) -> str:
    """The name ``before`` with its one part that ``text`` spells otherwise; ``text`` when it is a whole name."""
    new = read(field, text, Reader(date.min))
    if not isinstance(new, Value) or " " in str(new.value):
        return text
    parts = before.split()
    near = get_close_matches(str(new.value), parts, 1, 0.7)
    return " ".join(str(new.value) if part == near[0] else part for part in parts) if near else text


def as_typed(text: str, value: str) -> str:
    """The part of ``text`` that became ``value`` when it was made plain: names and addresses keep their capitals."""
    place = text.casefold().rfind(value.casefold())
    return text[place : place + len(value)] if place >= 0 else value


def named_field(name: str, state: State) -> str | None:
    """The field that a patient calls ``name``. Answered ones win over others."""
    wanted = _POSSESSIVE.sub(
        "", re.sub(r"^(?:answer (?:to|about|for)|what i said about|entry for)\s+", "", plain(name))
    )
    wanted = re.sub(r"\s+(?:answer|please|again|first)$", "", _POSSESSIVE.sub("", wanted))
    if not wanted:
        return None
    found = [
        field.id
        for field in questionnaire().fields
        if wanted
        in {plain(field.label), field.id.replace("_", " "), *map(plain, words().field_names.get(field.id, ()))}
    ]
    given = [field_id for field_id in found if field_id in state.answers]
    return next(iter(given or found), None)


def _field_that_says(state: State, wrong: str) -> str | None:
    """The latest answer that holds ``wrong``: where "not L4" belongs."""
    levels = {part for level in find_levels(wrong) for part in (level.name, level.upper, level.lower)}
    for field_id, answer in reversed(state.answers.items()):
        if answer.status != "answered" or not questionnaire().has(field_id):
            continue
        inside = {part for level in find_levels(answer.text) for part in (level.name, level.upper, level.lower)}
        if levels & inside:
            return field_id
        if not levels and wrong in (plain(answer.shown), plain(answer.text), str(answer.value).casefold()):
            return field_id
    return None
