"""What a message means while an intake question is on the table: one pure function from words to a decision.

A free-text question takes statements as answers and only clear questions as digressions. Commands ("skip", "back",
"why do you ask?") are whole short messages, never words inside an answer.
"""

from __future__ import annotations

import re

from actions.intake.changes import as_typed, change_in_words, named_field, told_ahead, with_correction
from actions.intake.decision import Decision, Kind, Message, answer_to
from actions.intake.letters import about_letters
from actions.intake.parse import Problem, Reader, heard, heard_yes_no, plain, read_operation
from actions.intake.state import Answer, AnswerStatus, State
from actions.wishes import MOST_WORDS_OF_A_WISH, wants_restart, wants_to_ask
from knowledge.intake import Field, questionnaire, words
from runtime.references import find_reference

SURE = 0.35
"""From this confidence on, a question outside the form is taken to be about the classifier's first topic."""
VERY_SURE = 0.85
MOST_MISSES = 4
"""So many answers in a row that do not fit leave a question out that need not be answered. The words are kept."""
_ALREADY_HERE = ("start_intake", "resume")


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
_THE_PATIENT = re.compile(
    r"\b(?:i|i'm|i've|me|my|we|our|she|he|her|his|they|their|mum|mom|mother|dad|father|wife|husband|partner|son|daughter|"
    r"brother|sister|gran\w*|nan|nana)\b"
)
_SORRY = re.compile(r"^(?:no|nope|sorry|actually|not quite|wrong)[,.;: ]+(?:it'?s |it is |it was |i meant? |i said )?")
_YES_BUT = re.compile(r"^(?:yes|yeah|yep|yup|right|ok|okay|almost|nearly|close)\b.*?\b(?:but|except|only)\b[, ]*")
_BUT = re.compile(r"\b(?:but|except|only|just)\b[, ]*(?:for |that )?(?P<rest>.+)$")
_NOT_NOW = re.compile(r"\b(?:wait|wrong|change|first|not|later|before|mistake|one thing)\b")
_WHY_YOU = re.compile(
    r"^(?:and |but |so )?why (?:do|would|did|are|should) (?:you|i) (?:need|want|ask|asking|tell|give)\b"
)
_HAS_NONE = re.compile(
    r"(?:sorry,? )?(?:none|n/?a|no (?:phone|number|mobile|e-?mail|address)\b.*|"
    r"(?:(?:i|we|they|he|she) )?(?:really )?(?:don'?t|do not|doesn'?t|haven'?t) (?:have|got|own|use)\b.*)$"
)
_NOT_KNOWN = re.compile(
    r"(?:i |we )?(?:really |honestly )?(?:don'?t|do not|can'?t) (?:know|remember|recall)\b|no idea\b|"
    r"not sure (?:what|which|how|when|of)\b"
)
_AMOUNT = re.compile(
    r"(?:(?:about|for|over|nearly|almost|since|roughly) )*(?:\d|one|two|three|four|five|six|ten|a few|several|many)\b"
)
"""How an answer begins that came for another question: "3 years" asks for nothing."""
_STILL_AN_ANSWER = re.compile(r"\b(maybe|but|think|perhaps|probably|might)\b")


def decide(state: State, message: Message, reader: Reader) -> Decision:
    """Return what ``message`` means where the conversation stands. Pure; never raises for any text."""
    if message.letter:
        return Decision(Kind.LETTER)
    if message.pressed:
        return _by_intent(message) or _elsewhere(message) or Decision(Kind.REWRITE)
    said = plain(message.text)
    code = find_reference(message.text, "RC")
    if code:
        return Decision(Kind.REDEEM, code=code)
    if state.restarting and (wants_restart(said) or heard_yes_no(said) is True):
        return Decision(Kind.RESTARTED)
    if state.restarting and (heard("more", said) or heard_yes_no(said) is False):
        return Decision(Kind.REWRITE)
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
    field = questionnaire().field(state.field)
    found = _question(state, field, message, said, reader)
    if found.kind is Kind.INVALID and state.fails + 1 >= MOST_MISSES and not field.required:
        return _not_answered(Kind.NOT_READ, field, message, state)
    return found


