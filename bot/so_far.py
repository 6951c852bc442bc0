"""What was said before in this conversation, as the components need it: read from the tracker, nothing kept."""

from __future__ import annotations

from itertools import islice
from typing import Any, Dict, Iterator, List, Optional, Tuple

from rasa.shared.core.events import BotUttered, SessionStarted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from safety.conversation import Told
from safety.detect import rank

STOOD_DOWN = ("mistake", "already_seen")
"""Intents after which a sign that was told counts as dealt with: whatever comes later is new."""

LONGEST = 400
"""Longer messages are stories or letters, read on their own."""


def messages(tracker: Optional[DialogueStateTracker]) -> Iterator[UserUttered]:
    """Yield what the person said in this session, newest first."""
    for event in reversed(tracker.events if tracker else ()):
        if isinstance(event, SessionStarted):
            return
        if isinstance(event, UserUttered):
            yield event


def concluded(tracker: Optional[DialogueStateTracker]) -> Iterator[Tuple[UserUttered, Dict[str, Any]]]:
    """Yield what the person said in this session, newest first, with what was made of it; empty where it was no sign.

    A sign was told in the message itself, or picked at the safety screen of the intake, where "yes" or "2" says nothing
    without its question: the form then leaves what it means in the slots of that turn.
    """
    slots: Dict[str, Any] = {}
    for event in reversed(tracker.events if tracker else ()):
        if isinstance(event, SessionStarted):
            return
        if isinstance(event, SlotSet):
            slots.setdefault(event.key, event.value)
        elif isinstance(event, UserUttered):
            found = dict((event.parse_data or {}).get("assessment") or {})
            if not found and slots.get("intake_outcome") == "escalate":
                category = str((slots.get("escalation_categories") or [""])[0])
                found = {"key": slots.get("escalation"), "tier": slots.get("escalation_tier"), "category": category}
                found["rules"] = [f"intake.{category}"]
            yield event, found
            slots = {}


def typed(tracker: Optional[DialogueStateTracker]) -> List[str]:
    """Return what the person typed before, oldest first, earlier sessions included."""
    return [event.text or "" for event in (tracker.events if tracker else ()) if isinstance(event, UserUttered)]


def told_lately(tracker: Optional[DialogueStateTracker], most: int = 3) -> str:
    """Return what the person typed in the last messages of this session, oldest first; buttons and letters left out."""
    texts = [event.text or "" for event in islice(messages(tracker), most)]
    return "\n".join(text for text in reversed(texts) if not text.startswith("/") and len(text) <= LONGEST)


def told(tracker: Optional[DialogueStateTracker]) -> Told:
    """Return what was told in full in this session and not taken back.

    ``since`` counts the messages after it that were about something else: not those that answered it, or asked about it.
    """
    rules: set = set()
    categories: set = set()
    tier, since, passed = "none", 0, 0
    for event, found in concluded(tracker):
        if event.intent_name in STOOD_DOWN:
            break
        if found and rank(found["tier"]) > rank("clarify"):
            since = since if categories else passed
            rules |= set(found["rules"])
            categories.add(found["category"])
            tier = max(tier, found["tier"], key=rank)
        passed += event.intent_name != "escalation_reply"
    return Told(frozenset(rules), frozenset(categories), tier, since)


def last_assessment(tracker: Optional[DialogueStateTracker]) -> Dict[str, Any]:
    """Return what the message before was found to mean; empty when it was no sign."""
    return next((found for _, found in concluded(tracker)), {})


def said_before(tracker: Optional[DialogueStateTracker]) -> str:
    """Return the key of the emergency words that the last message got, "" when it got others or a question."""
    found = last_assessment(tracker)
    return str(found["key"]) if found and rank(found["tier"]) > rank("clarify") else ""


def was_letter(tracker: Optional[DialogueStateTracker]) -> bool:
    """Whether the message before was a letter, so that this one may be its next part."""
    last = tracker.latest_message if tracker else None
    return bool(last and (last.parse_data or {}).get("letter"))


def offered(tracker: Optional[DialogueStateTracker]) -> List[Dict[str, str]]:
    """Return the buttons under the last reply where they were a choice to make, not ways on from an answer."""
    kind, buttons = last_buttons(tracker)
    return buttons if kind in ("", "fallback") else []


def last_buttons(tracker: Optional[DialogueStateTracker]) -> Tuple[str, List[Dict[str, str]]]:
    """Return the kind of the last reply ("" when it has none) and the buttons under it."""
    for event in reversed(tracker.events if tracker else ()):
        if isinstance(event, UserUttered):
            break
        if isinstance(event, BotUttered):
            kind = ((event.data or {}).get("custom") or {}).get("kind")
            return str(kind or ""), list((event.data or {}).get("buttons") or [])
    return "", []
