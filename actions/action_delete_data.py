"""Deletes everything of a conversation, after asking once: drafts, cases, escalations, here and at the case system.

Whoever only wants the clinic to stop may take the case back instead: it stays, marked as withdrawn.
"""

from __future__ import annotations

import asyncio

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.answering import follow_up, last_turn
from actions.base import Events, PatientAction, Reply, emergency_number, say
from actions.case_words import delete_question, payload
from actions.intake.parse import heard, plain
from actions.store import store
from knowledge.intake import words


class ActionDeleteData(PatientAction):
    action_name = "action_delete_data"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        intent = tracker.latest_message["intent"]["name"]
        before = last_turn(tracker.events)
        asked = any(text.startswith(words().say["delete_ask"]) for text in before)
        chosen = next(tracker.get_latest_entity_values("choice"), None)
        if asked and (chosen == "withdraw" or heard("withdraw", plain(tracker.latest_message.get("text") or ""))):
            say(dispatcher, tracker, [await withdrawn(tracker.sender_id)])
            return [SlotSet("asking", None)]
        if intent != "delete_data" and not asked:
            # A yes to something that was asked later: it must never delete anything.
            say(
                dispatcher,
                tracker,
                follow_up(intent, tracker.get_slot("last_topic"), before, emergency_number(tracker)),
            )
            return [SlotSet("asking", None)]
        if intent == "deny":
            say(dispatcher, tracker, [Reply(words().say["delete_no"])])
            return [SlotSet("asking", None)]
        if not (asked and (chosen == "yes" or intent == "affirm")):
            sent = await asyncio.to_thread(store().standing_case, tracker.sender_id)
            say(dispatcher, tracker, [delete_question(sent.reference if sent else "")])
            return [SlotSet("asking", "delete")]
        erased = await asyncio.to_thread(store().erase, tracker.sender_id)
        anything = erased.total
        done = words().say["delete_done" if anything else "delete_done_nothing"]
        say(dispatcher, tracker, [Reply(done, custom={"kind": "erased"})])  # the gateway deletes its lines on this
        # The tracker store sees this slot when the turn is saved, and deletes the conversation instead.
        return [SlotSet("asking", None), SlotSet("erase_conversation", True)]


async def withdrawn(sender: str) -> Reply:
    """Take the case back and say so."""
    sent = await asyncio.to_thread(store().standing_case, sender)
    if sent is None:
        return Reply(words().say["delete_no"])
    await asyncio.to_thread(store().withdraw, sent.id)
    return Reply(words().say["withdraw_done"].format(ref=sent.reference), custom=payload(sent, "withdrawn"))
