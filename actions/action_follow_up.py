"""Carries on from the last answer: more, where it is from, why, again, more simply, yes and no."""

from __future__ import annotations

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.answering import follow_up, last_turn
from actions.base import Events, PatientAction, say


class ActionFollowUp(PatientAction):
    action_name = "action_follow_up"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        kind = tracker.latest_message["intent"]["name"]
        say(dispatcher, tracker, follow_up(kind, tracker.get_slot("last_topic"), last_turn(tracker.events)))
        return [SlotSet("last_fallback", None)]
