"""Carries on from the last answer: more, where it is from, why, again, more simply, yes and no."""

from __future__ import annotations

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.answering import follow_up, is_about_me, last_turn
from actions.base import Events, PatientAction, emergency_number, say


class ActionFollowUp(PatientAction):
    action_name = "action_follow_up"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        message = tracker.latest_message
        kind = "for_me" if is_about_me(message.get("text") or "") else message["intent"]["name"]
        topic, said = tracker.get_slot("last_topic"), last_turn(tracker.events)
        say(dispatcher, tracker, follow_up(kind, topic, said, emergency_number(tracker)))
        return [SlotSet("last_fallback", None)]
