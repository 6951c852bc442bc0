"""Answers small talk, and leads back to what the assistant is for."""

from __future__ import annotations

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.action_resume_intake import form_stopped, way_back, with_offer
from actions.answering import menu
from actions.base import Events, PatientAction, Reply, say
from actions.small_talk import small_talk


class ActionChitchat(PatientAction):
    action_name = "action_chitchat"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        label = tracker.latest_message.get("label") or ""
        said = {event.get("text") for event in tracker.events if event.get("event") == "bot"}
        texts = small_talk(tracker, label.partition("/")[2])
        text = next((text for text in texts if text not in said), texts[-1])
        replies = [Reply(text, menu())]
        if label == "chitchat/greet" and said and await form_stopped(tracker):
            replies = [with_offer(replies[0], way_back())]
        say(dispatcher, tracker, replies)
        return []
