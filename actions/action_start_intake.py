"""Opens the intake: a new one, the one that waits, or one that was sent and is to be corrected."""

from __future__ import annotations

import asyncio

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.base import Events, PatientAction, Reply, say
from actions.case_words import have_sent
from actions.intake.turn import IntakeTurn
from actions.store import store
from knowledge.intake import words

OPEN = [SlotSet("intake_answer", None), SlotSet("intake_outcome", None), SlotSet("resuming", "intake")]
STAY = [SlotSet("resuming", None)]


class ActionStartIntake(PatientAction):
    action_name = "action_start_intake"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        data, phrases = store(), words().say
        turn = IntakeTurn(data, tracker.sender_id)
        choice = next(tracker.get_latest_entity_values("choice"), None)
        if await turn.state() and choice != "new":
            say(dispatcher, tracker, [Reply(phrases["welcome_back"])])
            return OPEN
        sent = [each for each in await asyncio.to_thread(data.sent_by, tracker.sender_id) if each.status != "withdrawn"]
        if sent and choice == "change" and await turn.reopen(sent[0]):
            say(dispatcher, tracker, [Reply(phrases["reopened"])])
            return OPEN
        if sent and choice != "new":
            say(dispatcher, tracker, [have_sent(sent[0])])
            return STAY
        await turn.begin()
        say(dispatcher, tracker, [Reply(phrases["fresh"] if sent else phrases["start"])])
        return OPEN
