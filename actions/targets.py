"""Where deliveries go: the embedded case desk, a FHIR R4 server, or any endpoint by signed webhook.

A target sends one outbox row and says how it ended. It never raises for what a receiver or the network does.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import aiohttp
from standardwebhooks import Webhook

from actions.outbox import Row

HEALS = frozenset({408, 425, 429})
"""Statuses below 500 that another try may cure."""


@dataclass(frozen=True)
class Delivered:
    """The receiver has it. ``receipt`` holds the ids it gave."""

    status: int
    receipt: dict[str, Any]


@dataclass(frozen=True)
class Later:
    """Try again. ``alarm`` when a person has to do something for it ever to work (a refused key)."""

    status: int | None
    error: str
    retry_after: float | None = None
    alarm: bool = False


@dataclass(frozen=True)
class Refused:
    """No retry can heal this: a dead letter."""

    status: int | None
    error: str


Outcome = Delivered | Later | Refused


class Target(Protocol):
    """Sends a row."""

    async def deliver(self, row: Row) -> Outcome: ...


def failure(status: int, retry_after: float | None = None, detail: str = "") -> Later | Refused:
    """Sort a status that is not a success into what heals by itself and what does not."""
    error = f"HTTP {status} {detail}".strip()
    if status in (401, 403):
        return Later(status, error, retry_after, alarm=True)
    if status in HEALS or status >= 500:
        return Later(status, error, retry_after)
    return Refused(status, error)


def retry_after(value: str | None, now: float) -> float | None:
    """Read a ``Retry-After`` header: seconds, or a date. None when it is missing or makes no sense."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (TypeError, ValueError):
        return None


def envelope(row: Row) -> str:
    """The JSON that is signed and sent. The same row gives the same bytes, whenever it is sent."""
    at = datetime.fromtimestamp(row.created_at, UTC).isoformat(timespec="milliseconds")
    content = {"type": row.kind, "id": row.key, "occurred_at": at, "data": row.body}
    return json.dumps(content, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def signed_headers(secret: str, identity: str, body: str) -> dict[str, str]:
    """Return the headers of a Standard Webhook (https://www.standardwebhooks.com) for ``body``.

    Args:
        secret: the shared secret, as hex digits.
        identity: the webhook id; the same for every try, so that the receiver can tell a repetition.
    """
    now = datetime.now(UTC)
    signature = Webhook(base64.b64encode(bytes.fromhex(secret)).decode()).sign(identity, now, body)
    return {
        "content-type": "application/json",
        "webhook-id": identity,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
        "idempotency-key": identity,
    }


class WebhookTarget:
    """Posts the signed envelope: to the embedded case desk, or to any endpoint that takes Standard Webhooks."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        url: str,
        secret: str,
        timeout: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.session, self.url, self.secret, self.timeout, self.clock = session, url, secret, timeout, clock

    async def deliver(self, row: Row) -> Outcome:
        body = envelope(row)
        try:
            async with (
                asyncio.timeout(self.timeout),
                self.session.post(
                    self.url,
                    data=body.encode(),
                    headers=signed_headers(self.secret, row.key, body),
                    allow_redirects=False,
                ) as reply,
            ):
                content = await reply.read()
                if reply.status in (200, 201, 202, 204):
                    return Delivered(reply.status, _receipt(content))
                wait = retry_after(reply.headers.get("Retry-After"), self.clock())
                return failure(reply.status, wait, _code(content))
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return Later(None, type(error).__name__)


def _receipt(content: bytes) -> dict[str, Any]:
    """What of an answer is worth keeping: its short values."""
    found = _json(content)
    return {key: value for key, value in found.items() if isinstance(value, str | int) and len(str(value)) <= 100}


def _code(content: bytes) -> str:
    """A receiver's error code and the names of the fields it refuses; never its text, which may quote the patient."""
    found = _json(content)
    code = found.get("code") or found.get("error")
    fields = found.get("fields")
    listed = [each.get("field") for each in fields[:5] if isinstance(each, dict)] if isinstance(fields, list) else []
    names = sorted(fields)[:5] if isinstance(fields, dict) else listed
    words = [
        word
        for word in [code, *names]
        if isinstance(word, str) and word.replace(".", "_").replace("-", "_").isidentifier()
    ]
    return " ".join(words)[:120]


def _json(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