def _pending(state: State, message: Message, said: str, reader: Reader) -> Decision:
    assert state.pending
    if heard_yes_no(said) is True and not _YES_BUT.match(said):
        return Decision(Kind.CONFIRMED, field=state.pending.field, answer=state.pending.answer)
    corrected = _SORRY.sub("", _YES_BUT.sub("", said))
    if heard("no", said) or heard("no", corrected):
        return Decision(Kind.REJECTED, field=state.pending.field)
    command = _command(said)
    if command:
        return command
    asked = state.with_answer(state.pending.field, state.pending.answer)
    if change := change_in_words(message.text, said, asked, reader):
        return change
    field = questionnaire().field(state.pending.field)
    if _is_question(message.text) and (elsewhere := _elsewhere(message)):
        return elsewhere
    text = message.text.strip() if corrected == said else as_typed(message.text, corrected)
    whole = with_correction(field, text, asked)
    if field.recognise == "operation" and (heard("unknown", said) or heard("unsure", said)):
        return Decision(Kind.CONFIRMED, field=field.id, answer=state.pending.answer)  # their own words stay as they are
    if field.recognise == "operation" and corrected == said and not read_operation(whole).confirm and not state.fails:
        # Neither yes nor no, and no operation or level that could put it right.
        return Decision(Kind.INVALID, field=field.id, problem=Problem("invalid_yes_no"))
    return answer_to(field, whole, state, reader)


def _offer(state: State, message: Message, said: str, reader: Reader) -> Decision:
    if change := change_in_words(message.text, said, state, reader):  # "no, my pain is 8" is more than a no
        return change
    if heard("more", said) or heard_yes_no(said) is True:
        return Decision(Kind.MORE)
    if _finished(said) or heard("skip", said) or heard_yes_no(said) is False:
        return Decision(Kind.REVIEW)
    return (
        _command(said)
        or _ahead(message, said, state, reader)
        or _by_intent(message)
        or _elsewhere(message)
        or Decision(Kind.INVALID)
    )


def _review(state: State, message: Message, said: str, reader: Reader) -> Decision:
    if all(heard("send", part) or heard("yes", part) for part in _parts(said)):
        return Decision(Kind.SEND)
    but = _BUT.search(said)
    if but and (found := _change(as_typed(message.text, but["rest"]), but["rest"], state, reader)):
        return found
    if heard_yes_no(said) is True:  # "yes, it is all right" sends; "yes, but wait" never does
        return Decision(Kind.CHANGE if but or _NOT_NOW.search(said) else Kind.SEND)
    if heard("change", said) or heard("no", said):
        return Decision(Kind.CHANGE)
    if heard("more", said):
        return Decision(Kind.MORE)
    if heard("review", said):
        return Decision(Kind.REVIEW)
    return (
        _change(message.text, said, state, reader)
        or _ahead(message, said, state, reader)
        or _command(said)
        or _by_intent(message)
        or _elsewhere(message)
        or Decision(Kind.INVALID)
    )


def _parts(said: str) -> list[str]:
    """ "That's enough, send it please" as what is said one after the other, without the politeness."""
    parts = (re.sub(r"[, ]*\b(?:please|thanks|thank you)$", "", part).strip() for part in re.split(r"[,.;!]", said))
    return [part for part in parts if part] or [said]


def _finished(said: str) -> bool:
    """Whether somebody wants to see the whole and send it."""
    parts = _parts(said)
    done = [heard("review", part) or heard("send", part) for part in parts]
    return any(done) and all(each or heard("stop", part) for each, part in zip(done, parts, strict=True))


