"""Says that a message was not understood, offers what is nearest, and never says the same twice in a row."""

from __future__ import annotations

from collections.abc import Collection

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.action_resume_intake import with_way_back
from actions.base import Events, PatientAction, any_number, say
from actions.explaining import explain_in_letter
from actions.fallback import fall_back
from actions.report.pasted import pasted
from actions.sent_case import offer_of_change


class ActionFallback(PatientAction):
    action_name = "action_fallback"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        events = await meant_otherwise(dispatcher, tracker, ())
        return await not_understood(dispatcher, tracker) if events is None else events


async def meant_otherwise(dispatcher: CollectingDispatcher, tracker: Tracker, topics: Collection[str]) -> Events | None:
    """Answer a message about none of our topics that speaks of a case that was sent, or of a word in the letter.

    ``topics`` are those it was taken for, if any. None: it speaks of neither, and nothing was said.
    """
    if set(topics) <= {"off_topic"} and (offer := await offer_of_change(tracker)):
        say(dispatcher, tracker, offer)
        return []
    if explained := explain_in_letter(tracker.latest_message.get("text") or "", pasted(tracker.events)):
        say(dispatcher, tracker, await with_way_back([explained], tracker))
        return [SlotSet("last_fallback", None)]
    return None


async def not_understood(dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
    """Say that the message was not understood, with the way back to a form that waits."""
    reply, name = fall_back(tracker.latest_message, tracker.get_slot("last_fallback"), any_number(tracker))
    say(dispatcher, tracker, await with_way_back([reply], tracker))
    return [SlotSet("last_fallback", name)]
