"""Answers a question, or several asked in one message."""

from __future__ import annotations

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.action_fallback import meant_otherwise, not_understood
from actions.action_resume_intake import with_way_back
from actions.answering import (
    answer_topics,
    asked_topics,
    heard_fear,
    last_turn,
    refuse_again,
    runners_up,
    with_also_asked,
    without_delay,
)
from actions.base import Events, PatientAction, emergency_number, say
from knowledge.content import content


class ActionAnswer(PatientAction):
    action_name = "action_answer"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        message = tracker.latest_message
        last_topic = tracker.get_slot("last_topic")
        topics = without_delay(asked_topics(message), message.get("told") or "")
        if set(topics) <= {"off_topic", "other_health"}:
            events = await meant_otherwise(dispatcher, tracker, topics)
            if events is not None:
                return events
        if not topics:
            return await not_understood(dispatcher, tracker)
        if topics == [last_topic] and content().answers[last_topic].kind == "out_of_scope":
            say(dispatcher, tracker, refuse_again(last_topic, last_turn(tracker.events, 2), emergency_number(tracker)))
        else:
            replies = answer_topics(topics, runners_up(message), emergency_number(tracker))
            beside = all(content().answers[topic].kind == "out_of_scope" for topic in topics)
            said = (event.get("text") for event in tracker.events if event.get("event") == "bot")
            replies = [*heard_fear(message.get("text") or "", said), *with_also_asked(replies, message)]
            say(dispatcher, tracker, await with_way_back(replies, tracker) if beside else replies)
        return [SlotSet("last_topic", topics[-1]), SlotSet("last_fallback", None)]
