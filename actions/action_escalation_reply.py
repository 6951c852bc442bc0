"""What follows emergency words: the answer to "what will you do?", once; then the chat goes on. Never nags."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.action_resume_intake import waiting_form
from actions.answering import earlier_intents
from actions.base import Button, Events, PatientAction, Reply, emergency_number, say
from actions.database import StoreUnavailable
from actions.escalation_words import escalation_words
from actions.store import store

log = logging.getLogger(__name__)

CONFIRMED = {"calling": "calling", "going": "going", "helped": "helped", "seen": "seen", "mistake": "mistake"}
"""Choices that the case desk is told as they are; every other one is a reason for not going."""
ASIDES = frozenset({"safe", "what_next", "heard", "heard_crisis", "staying", "stay_crisis", "no_answer", "still_seen"})
"""Answers and questions that say nothing about going for help."""
INTENTS = {"already_seen": "seen", "mistake": "mistake"}


class ActionEscalationReply(PatientAction):
    action_name = "action_escalation_reply"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        words = escalation_words()
        choice = chosen(tracker.latest_message)
        if choice == "seen" and INTENTS.get(next(earlier_intents(tracker.events), "")) == "seen":
            choice = "still_seen"  # "they are doing a scan now", after "I'm in hospital"
        reply = words.replies.get(choice, words.replies["other"])
        number = emergency_number(tracker) or tracker.get_slot("emergency_number") or ""
        buttons = tuple(
            Button(button.title, '/escalation_reply{"choice":"%s"}' % button.choice) for button in reply.buttons
        )
        if not buttons and await waiting_form(tracker):
            buttons = (Button(words.back, "/resume"),)
        text = reply.text.format(emergency_number=number, crisis_line=tracker.get_slot("crisis_line"))
        if choice not in CONFIRMED and choice not in ASIDES and not reply.buttons and await _unseen(tracker.sender_id):
            text = f"{text} {words.unseen}"
        say(dispatcher, tracker, [Reply(text, buttons)])
        if choice in ASIDES:
            return [SlotSet("clarify_open", "answered")]
        try:
            await asyncio.to_thread(store().update_escalation, tracker.sender_id, CONFIRMED.get(choice, "not_going"))
        except StoreUnavailable:
            # The answer is for the nurse's list; the patient has heard what matters.
            log.error("confirmation not kept", extra={"sender": tracker.sender_id, "kind": "escalation"})
        return [SlotSet("clarify_open", "answered")]


def chosen(message: dict[str, Any]) -> str:
    """Return the choice a message stands for: a button's, or that of its intent."""
    for entity in message.get("entities") or []:
        if entity.get("entity") == "choice":
            return str(entity.get("value"))
    return INTENTS.get(str((message.get("intent") or {}).get("name")), "other")


async def _unseen(sender: str) -> bool:
    """Return whether the warning is known not to have reached the clinic's desk."""
    try:
        return not await asyncio.to_thread(store().reached_desk, sender)
    except StoreUnavailable:
        return False
