"""Goes on with an intake: after a pause, after emergency words, after days, or in another chat with a resume code."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.action_start_intake import OPEN, STAY
from actions.base import Button, Events, PatientAction, Reply, say
from actions.case_words import nothing_to_resume
from actions.database import StoreUnavailable
from actions.escalation_words import escalation_words
from actions.intake.state import State
from actions.intake.turn import IntakeTurn
from actions.report.pasted import put_down
from actions.store import store
from knowledge.content import content
from knowledge.intake import questionnaire, words
from runtime.references import find_reference


class ActionResumeIntake(PatientAction):
    action_name = "action_resume_intake"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        last = put_down(tracker.events)
        if last in ("compare_form", "report_form"):
            return [SlotSet("resuming", last.removesuffix("_form"))]
        data, phrases = store(), words().say
        code = find_reference(tracker.latest_message.get("text") or "", "RC")
        if code and not await asyncio.to_thread(data.redeem, code, tracker.sender_id):
            say(dispatcher, tracker, [Reply(phrases["code_unknown"].format(phone=content().clinic.phone))])
            return STAY
        turn = IntakeTurn(data, tracker.sender_id)
        state = await turn.state()
        if state is None:
            say(dispatcher, tracker, [nothing_to_resume()])
            return STAY
        await _keep_words(turn, state, tracker.events)
        say(dispatcher, tracker, [Reply(phrases["welcome_back"])])
        return OPEN


async def waiting_form(tracker: Tracker) -> str:
    """The form that a red flag put down and that can be gone on with, such as "compare_form"; "" when none waits."""
    if words_of_red_flag(tracker.events) is None:
        return ""
    form = put_down(tracker.events)
    if form != "intake_form":
        return form
    try:
        return form if await IntakeTurn(store(), tracker.sender_id).state() else ""
    except StoreUnavailable:
        return ""


def way_back() -> Reply:
    """The way back to the form that waits, for who wants to skip its question or to see the one before."""
    words = escalation_words()
    return Reply(words.waits, buttons=(Button(words.back, "/resume"),))


async def with_way_back(replies: list[Reply], tracker: Tracker) -> list[Reply]:
    """``replies`` to what was not understood, with the way back to a form: it may have been an answer to that."""
    if not replies or not await waiting_form(tracker):
        return replies
    return [*replies[:-1], with_offer(replies[-1], way_back())]


def with_offer(reply: Reply, offer: Reply) -> Reply:
    """``reply`` with what ``offer`` says behind it, and its buttons first."""
    return replace(reply, text=f"{reply.text} {offer.text}", buttons=(*offer.buttons, *reply.buttons))


async def form_stopped(tracker: Tracker) -> bool:
    """Whether an intake was begun and put aside: somebody who comes back and says hello may not know how to go on."""
    try:
        return bool(await IntakeTurn(store(), tracker.sender_id).state())
    except StoreUnavailable:
        return False


async def go_on(tracker: Tracker) -> Events:
    """The events that take up at once the form that a red flag put down; none when there is no such form."""
    form = await waiting_form(tracker)
    if form != "intake_form":
        return [FollowupAction(form)] if form else []
    turn = IntakeTurn(store(), tracker.sender_id)
    state = await turn.state()
    assert state
    await _keep_words(turn, state, tracker.events)
    return [*OPEN, FollowupAction(form)]


async def _keep_words(turn: IntakeTurn, state: State, events: Sequence[Mapping[str, Any]]) -> None:
    """Offer what was taken for a sign as the answer it may have been."""
    typed = words_of_red_flag(events)
    if typed and state.field and questionnaire().field(state.field).type == "text" and not state.pending:
        await turn.keep_words(typed)


def words_of_red_flag(events: Sequence[Mapping[str, Any]]) -> str | None:
    """What was typed when the form was put down because of a red flag, if that was what happened last to it.

    "" for an answer to the safety screen, which the form has kept, and for a button.
    """
    text = candidate = None
    for event in events:
        kind = event.get("event")
        if kind == "user":
            flagged = ((event.get("parse_data") or {}).get("intent") or {}).get("name") == "red_flag"
            candidate = event.get("text") if flagged else None
        elif kind == "slot" and event.get("name") == "intake_outcome" and event.get("value") == "escalate":
            candidate = ""
        elif kind == "active_loop":
            text = candidate if event.get("name") is None else None
    return "" if text and text.startswith("/") else text
