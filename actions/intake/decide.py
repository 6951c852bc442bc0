"""What a message means while an intake question is on the table: one pure function from words to a decision.

A free-text question takes statements as answers and only clear questions as digressions. Commands ("skip", "back",
"why do you ask?") are whole short messages, never words inside an answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any

from actions.intake.parse import Problem, Reader, Value, heard, heard_yes_no, plain, read, read_operation
from actions.intake.state import Answer, State
from actions.spine_terms import find_levels
from knowledge.intake import Field, FlagRule, questionnaire, words
from runtime.references import find_reference

SURE = 0.35
"""From this confidence on, a question outside the form is taken to be about the classifier's first topic."""
VERY_SURE = 0.85


class Kind(Enum):
    """What a message is."""

    ANSWER = "answer"
    CONFIRM = "confirm"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    KEEP = "keep"
    REWRITE = "rewrite"
    INVALID = "invalid"
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
    REDEEM = "redeem"
    MORE = "more"
    REVIEW = "review"
    SEND = "send"
    HUMAN = "human"
    STATUS = "status"
    DELETE = "delete"
    FOLLOW_UP = "follow_up"


@dataclass(frozen=True)
class Message:
    """What the patient sent, with what the language understanding made of it.

    Attributes:
        topics: what it asks about, the likeliest first, with confidence.
        label: the retrieval label, such as ``chitchat/thanks``.
        pressed: a button of something else than the question (``/faq{...}``): never an answer.
    """

    text: str
    intent: str = ""
    confidence: float = 0.0
    topics: tuple[tuple[str, float], ...] = ()
    label: str = ""
    pressed: bool = False


