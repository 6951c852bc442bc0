"""Answers a question, or several asked in one message."""

from __future__ import annotations

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.answering import answer_topics, asked_topics, follow_up, is_about_me, last_turn, refuse_again, runners_up
from actions.base import Events, PatientAction, emergency_number, say
from actions.fallback import fall_back
from knowledge.content import content


class ActionAnswer(PatientAction):
    action_name = "action_answer"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        message = tracker.latest_message
        last_topic = tracker.get_slot("last_topic")
        if last_topic and is_about_me(message.get("text") or ""):
            say(dispatcher, tracker, follow_up("for_me", last_topic, [], emergency_number(tracker)))
            return []
        topics = asked_topics(message)
        if not topics:
            reply, name = fall_back(message, tracker.get_slot("last_fallback"))
            say(dispatcher, tracker, [reply])
            return [SlotSet("last_fallback", name)]
        if topics == [last_topic] and content().answers[last_topic].kind == "out_of_scope":
            say(dispatcher, tracker, refuse_again(last_topic, last_turn(tracker.events)))
        else:
            say(dispatcher, tracker, answer_topics(topics, runners_up(message), emergency_number(tracker)))
        return [SlotSet("last_topic", topics[-1]), SlotSet("last_fallback", None)]
