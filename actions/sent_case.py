"""The way back to a case that was sent, for a message that is not understood alone: "my phone number is wrong"."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from rasa_sdk import Tracker

from actions.base import Reply
from actions.case_words import have_sent
from actions.database import StoreUnavailable
from actions.intake.changes import change_in_words
from actions.intake.decision import Kind
from actions.intake.parse import Reader, plain
from actions.intake.state import State
from actions.store import store


async def offer_of_change(tracker: Tracker) -> list[Reply]:
    """The offer to change the case that was sent, when a message speaks of an answer in it; else empty."""
    text = tracker.latest_message.get("text") or ""
    change = change_in_words(text, plain(text), State(), Reader(datetime.now(UTC).date()))
    if change is None or change.kind not in (Kind.CHANGE, Kind.CONFIRM):
        return []
    return await change_of_sent(tracker)


async def change_of_sent(tracker: Tracker) -> list[Reply]:
    """The offer to change the case that was sent; empty where none was."""
    try:
        sent = await asyncio.to_thread(store().standing_case, tracker.sender_id)
    except StoreUnavailable:
        return []
    return [have_sent(sent)] if sent else []
