"""One HTTP request to a messaging provider, and what came of it, told apart so that nothing is lost or sent twice."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import aiohttp

log = logging.getLogger(__name__)

CONNECT_SECONDS = 8.0
ANSWER_SECONDS = 40.0
ANSWER_BYTES = 256 * 1024


class Outcome(Enum):
    """What became of a message. ``UNSURE``: it was handed over, and no answer came; it may have arrived."""

    SENT = "sent"
    LATER = "later"
    REFUSED = "refused"
    UNSURE = "unsure"


@dataclass(frozen=True)
class Result:
    """An outcome, and for LATER how many seconds the provider asked us to wait."""

    outcome: Outcome
    wait: float = 0.0


@dataclass(frozen=True)
class Answer:
    """What the provider answered. ``data`` is empty when it was not a JSON object."""

    status: int
    data: dict[str, Any] = field(default_factory=dict)
    wait: float = 0.0

    def result(self) -> Result:
        """The outcome by HTTP status alone: too many and server errors later, a wrong key later, other errors never."""
        if 200 <= self.status < 300:
            return Result(Outcome.SENT)
        # 401: whoever looks after the channel can repair a key; the patient's message must survive that.
        if self.status in (401, 408, 425, 429) or self.status >= 500:
            return Result(Outcome.LATER, self.wait)
        return Result(Outcome.REFUSED)


class Provider:
    """Speaks HTTP to one provider. Open it inside the event loop that uses it."""

    def __init__(self) -> None:
        # A kept connection that the other side has just closed would make "was it sent?" a guess; each message opens
        # its own. Addresses carry tokens (Telegram), so nothing here logs one.
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=20, force_close=True),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        )

    async def close(self) -> None:
        await self._http.close()

    async def post(self, url: str, **request: Any) -> Answer | Result:
        """Return the provider's answer, or what came of the request when there is none."""
        try:
            return await asyncio.wait_for(self._post(url, request), ANSWER_SECONDS)
        except (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError, aiohttp.InvalidURL):
            return Result(Outcome.LATER)  # it never got there
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError):
            return Result(Outcome.UNSURE)

    async def _post(self, url: str, request: dict[str, Any]) -> Answer:
        async with self._http.post(url, allow_redirects=False, **request) as response:
            try:
                raw = await response.content.read(ANSWER_BYTES)
                while more := await response.content.read(ANSWER_BYTES):
                    raw = (raw + more)[:ANSWER_BYTES]
                data = json.loads(raw)
            except (aiohttp.ClientError, OSError, ValueError, RecursionError):
                data = {}
            return Answer(
                response.status,
                data if isinstance(data, dict) else {},
                seconds(response.headers.get("Retry-After")),
            )


def seconds(value: Any) -> float:
    """Return a number of seconds a provider gave, between 0 and an hour; 0 for anything else."""
    try:
        return min(max(float(value), 0.0), 3600.0)
    except (TypeError, ValueError):
        return 0.0
