"""Run a turn without letting anything that comes after the emergency words hold them back.

Rasa hands a turn's messages over when its last action has ended. After a red flag that is the record for the case desk:
with an action server that hangs, the words would wait as long as Rasa waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from rasa.core.channels.channel import OutputChannel, UserMessage

log = logging.getLogger(__name__)

GRACE_SECONDS = 1.0
"""How long the rest of such a turn may take before its words are sent; the record takes some milliseconds."""
URGENT = frozenset({"escalation", "clarify"})

_unfinished: set[asyncio.Future[Any]] = set()  # the loop itself keeps only weak references to its tasks


class UrgentOutput(OutputChannel):
    """Mixed into an output that collects: notices when a reply of the turn must not wait."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.urgent = asyncio.Event()

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        await super().send_response(recipient_id, message)
        if (message.get("custom") or {}).get("kind") in URGENT:
            self.urgent.set()


async def take_turn(
    on_new_message: Callable[[UserMessage], Awaitable[Any]], message: UserMessage, output: UrgentOutput
) -> None:
    """Have Rasa handle ``message`` and return when ``output`` is complete, or holds words that must not wait.

    What is left of the turn then goes on by itself, under the conversation's lock. Raises what the turn raised.
    """
    turn = asyncio.ensure_future(on_new_message(message))
    urgent = asyncio.ensure_future(output.urgent.wait())
    try:
        await asyncio.wait({turn, urgent}, return_when=asyncio.FIRST_COMPLETED)
        if not turn.done():
            await asyncio.wait({turn}, timeout=GRACE_SECONDS)
    finally:
        urgent.cancel()
    if turn.done():
        turn.result()
        return
    _unfinished.add(turn)
    turn.add_done_callback(_finish)


def _finish(turn: asyncio.Future[Any]) -> None:
    _unfinished.discard(turn)
    if not turn.cancelled() and (error := turn.exception()):
        log.error("rest of an urgent turn failed", exc_info=error)
