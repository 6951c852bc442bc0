"""Carries on from the last answer: more, where it is from, why, what it means for me, again, more simply, yes and no."""

from __future__ import annotations

from collections.abc import Sequence

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.answering import follow_up, last_kind, last_turn, said_of
from actions.base import Events, PatientAction, emergency_number, say
from actions.explaining import explain_last
from actions.intake.parse import plain
from knowledge.dialogue import dialogue
from safety.detect import detector


def only_noted(text: str, last_said: Sequence[str]) -> bool:
    """Whether ``text`` is an "ok" that only says an answer was read: one that asked nothing, at its end."""
    asked = bool(last_said) and last_said[-1].rstrip().endswith("?")
    return plain(text) in dialogue().follow_up.just_noted and not asked


class ActionFollowUp(PatientAction):
    action_name = "action_follow_up"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        kind = tracker.latest_message["intent"]["name"]
        topic, said = tracker.get_slot("last_topic"), last_turn(tracker.events)
        text = tracker.latest_message.get("text") or ""
        if kind == "affirm":
            topic = topic if said_of(topic, said, emergency_number(tracker)) else None
            kind = "affirm" if topic and not only_noted(text, said) else "noted"
        if kind == "about_me" and last_kind(tracker.events) == "explain":
            topic = None  # "is that bad?" is about the words just explained
        word = explain_last(tracker.events) if kind in ("ask_why", "simpler", "tell_more") else None
        people = detector().concepts_in(text) & {"OTHER", "SELF"}
        other = kind == "about_me" and people == {"OTHER"}
        replies = [word] if word else follow_up(kind, topic, said, emergency_number(tracker), other=other)
        say(dispatcher, tracker, replies)
        return [SlotSet("last_fallback", None)]
