"""Gets a letter of a chat from the gateway, where it lies sealed for the time of the chat."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Awaitable, Callable

import aiohttp

from actions.targets import signed_headers
from runtime.settings import secret, settings

log = logging.getLogger(__name__)

SECONDS = 8.0
Fetch = Callable[[str, str], Awaitable[bytes | None]]
"""``(sender, letter id)`` to the bytes, or None when they cannot be had."""


async def chat_letter(sender: str, letter: str) -> bytes | None:
    """Return the bytes of a letter that ``sender`` sent; None when it is gone or the gateway does not answer."""
    body = json.dumps({"sender_id": sender, "letter": letter})
    headers = signed_headers(secret("notices"), str(uuid.uuid4()), body)
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as http,
            http.post(f"{settings().gateway_url}/internal/letters", data=body, headers=headers) as reply,
        ):
            if reply.status == 200:
                return await reply.read()
            log.warning("letter not there", extra={"sender": sender, "status": reply.status})
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        log.warning("letter not fetched", extra={"sender": sender, "reason": type(error).__name__})
    return None
