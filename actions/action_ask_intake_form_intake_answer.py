"""Asks the question of the intake that is on the table."""

from __future__ import annotations

from dataclasses import replace

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import Events, PatientAction, say
from actions.case_words import facts, nothing_to_resume
from actions.intake.ask import question
from actions.intake.turn import IntakeTurn
from actions.store import store


class ActionAskIntakeFormIntakeAnswer(PatientAction):
    action_name = "action_ask_intake_form_intake_answer"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        state = await IntakeTurn(store(), tracker.sender_id).state()
        if state is None:
            say(dispatcher, tracker, [nothing_to_resume()])
            return []
        replies = question(state)
        number = facts(tracker)["emergency_number"]
        replies = [replace(reply, text=reply.text.replace("{emergency_number}", number)) for reply in replies]
        topic = answered_topic(tracker.events)
        if topic:
            replies[-1] = replace(replies[-1], custom={**(replies[-1].custom or {}), "answered": topic})
        say(dispatcher, tracker, replies)
        return []


def answered_topic(events: list[dict]) -> str | None:
    """The topic answered in this turn, before the question was asked again."""
    for event in reversed(events):
        if event.get("event") == "user":
            return None
        if event.get("event") == "slot" and event.get("name") == "last_topic":
            topic: str | None = event.get("value")
            return topic
    return None
