"""What every custom action shares: replies as plain data, and an apology instead of silence when something breaks."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.counts import ACTION_FAILURES, ACTION_SECONDS, count_reply
from runtime.channels import RICH_CHANNELS
from runtime.logs import TRACE
from safety.numbers import country_said, numbers_for

log = logging.getLogger(__name__)

Events = list[dict[str, Any]]


@dataclass(frozen=True)
class Button:
    """A choice offered: the words shown and the payload sent back (``/intent{...}``), at most 64 bytes."""

    title: str
    payload: str


@dataclass(frozen=True)
class Reply:
    """One message to the patient. ``custom`` follows the reply contract and never carries what the text does not say."""

    text: str
    buttons: tuple[Button, ...] = ()
    custom: dict[str, Any] | None = None


def say(dispatcher: CollectingDispatcher, tracker: Tracker, replies: Iterable[Reply]) -> None:
    """Send ``replies`` in order; ``custom`` goes only to channels that can show it."""
    rich = tracker.get_latest_input_channel() in RICH_CHANNELS
    for reply in replies:
        count_reply(reply.custom)
        dispatcher.utter_message(
            text=reply.text,
            buttons=[{"title": button.title, "payload": button.payload} for button in reply.buttons] or None,
            json_message=reply.custom if rich else None,
        )


def country_of(tracker: Tracker) -> str | None:
    """The code of the country where the patient is, said in the chat or answered in the form; None when not known."""
    said = country_said(event.get("text") or "" for event in tracker.events if event.get("event") == "user")
    return said or tracker.get_slot("country")


def emergency_number(tracker: Tracker) -> str:
    """The emergency number where the patient is; "" when that is not known."""
    country = country_of(tracker)
    return numbers_for(country).emergency if country else ""


def any_number(tracker: Tracker) -> str:
    """The emergency number where the patient is, or the general line: what a sentence can always name."""
    return numbers_for(country_of(tracker)).emergency


class NotKept(Exception):
    """What the action has to keep could not be kept. Nothing is said about it: Rasa calls the action again, until it is."""


class PatientAction(Action, ABC):
    """An action that never leaves the patient without a word.

    Subclasses set ``action_name`` and write :meth:`respond`. Whatever ``respond`` raises is logged by type and place
    (never with its message, which may quote the patient) and the patient is told in a sentence what to do.
    """

    action_name: ClassVar[str]

    def name(self) -> str:
        return self.action_name

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        TRACE.set(tracker.latest_message.get("message_id"))
        log.info("action", extra={"action": self.action_name, "sender": tracker.sender_id})
        try:
            with ACTION_SECONDS.labels(self.action_name).time():
                return await self.respond(dispatcher, tracker)
        except NotKept:
            raise
        except Exception:
            ACTION_FAILURES.labels(self.action_name).inc()
            log.exception("action failed", extra={"action": self.action_name, "sender": tracker.sender_id})
            dispatcher.utter_message(response="utter_something_broke")
            return []

    @abstractmethod
    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        """Answer the turn. Returns Rasa events (``SlotSet(...)`` and the like); may raise anything."""