@dataclass(frozen=True)
class Decision:
    """What to do with a message. Which fields are set depends on ``kind``.

    Attributes:
        field: the field answered or changed; empty with CHANGE when the patient did not say which.
        answer: the answer, with ANSWER, CONFIRM, ESCALATE, UNKNOWN, DECLINED, SKIP and (if given) CHANGE.
        problem: why it does not fit, with INVALID.
        topic: what is asked, with DIGRESSION; the kind of small talk with SMALLTALK.
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


_INTENT_COMMANDS = {
    "stop": Kind.STOP,
    "go_back": Kind.BACK,
    "skip": Kind.SKIP,
    "ask_why": Kind.WHY,
    "repeat": Kind.HELP,
    "simpler": Kind.HELP,
    "human": Kind.HUMAN,
    "case_status": Kind.STATUS,
    "delete_data": Kind.DELETE,
    "tell_more": Kind.FOLLOW_UP,
    "ask_source": Kind.FOLLOW_UP,
}
_QUESTION = re.compile(
    r"^(?:(?:and|but|so|ok|okay|wait|sorry|hey|hi|well|um|quick question)[, ]+)*"
    r"(?:what|why|how|when|where|who|whom|whose|which|can|could|do|does|did|is|are|am|will|would|should|may|might|have|has)\b"
)
_FIRST_PERSON = re.compile(r"\b(i|i'm|i've|me|my|we|our|she|he|her|his|they|their)\b")
_SORRY = re.compile(r"^(?:no|nope|sorry|actually|not quite|wrong)[,.;: ]+(?:it'?s |it is |it was |i meant? |i said )?")
_LEAD = (
    r"^(?:(?:no|sorry|wait|oops|actually|oh|please|hang on|hold on|can you|could you|i'?d like to|i would like to|"
    r"i want to|i need to|let me|can i|may i|i meant?)[,.]?\s+)*"
)
_NAME = r"(?:my |the |their |her |his )?(?P<name>[a-z' \-]{2,40}?)"
_CHANGE_TO = re.compile(
    _LEAD
    + r"(?:change|correct|update|edit|fix|replace|set|put)\s+(?P<name>.+?)"
    + r"(?:\s+(?:to|into|with|as|=)\s+(?P<value>.+))?$"
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
    r"^(?:(?:no|sorry|wait|oops|oh|hang on)[,.]?\s+)*(?:actually|correction|i made a mistake|i got that wrong|"
    r"that was wrong)[,.:;]?\s+" + _NAME + r"\s+(?:is|was|are|were)\s+(?P<value>.+)$"
)
_WRONG = re.compile(
    _NAME + r"\s+(?:is|was|are|were|isn'?t|wasn'?t) (?:wrong|incorrect|not right|not correct|right|correct)$"
)
_POSSESSIVE = re.compile(r"^(?:my|the|their|her|his|our)\s+")
_NOT_KNOWN = re.compile(
    r"(?:i |we )?(?:really |honestly )?(?:don'?t|do not|can'?t) (?:know|remember|recall)\b|no idea\b|"
    r"not sure (?:what|which|how|when|of)\b"
)
_STILL_AN_ANSWER = re.compile(r"\b(maybe|but|think|perhaps|probably|might)\b")


def decide(state: State, message: Message, reader: Reader) -> Decision:
    """Return what ``message`` means where the conversation stands. Pure; never raises for any text."""
    if message.pressed:
        return _by_intent(message) or _elsewhere(message) or Decision(Kind.REWRITE)
    said = plain(message.text)
    code = find_reference(message.text, "RC")
    if code:
        return Decision(Kind.REDEEM, code=code)
    if state.pending:
        return _pending(state, message, said, reader)
    if state.kept and state.field:
        if heard("keep", said) or heard_yes_no(said):
            return Decision(Kind.KEEP, field=state.field)
        if heard("rewrite", said) or heard("no", said):
            return Decision(Kind.REWRITE, field=state.field)
    if state.stage == "offer":
        return _offer(state, message, said, reader)
    if state.stage == "review":
        return _review(state, message, said, reader)
    if state.field is None:
        return Decision(Kind.REVIEW)
    return _question(state, questionnaire().field(state.field), message, said, reader)


def answer_to(field: Field, text: str, state: State, reader: Reader) -> Decision:
    """Return the decision for ``text`` as the answer to ``field``, be it fitting or not."""
    found = Value(text.strip(), text.strip()) if field.id in state.as_said else read(field, text, reader)
    if isinstance(found, Problem):
        return Decision(Kind.INVALID, field=field.id, problem=found)
    answer = Answer("answered", found.value, found.shown, text.strip(), state.said_by)
    if found.confirm:
        return Decision(Kind.CONFIRM, field=field.id, answer=answer)
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


def _pending(state: State, message: Message, said: str, reader: Reader) -> Decision:
    assert state.pending
    if heard_yes_no(said) is True:
        return Decision(Kind.CONFIRMED, field=state.pending.field, answer=state.pending.answer)
    corrected = _SORRY.sub("", said)
    if heard("no", said) or heard("no", corrected):
        return Decision(Kind.REJECTED, field=state.pending.field)
    command = _command(said)
    if command:
        return command
    field = questionnaire().field(state.pending.field)
    if _is_question(message.text) and (elsewhere := _elsewhere(message)):
        return elsewhere
    text = message.text.strip() if corrected == said else message.text.strip()[-len(corrected) :]
    return answer_to(field, text, state, reader)


def _offer(state: State, message: Message, said: str, reader: Reader) -> Decision:
    if heard("more", said) or heard_yes_no(said) is True:
        return Decision(Kind.MORE)
    if heard("review", said) or heard("send", said) or heard("skip", said) or heard_yes_no(said) is False:
        return Decision(Kind.REVIEW)
    return (
        _command(said)
        or _change(state, message, said, reader)
        or _by_intent(message)
        or _elsewhere(message)
        or Decision(Kind.INVALID)
    )


def _review(state: State, message: Message, said: str, reader: Reader) -> Decision:
    if heard("send", said) or heard_yes_no(said) is True:
        return Decision(Kind.SEND)
    if heard("change", said) or heard("no", said):
        return Decision(Kind.CHANGE)
    if heard("more", said):
        return Decision(Kind.MORE)
    if heard("review", said):
        return Decision(Kind.REVIEW)
    found = _change(state, message, said, reader) or _command(said)
    if found:
        return found
    named = _named_field(said, state)
    if named:
        return Decision(Kind.CHANGE, field=named)
    return _by_intent(message) or _elsewhere(message) or Decision(Kind.INVALID)


def _question(state: State, field: Field, message: Message, said: str, reader: Reader) -> Decision:
    if _exact_choice(field, said):
        return answer_to(field, message.text, state, reader)
    unsure = _unsure(field, said)
    if unsure:
        return unsure
    command = _command(said)
    if command and not (field.takes_questions == "all" and command.kind is Kind.HELP):
        return command
    if state.longer and (heard("review", said) or heard("send", said)):
        return Decision(Kind.REVIEW)  # the longer part is an offer: one may stop answering and still send
    if field.type in ("text", "date") and not field.none_is_answer and heard("unknown", said):
        return _not_answered(Kind.UNKNOWN, field, message, state)
    if heard("declined", said):
        return _not_answered(Kind.DECLINED, field, message, state)
    if field.id == "safety" and heard_yes_no(said) is True:
        return Decision(Kind.INVALID, field=field.id, problem=Problem("which_signs"))
    change = _change(state, message, said, reader)
    if change and change.field != field.id:
        return change
    if _is_question(message.text) and not _question_is_answer(field, said):
        elsewhere = _elsewhere(message)
        if elsewhere:
            return elsewhere
    if field.type in ("text", "name"):
        return _free_text(field, message, said, state, reader)
    found = answer_to(field, message.text, state, reader)
    if found.kind is not Kind.INVALID:
        return found
    if _says_unknown(said):
        return _not_answered(Kind.UNKNOWN, field, message, state)
    return _by_intent(message) or _elsewhere(message) or found


def _free_text(field: Field, message: Message, said: str, state: State, reader: Reader) -> Decision:
    short = len(said.split()) <= 6
    if short and message.confidence >= VERY_SURE and (found := _by_intent(message)):
        return found
    if short and message.intent == "chitchat" and message.confidence >= VERY_SURE and field.id != "matters":
        return _elsewhere(message) or Decision(Kind.HELP)
    if _says_unknown(said) and field.type == "text" and not (field.recognise and read_operation(message.text).confirm):
        return _not_answered(Kind.UNKNOWN, field, message, state)
    if field.type == "text" and not field.none_is_answer and said in ("none", "nothing", "no", "n/a", "na", "nope"):
        return _not_answered(Kind.UNKNOWN, field, message, state)
    return answer_to(field, message.text, state, reader)


def _not_answered(kind: Kind, field: Field, message: Message, state: State) -> Decision:
    answer = Answer("unknown" if kind is Kind.UNKNOWN else "declined", None, "", message.text.strip(), state.said_by)
    return Decision(kind, field=field.id, answer=answer)


def _exact_choice(field: Field, said: str) -> bool:
    return any(said in (plain(choice.label), *map(plain, choice.said)) for choice in field.choices)


def _unsure(field: Field, said: str) -> Decision | None:
    """At the safety screen, "not sure" counts as much as a sign."""
    if field.unsure_flag and (heard("unsure", said) or (heard("unknown", said) and said != "?")):
        answer = Answer("answered", "unsure" if field.type == "yes_no" else ["unsure"], words().buttons["unsure"], said)
        return Decision(Kind.ESCALATE, field=field.id, answer=answer, flag=field.unsure_flag)
    return None


def _command(said: str) -> Decision | None:
    for kind in (Kind.STOP, Kind.BACK, Kind.SKIP, Kind.WHY, Kind.HELP, Kind.CODE):
        if heard(kind.value, said):
            return Decision(kind)
    if heard("change", said):
        return Decision(Kind.CHANGE)
    return None


def _by_intent(message: Message) -> Decision | None:
    """A command in other words than the lists know, when the classifier is sure."""
    if message.confidence >= VERY_SURE and message.intent in _INTENT_COMMANDS:
        return Decision(_INTENT_COMMANDS[message.intent])
    return None


def _elsewhere(message: Message) -> Decision | None:
    """A question about something else, or small talk."""
    if message.intent == "chitchat" and message.confidence >= SURE:
        return Decision(Kind.SMALLTALK, topic=message.label.partition("/")[2])
    if message.topics and message.topics[0][1] >= SURE and message.intent == "faq":
        return Decision(Kind.DIGRESSION, topic=message.topics[0][0])
    if message.intent == "explain_term" and message.confidence >= SURE:
        return Decision(Kind.EXPLAIN)
    return None


def _is_question(text: str) -> bool:
    said = plain(text)
    return "?" in text or (bool(_QUESTION.match(said)) and len(said.split()) >= 3)


def _question_is_answer(field: Field, said: str) -> bool:
    if field.takes_questions == "all":
        return True
    return field.takes_questions == "mine" and bool(_FIRST_PERSON.search(said))


def _says_unknown(said: str) -> bool:
    """ "I don't know the name" is not knowing; "I don't know, maybe a fusion" is an answer."""
    if heard("unknown", said):
        return True
    return bool(_NOT_KNOWN.match(said)) and len(said.split()) <= 9 and not _STILL_AN_ANSWER.search(said)


def _change(state: State, message: Message, said: str, reader: Reader) -> Decision | None:
    """A change of an answer given before, in words: "change my phone to ...", "it was L5 not L4"."""
    for pattern in (_CHANGE_TO, _SHOULD_BE, _ACTUALLY, _WRONG):
        match = pattern.match(said)
        if not match:
            continue
        named = _named_field(match["name"], state)
        if not named:
            continue
        value = match.groupdict().get("value")
        if not value:
            return Decision(Kind.CHANGE, field=named)
        return _changed(named, _as_typed(message.text, value), state, reader)
    match = _IS_NOT.match(said)
    if match:
        named = _named_field(match["name"] or "", state) or _field_that_says(state, match["wrong"].strip())
        if named:
            return _changed(named, _as_typed(message.text, match["value"]), state, reader)
    return None


def _changed(field_id: str, text: str, state: State, reader: Reader) -> Decision:
    field = questionnaire().field(field_id)
    found = answer_to(field, _with_correction(field, text, state), state, reader)
    if found.kind in (Kind.ANSWER, Kind.CONFIRM):
        return Decision(Kind.CHANGE if found.kind is Kind.ANSWER else Kind.CONFIRM, field=field_id, answer=found.answer)
    if found.kind is Kind.INVALID:
        return Decision(Kind.CHANGE, field=field_id)
    return found


def _with_correction(field: Field, text: str, state: State) -> str:
    """ "L5" for "L4 fusion" corrects the level and keeps the operation."""
    before = state.answers.get(field.id)
    if field.recognise != "operation" or not before or not before.text:
        return text
    new, old = find_levels(text), find_levels(before.text)
    if not new or not old or (read_operation(text).value != text and len(text.split()) > 3):
        return text
    return before.text[: old[0].start] + new[0].name + before.text[old[0].end :]


def _as_typed(text: str, value: str) -> str:
    """The part of ``text`` that became ``value`` when it was made plain: names and addresses keep their capitals."""
    place = text.casefold().rfind(value.casefold())
    return text[place : place + len(value)] if place >= 0 else value


def _named_field(name: str, state: State) -> str | None:
    """The field that a patient calls ``name``. Answered ones win over others."""
    wanted = _POSSESSIVE.sub(
        "", re.sub(r"^(?:answer (?:to|about|for)|what i said about|entry for)\s+", "", plain(name))
    )
    wanted = re.sub(r"\s+(?:answer|please|again)$", "", _POSSESSIVE.sub("", wanted))
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


def _names(field: Field) -> set[str]:
    return {plain(field.label), field.id.replace("_", " "), *map(plain, words().field_names.get(field.id, ()))}


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