def _change(text: str, said: str, state: State, reader: Reader) -> Decision | None:
    """A change made or asked for, or an answer that is only named."""
    if found := change_in_words(text, said, state, reader):
        return found
    named = named_field(said, state)
    return Decision(Kind.CHANGE, field=named) if named else None


def _question(state: State, field: Field, message: Message, said: str, reader: Reader) -> Decision:
    if found := about_letters(said, state):
        return found
    if field.needs == "letters" and heard("send", said):
        # The letter, or the case? Nothing is passed on by a guess.
        return Decision(Kind.INVALID, field=field.id, problem=Problem("invalid_yes_no"))
    if _exact_choice(field, said):
        return answer_to(field, message.text, state, reader)
    unsure = _unsure(field, said)
    if unsure:
        return unsure
    if state.longer and _finished(said):
        return Decision(Kind.REVIEW)  # the longer part is an offer: one may stop answering and still send
    if field.path == "short" and _finished(said) and not heard("skip", said):
        return Decision(Kind.NOT_YET)
    command = _command(said)
    if command and not (field.takes_questions == "all" and command.kind is Kind.HELP):
        return command
    if (
        message.intent in _ALREADY_HERE
        and message.confidence >= VERY_SURE
        and len(said.split()) <= MOST_WORDS_OF_A_WISH
    ):
        return Decision(Kind.REWRITE)  # somebody who lost the thread; the question is asked again
    if field.type in ("text", "date") and not field.none_is_answer and heard("unknown", said):
        return _not_answered(Kind.UNKNOWN, field, message, state)
    if heard("declined", said):
        return _not_answered(Kind.DECLINED, field, message, state)
    if field.id == "safety" and heard_yes_no(said) is True:
        return Decision(Kind.INVALID, field=field.id, problem=Problem("which_signs"))
    change = change_in_words(message.text, said, state, reader)
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
    if field.type in ("phone", "email") and _HAS_NONE.match(said):
        return _not_answered(Kind.SKIP, field, message, state)
    aside = None if _AMOUNT.match(said) and not _is_question(message.text) else _elsewhere(message)
    return _by_intent(message) or _ahead(message, said, state, reader) or aside or found


def _ahead(message: Message, said: str, state: State, reader: Reader) -> Decision | None:
    return None if _is_question(message.text) else told_ahead(message.text, said, state, reader)


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
    if field.type == "text" and not field.none_is_answer and heard("yes", said):
        return Decision(Kind.INVALID, field=field.id, problem=Problem("invalid_text"))  # "yes" says nothing here
    found = answer_to(field, message.text, state, reader)
    return (_ahead(message, said, state, reader) or found) if found.kind is Kind.INVALID else found


def _not_answered(kind: Kind, field: Field, message: Message, state: State) -> Decision:
    status: AnswerStatus = "unknown" if kind in (Kind.UNKNOWN, Kind.NOT_READ) else "declined"
    answer = Answer(status, None, "", message.text.strip(), state.said_by)
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
    for kind in (Kind.STOP, Kind.BACK, Kind.SKIP, Kind.WHY, Kind.HELP, Kind.CODE, Kind.PROGRESS):
        if heard(kind.value, said):
            return Decision(kind)
    if wants_restart(said):
        return Decision(Kind.RESTART)
    if heard("ask_first", said) or wants_to_ask(said):
        return Decision(Kind.ASK_FIRST)
    if heard("what_sent", said):
        return Decision(Kind.SHOW)
    if heard("change", said):
        return Decision(Kind.CHANGE)
    if _WHY_YOU.match(said):
        return Decision(Kind.WHY)
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
    return field.takes_questions == "mine" and bool(_THE_PATIENT.search(said))


def _says_unknown(said: str) -> bool:
    """ "I don't know the name" is not knowing; "I don't know, maybe a fusion" is an answer."""
    if heard("unknown", said):
        return True
    return bool(_NOT_KNOWN.match(said)) and len(said.split()) <= 9 and not _STILL_AN_ANSWER.search(said)
