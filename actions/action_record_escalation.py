"""Keep what was escalated and send it to the case desk, after Rasa has said the words itself.

The words never wait for this. When the store is busy or gone the action fails: Rasa has it written down and calls it again
for hours, also after a restart (``bot/stubborn.py``). The log says so at once at the level that alarms: nobody at the desk
knows of the escalation until then.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from datetime import UTC, datetime
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.action_resume_intake import go_on, waiting_form, way_back
from actions.base import Events, NotKept, PatientAction, country_of, say
from actions.database import StoreUnavailable
from actions.intake.turn import screen_record
from actions.store import store
from safety.rules import RULES_VERSION

log = logging.getLogger(__name__)

RECORDED = frozenset({"emergency", "crisis", "urgent", "soon"})
SILENT_KEYS = ("reminder", "cleared", "clarify_")
"""Words that tell nothing new: they are not recorded again."""


class ActionRecordEscalation(PatientAction):
    action_name = "action_record_escalation"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        key = str(tracker.get_slot("escalation") or "")
        if key == "cleared":
            return [SlotSet("clarify_open", "answered"), *await go_on(tracker)]
        if key == "reminder" and await waiting_form(tracker):
            say(dispatcher, tracker, [way_back()])  # "7" may have been an answer to the form
            return []
        tier = str(tracker.get_slot("escalation_tier") or "")
        if tier not in RECORDED or key.startswith(SILENT_KEYS):
            return []
        record = escalation_record(tracker, key, tier)
        if tracker.get_slot("intake_outcome") == "escalate" and not tracker.latest_message.get("red_flags"):
            record |= await screen_record(tracker.sender_id)  # "1" or "yes" says nothing without its question
        try:
            await asyncio.to_thread(store().record_escalation, record)
        except StoreUnavailable as error:
            log.critical("escalation not kept yet", extra={"sender": tracker.sender_id, "tier": tier})
            raise NotKept("escalation") from error
        return []


def escalation_record(tracker: Tracker, key: str, tier: str) -> dict[str, Any]:
    """Return the record of this turn's escalation, in the delivery contract's form.

    The id is made from the conversation and the message, so that a repeated action makes no second record.
    """
    message = tracker.latest_message
    assessment = message.get("assessment") or {}
    findings = [flag for flag in message.get("red_flags") or [] if flag.get("assertion") == "present"]
    categories = tracker.get_slot("escalation_categories") or []
    told = next((event.get("text") for event in reversed(tracker.events) if event.get("event") == "bot"), None)
    category = assessment.get("category") or (categories[0] if categories else key.rsplit("_", 1)[0])
    uttered: dict[str, Any] = next((event for event in reversed(tracker.events) if event.get("event") == "user"), {})
    identity = f"{tracker.sender_id} {uttered.get('message_id')} {uttered.get('timestamp')} {key}"
    return {
        "escalation_id": str(uuid.uuid5(uuid.NAMESPACE_URL, identity)),
        "sender_id": tracker.sender_id,
        "category": category,
        "categories": categories,
        "tier": tier,
        "evidence": message.get("text") or "",
        "passages": [flag.get("evidence") for flag in findings],
        "rules": assessment.get("rules") or [f"intake.{category}"],
        "rules_version": RULES_VERSION,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "told": told is not None,
        "words": told,
        "confirmed": None,
        "country": country_of(tracker),
        "contact": None,
        "person": assessment.get("person") or ("other" if "_other" in key else "self"),
    }
