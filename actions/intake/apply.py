"""What a decision does: the next state, what is said about it, and what the outside has to do. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from actions.intake.decision import Decision, Kind
from actions.intake.letters import FIELD, brought_back, without
from actions.intake.readback import read_back
from actions.intake.state import Answer, Pending, State, applies, next_field, open_fields, waiting_fields
from knowledge.intake import Field, FlagRule, questionnaire, words

FAILS_BEFORE_REWORDING = 2


class Effect(Enum):
    """What the caller has to do after the replies."""

    ASK = "ask"
    STOP = "stop"
    ESCALATE = "escalate"
    FORGET = "forget"
    SUBMIT = "submit"
    DIGRESS = "digress"
    CODE = "code"
    REDEEM = "redeem"
    HUMAN = "human"
    STATUS = "status"
    DELETE = "delete"
    FOLLOW_UP = "follow_up"


@dataclass(frozen=True)
class Step:
    """The outcome of one message."""

    state: State
    say: tuple[str, ...] = ()
    effect: Effect = Effect.ASK
    topic: str = ""
    flag: FlagRule | None = None
    code: str = ""


def apply(state: State, decision: Decision, *, now: str, served: tuple[str, ...] = ()) -> Step:
    """Carry out ``decision``.

    Args:
        now: the time, ISO, for the consent.
        served: ISO codes of the countries the clinic serves; empty for all.
    """
    say = words().say
    state = replace(state, restarting=decision.kind is Kind.RESTART)
    match decision.kind:
        case Kind.ANSWER | Kind.CONFIRMED | Kind.KEEP:
            answer = decision.answer or Answer("answered", state.kept, state.kept, state.kept, state.said_by)
            return _answered(state, decision.field, answer, now=now, served=served)
        case Kind.CHANGE if decision.answer:
            field = questionnaire().field(decision.field)
            state = brought_back(state) if decision.answer.value == "yes" and field.needs else state
            changed = replace(_settled(state, field, decision.answer), fails=0)
            known = "changed" if decision.field in state.answers else "noted"
            line = say[known if decision.answer.status == "answered" else "left_out"]
            if field.needs == "letters":
                line = say[f"letters_{decision.answer.value or 'no'}"]
            line = line.format(label=field.label, value=decision.answer.shown)
            return Step(_onward(changed) if state.field == decision.field else changed, (line,))
        case Kind.CHANGE if decision.field:
            return Step(
                _go_to(state, decision.field, from_review=state.stage == "review" or state.from_review),
                (say["change_to"],),
            )
        case Kind.CHANGE:
            return Step(state, (say["change_which"],))
        case Kind.CONFIRM:
            assert decision.answer
            return Step(replace(state, pending=Pending(decision.field, decision.answer), kept="", fails=0))
        case Kind.REJECTED:
            again = _go_to(state, decision.field, from_review=state.from_review)
            return Step(replace(again, as_said=(*state.as_said, decision.field)), (say["confirm_no"],))
        case Kind.REWRITE:
            return Step(replace(state, kept=""))
        case Kind.RESTART:
            return Step(state)
        case Kind.RESTARTED:
            # What was found dangerous is kept, and a correction stays one of the same case.
            return Step(State(reference=state.reference, red_flags=state.red_flags), (say["restarted"],))
        case Kind.ASK_FIRST | Kind.LATER:
            return Step(state, (say[decision.kind.value],))
        case Kind.ESCALATE:
            assert decision.answer and decision.flag
            flagged = _settled(state, questionnaire().field(decision.field), decision.answer)
            evidence = f"{questionnaire().field(decision.field).label}: {decision.answer.shown}"
            found = {
                "category": decision.flag.category,
                "tier": decision.flag.tier,
                "evidence": evidence,
                "rule": f"intake.{decision.field}",
                "at": now,
            }
            flagged = replace(flagged, red_flags=(*state.red_flags, found))
            return Step(_onward(flagged), effect=Effect.ESCALATE, flag=decision.flag)
        case Kind.UNKNOWN | Kind.DECLINED | Kind.SKIP | Kind.NOT_READ:
            return _left_out(state, decision)
        case Kind.INVALID:
            return _invalid(state, decision)
        case Kind.NO_CONSENT:
            return Step(state, (say["no_consent"],), Effect.FORGET)
        case Kind.UNDER_AGE:
            return Step(state, (say["under_18"],), Effect.FORGET)
        case Kind.BACK:
            return _back(state)
        case Kind.WHY:
            return Step(state, (_about(state, "why"),))
        case Kind.HELP:
            return Step(state, (_about(state, "help"),))
        case Kind.MORE:
            longer = replace(state, longer=True, stage="ask", from_review=False)
            if next_field(longer) is None:
                return Step(replace(longer, stage="review", field=None), (say["more_done"],))
            return Step(_onward(longer))
        case Kind.REVIEW:
            return Step(replace(state, stage="review", field=None, pending=None))
        case Kind.SHOW:
            if state.stage == "review":
                return Step(state)
            return Step(state, tuple(read_back(state)) if state.answers else (_about(state, "why"),))
        case Kind.NOT_YET:
            left = len(open_fields(state, "short"))
            return Step(state, (say["not_yet" if left > 1 else "not_yet_one"].format(count=left),))
        case Kind.PROGRESS:
            left = len({field.id for field in waiting_fields(state)} | ({state.field} if state.field else set()))
            line = say["progress" if left > 1 else "progress_one"].format(count=left)
            return Step(state, (line,) if left else ())  # with nothing left the offer, or the review, says so
        case Kind.LETTER:
            return _letter(state)
        case Kind.DROP_LETTER:
            return Step(without(state, int(decision.topic)), (say["letter_out"],))
        case Kind.NO_LETTER:
            return Step(state, (say["letter_none"],))
        case Kind.SEND:
            if missing := _missing(state):
                return missing
            return Step(state, effect=Effect.SUBMIT)
        case Kind.STOP:
            return Step(state, effect=Effect.STOP)
        case Kind.DIGRESSION | Kind.SMALLTALK | Kind.EXPLAIN:
            return Step(state, effect=Effect.DIGRESS, topic=decision.topic)
        case Kind.REDEEM:
            return Step(state, effect=Effect.REDEEM, code=decision.code)
        case _:
            return Step(state, effect=Effect(decision.kind.value))


def _answered(state: State, field_id: str, answer: Answer, *, now: str, served: tuple[str, ...]) -> Step:
    field = questionnaire().field(field_id)
    settled = _settled(state, field, answer)
    if field_id == "consent_send" and answer.value == "yes":
        settled = replace(settled, consent_at=now)
    said: list[str] = []
    if state.kept:
        said.append(words().say["resumed_kept"])
    if field_id == "country" and served and answer.value not in served:
        said.append(words().say["other_country"])
    if state.field != field_id and state.stage == "ask":
        # An answer to an earlier question was corrected and has now been confirmed: the question on the table stays.
        said.append(words().say["changed"].format(label=field.label, value=answer.shown))
        return Step(settled, tuple(said))
    if state.stage == "review":
        said.append(words().say["changed"].format(label=field.label, value=answer.shown))
        return Step(replace(settled, field=None), tuple(said))
    return Step(_onward(settled), tuple(said))


def _settled(state: State, field: Field, answer: Answer) -> State:
    """The state with ``answer`` in it, and without answers to questions that it makes void."""
    trail = state.trail if field.id in state.trail else (*state.trail, field.id)
    settled = replace(state.with_answer(field.id, answer), trail=trail, fails=0, pending=None, kept="")
    void = {
        other
        for other in settled.answers
        if questionnaire().has(other) and not applies(questionnaire().field(other), settled)
    }
    if field.id == "about":  # one and the same person has been writing all along
        given = {other: replace(each, said_by=settled.said_by) for other, each in settled.answers.items()}
        settled = replace(settled, answers=given)
    if void:
        kept = {other: given for other, given in settled.answers.items() if other not in void}
        settled = replace(settled, answers=kept, trail=tuple(each for each in trail if each not in void))
    return settled


def _onward(state: State) -> State:
    """The next question, the offer of the longer part, or the read-back."""
    if state.from_review:
        waiting = open_fields(state, "consent") + open_fields(state, "short")
        if not waiting:
            return replace(state, stage="review", field=None, from_review=False)
    field = next_field(state)
    if field:
        return replace(state, stage="ask", field=field.id, fails=0)
    if not state.longer and open_fields(state, "long"):
        return replace(state, stage="offer", field=None, fails=0)
    return replace(state, stage="review", field=None, fails=0)


def _go_to(state: State, field_id: str, *, from_review: bool = False) -> State:
    return replace(state, stage="ask", field=field_id, fails=0, pending=None, kept="", from_review=from_review)


_LEFT_OUT = {
    Kind.UNKNOWN: "noted_unknown",
    Kind.DECLINED: "noted_declined",
    Kind.SKIP: "skipped",
    Kind.NOT_READ: "not_read",
}
"""What is said of a question that gets no answer."""


def _left_out(state: State, decision: Decision) -> Step:
    say = words().say
    if state.stage != "ask" or state.field is None:
        return Step(_onward(state) if state.stage == "ask" else replace(state, stage="review", field=None))
    field = questionnaire().field(state.field)
    if field.required:
        return Step(state, (say["required"],))
    answer = decision.answer or Answer("declined", said_by=state.said_by)
    return Step(_onward(_settled(state, field, answer)), (say[_LEFT_OUT[decision.kind]],))


def _invalid(state: State, decision: Decision) -> Step:
    say = words().say
    if state.stage != "ask" or state.field is None:
        return Step(state, (say["review_again" if state.stage == "review" else "help_commands"],))
    field = questionnaire().field(state.field)
    if state.pending and decision.problem and decision.problem.reason == "invalid_yes_no":
        return Step(replace(state, fails=state.fails + 1), (say["invalid_yes_no"],))
    failed = replace(state, fails=state.fails + 1, pending=None, kept="")
    if field.required and field.path == "consent":
        return Step(failed, (say["consent_unclear"],))
    assert decision.problem
    return Step(
        failed,
        (
            say[decision.problem.reason]
            .replace("{min}", dict(decision.problem.details).get("min", ""))
            .replace("{max}", dict(decision.problem.details).get("max", "")),
        ),
    )


def _back(state: State) -> Step:
    say = words().say
    if state.pending:
        return Step(_go_to(state, state.pending.field, from_review=state.from_review), (say["back"],))
    earlier = state.trail[: state.trail.index(state.field)] if state.field in state.trail else state.trail
    if not earlier:
        return Step(state, (say["cannot_go_back"],))
    return Step(_go_to(state, earlier[-1], from_review=state.stage == "review"), (say["back"],))


def _about(state: State, what: str) -> str:
    if state.field is None:
        return words().say["help_commands"]
    return questionnaire().say(getattr(questionnaire().field(state.field), what), state.person)


def _letter(state: State) -> Step:
    """A letter came: the clinic's copy is asked about at once, unless consent or an answer to be confirmed goes first."""
    line = (words().say["letter_here"],)
    if open_fields(state, "consent") or state.pending or FIELD in state.answers:
        return Step(state, line)
    return Step(_go_to(state, FIELD, from_review=state.stage == "review" or state.from_review), line)


def _missing(state: State) -> Step | None:
    """What has to be asked before a case can be sent."""
    for field in open_fields(state, "consent"):
        return Step(_go_to(state, field.id, from_review=True))
    for field in open_fields(state, "short"):
        if field.required or field.needs:
            return Step(_go_to(state, field.id, from_review=True))
    if not state.value("phone") and not state.value("email"):
        return Step(_go_to(state, "phone", from_review=True), (words().say["no_contact"],))
    return None
