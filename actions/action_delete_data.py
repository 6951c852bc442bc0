"""Deletes everything of a conversation, after asking once: drafts, cases, escalations, here and at the case system."""

from __future__ import annotations

import asyncio

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.answering import follow_up, last_turn
from actions.base import Events, PatientAction, Reply, say
from actions.case_words import delete_question
from actions.store import store
from knowledge.intake import words


class ActionDeleteData(PatientAction):
    action_name = "action_delete_data"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        intent = tracker.latest_message["intent"]["name"]
        before = last_turn(tracker.events)
        asked = delete_question().text in before
        chosen = next(tracker.get_latest_entity_values("choice"), None) == "yes"
        if intent != "delete_data" and not asked:
            # A yes to something that was asked later: it must never delete anything.
            say(dispatcher, tracker, follow_up(intent, tracker.get_slot("last_topic"), before))
            return [SlotSet("asking", None)]
        if intent == "deny":
            say(dispatcher, tracker, [Reply(words().say["delete_no"])])
            return [SlotSet("asking", None)]
        if not (asked and (chosen or intent == "affirm")):
            say(dispatcher, tracker, [delete_question()])
            return [SlotSet("asking", "delete")]
        erased = await asyncio.to_thread(store().erase, tracker.sender_id)
        anything = erased.drafts or erased.intakes or erased.escalations or erased.workspaces
        say(dispatcher, tracker, [Reply(words().say["delete_done" if anything else "delete_done_nothing"])])
        # The tracker store sees this slot when the turn is saved, and deletes the conversation instead.
        return [SlotSet("asking", None), SlotSet("erase_conversation", True)]
