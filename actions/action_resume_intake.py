"""Goes on with an intake: after a pause, after emergency words, after days, or in another chat with a resume code."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.action_start_intake import OPEN, STAY
from actions.base import Events, PatientAction, Reply, say
from actions.case_words import nothing_to_resume
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
        typed = words_of_red_flag(tracker.events)
        if typed and state.field and questionnaire().field(state.field).type == "text" and not state.pending:
            await turn.keep_words(typed)
        say(dispatcher, tracker, [Reply(phrases["welcome_back"])])
        return OPEN


def words_of_red_flag(events: Sequence[Mapping[str, Any]]) -> str | None:
    """The message that put the intake form down because it was a red flag, if that was what happened last to it."""
    text = None
    for event in events:
        kind = event.get("event")
        if kind == "user":
            flagged = ((event.get("parse_data") or {}).get("intent") or {}).get("name") == "red_flag"
            candidate = event.get("text") if flagged else None
        elif kind == "active_loop":
            text = candidate if event.get("name") is None else None
    return text if text and not text.startswith("/") else None
