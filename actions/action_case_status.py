"""Says where a case is, to whoever may know: always what is true at that moment."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime

import aiohttp
from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.base import Button, Events, PatientAction, Reply, say
from actions.case_words import status_reply
from actions.intake.parse import Reader, Value, read
from actions.store import Sent, store
from knowledge.content import content
from knowledge.intake import questionnaire, words
from runtime.references import begins_like_reference, find_reference
from runtime.settings import secret, settings

DESK_SECONDS = 3.0
SETTLED = frozenset({"withdrawn", "saved"})
"""Known here better than at the desk."""


class ActionCaseStatus(PatientAction):
    action_name = "action_case_status"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        data, phrases = store(), words().say
        text = tracker.latest_message.get("text") or ""
        asked = tracker.get_slot("asking") == "status"
        reference = find_reference(text, "PS") or (tracker.get_slot("asked_reference") if asked else None)
        done = [SlotSet("asking", None), SlotSet("asked_reference", None)]
        if not reference and begins_like_reference(text):
            say(dispatcher, tracker, [Reply(phrases["status_no_match"].format(phone=content().clinic.phone))])
            return [SlotSet("asking", "status")]
        if not reference:
            sent = await asyncio.to_thread(data.sent_by, tracker.sender_id)
            if sent:
                say(dispatcher, tracker, [status_reply(sent[0], await current_status(sent[0]))])
                return done
            if await asyncio.to_thread(data.draft, tracker.sender_id):
                say(
                    dispatcher,
                    tracker,
                    [Reply(phrases["status_draft"], (Button(words().buttons["resume"], "/resume"),))],
                )
                return done
            say(dispatcher, tracker, [Reply(phrases["status_ask"])])
            return [SlotSet("asking", "status")]
        found = None
        for proof in [None, *proofs(text)]:
            found = await asyncio.to_thread(data.find, reference, sender=tracker.sender_id, proof=proof)
            if found:
                break
        if found:
            say(dispatcher, tracker, [status_reply(found, await current_status(found))])
            return done
        say(dispatcher, tracker, [Reply(phrases["status_no_match"].format(phone=content().clinic.phone))])
        return [SlotSet("asking", "status"), SlotSet("asked_reference", reference)]


def proofs(text: str) -> list[str]:
    """What in ``text`` may prove who asks, as the intake stores it: a phone number, an e-mail address, a birth date."""
    rest = re.sub(r"\bPS[\s\-–—_.:#]*\w{4}[\s\-–—_.]*\w{4}\b", " ", text, flags=re.IGNORECASE)
    found = []
    for field_id in ("phone", "email", "birth_date"):
        value = read(questionnaire().field(field_id), rest, Reader(datetime.now(UTC).date()))
        if isinstance(value, Value) and value.value:
            found.append(str(value.value))
    return found


async def current_status(sent: Sent) -> str:
    """What the desk says now; without an answer, the last that is known here."""
    if sent.status in SETTLED:
        return sent.status
    headers = {"Authorization": f"Bearer {secret('casedesk-api')}"}
    address = f"{settings().casedesk_url}/api/status/{sent.reference}"
    try:
        timeout = aiohttp.ClientTimeout(total=DESK_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(address, headers=headers) as reply:
            if reply.status == 200:
                return str((await reply.json())["status"])
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError, KeyError):
        pass  # the desk is away: "received" stays true whatever it did since
    return sent.status
