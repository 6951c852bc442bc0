"""The record of a danger sign is sent to the action server until it is taken, by this process or the one after it.

Rasa says the emergency words itself, then has the action server keep the record that the case desk gets. With that
server or its database away for a moment Rasa gives the action up: the patient would be warned, and nobody at the clinic
would know.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Dict, List, Optional, Set

from rasa.core.actions.action import RemoteAction
from rasa.utils.endpoints import EndpointConfig

from bot.unrecorded import Unrecorded

log = logging.getLogger(__name__)

RECORD = "action_record_escalation"
WAITS = (1, 2, 4, 8, 15, 30, 60, *[300] * 60)
"""Seconds between tries: about five hours; after that the next start tries again. The record's id is made from the
message, so a repeat makes no second one."""
CALL_SECONDS = 8

_trying: Set[asyncio.Task[None]] = set()  # the loop itself keeps only weak references to its tasks


def make_stubborn(unrecorded: Unrecorded) -> None:
    """Put it in place for this process. Call once."""
    stock = RemoteAction.run

    async def run(self: RemoteAction, output_channel: Any, nlg: Any, tracker: Any, domain: Any) -> List[Any]:
        if self.name() != RECORD or not self.action_endpoint:
            return await stock(self, output_channel, nlg, tracker, domain)
        body = self._action_call_format(tracker, domain)
        identity = await _kept(unrecorded, tracker.sender_id, body)
        try:
            events = await stock(self, output_channel, nlg, tracker, domain)
        except Exception:
            log.critical("escalation not recorded yet", extra={"sender": tracker.sender_id})
            _try(self.action_endpoint, unrecorded, identity, body)
            raise
        await _done(unrecorded, identity)
        return events

    RemoteAction.run = run


async def resume(endpoint: EndpointConfig, unrecorded: Unrecorded) -> None:
    """Go on with what the process before this one could not send. Call once, when the event loop runs."""
    for identity, body in await asyncio.to_thread(unrecorded.all):
        log.critical("escalation not recorded yet", extra={"sender": body["sender_id"]})
        _try(endpoint, unrecorded, identity, body)


def _try(endpoint: EndpointConfig, unrecorded: Unrecorded, identity: Optional[str], body: Dict[str, Any]) -> None:
    task = asyncio.ensure_future(_keep_trying(endpoint, unrecorded, identity, body))
    _trying.add(task)
    task.add_done_callback(_trying.discard)


async def _keep_trying(
    endpoint: EndpointConfig, unrecorded: Unrecorded, identity: Optional[str], body: Dict[str, Any]
) -> None:
    """What the action says in reply is not said any more: the turn is over."""
    for seconds in WAITS:
        await asyncio.sleep(seconds)
        try:
            if identity and not await asyncio.to_thread(unrecorded.waits, identity):
                return  # its conversation was deleted, or another process was faster
            await asyncio.wait_for(endpoint.request(json=body, method="post"), CALL_SECONDS)
        except Exception as error:  # whatever it is, the next try may go through
            log.warning(
                "escalation not recorded yet", extra={"sender": body["sender_id"], "reason": type(error).__name__}
            )
            continue
        await _done(unrecorded, identity)
        log.info("escalation recorded after all", extra={"sender": body["sender_id"]})
        return
    log.critical("escalation not recorded for hours", extra={"sender": body["sender_id"]})


async def _kept(unrecorded: Unrecorded, sender: str, body: Dict[str, Any]) -> Optional[str]:
    """The id of the row; None when it could not be written: then this process alone remembers."""
    try:
        return await asyncio.to_thread(unrecorded.keep, sender, body)
    except Exception as error:
        log.error("escalation not written down", extra={"sender": sender, "reason": type(error).__name__})
        return None


async def _done(unrecorded: Unrecorded, identity: Optional[str]) -> None:
    if identity:
        try:
            await asyncio.to_thread(unrecorded.done, identity)
        except Exception as error:  # it is sent once more at the next start, and recognised
            log.warning("escalation still written down", extra={"reason": type(error).__name__})
