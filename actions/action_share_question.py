"""Lets staff read the one message that was just not understood, because the patient said so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.base import Events, PatientAction, Reply, say
from actions.store import store
from knowledge.content import content
from knowledge.dialogue import dialogue


def not_understood(events: Iterable[Mapping[str, Any]]) -> str:
    """Return the message typed before the wish to share it, "" when only buttons were pressed."""
    for event in reversed(list(events)):
        if event.get("event") == "user":
            intent = ((event.get("parse_data") or {}).get("intent") or {}).get("name")
            text = str(event.get("text") or "")
            if intent != "share_question" and not text.startswith("/"):
                return text
    return ""


class ActionShareQuestion(PatientAction):
    action_name = "action_share_question"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        words = dialogue().share
        text = not_understood(tracker.events) if tracker.get_slot("last_fallback") else ""
        if not text:
            say(dispatcher, tracker, [Reply(words.nothing)])
            return []
        kept = await asyncio.to_thread(store().share_question, tracker.sender_id, text)
        said = words.thanks if kept else words.enough.format(phone=content().clinic.phone)
        say(dispatcher, tracker, [Reply(said)])
        return [SlotSet("last_fallback", None)]
