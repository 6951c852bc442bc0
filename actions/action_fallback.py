"""Says that a message was not understood, offers what is nearest, and never says the same twice in a row."""

from __future__ import annotations

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.answering import follow_up, is_about_me
from actions.base import Events, PatientAction, say
from actions.fallback import fall_back


class ActionFallback(PatientAction):
    action_name = "action_fallback"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        last_topic = tracker.get_slot("last_topic")
        if last_topic and is_about_me(tracker.latest_message.get("text") or ""):
            say(dispatcher, tracker, follow_up("for_me", last_topic, []))
            return []
        reply, name = fall_back(tracker.latest_message, tracker.get_slot("last_fallback"))
        say(dispatcher, tracker, [reply])
        return [SlotSet("last_fallback", name)]
