"""What every handler needs: the parts of the gateway, refusals, bodies read with a limit, and who is asking."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from gateway.bus import Bus
from gateway.config import Config
from gateway.emergency import Emergency
from gateway.limits import Window
from gateway.metrics import Metrics
from gateway.rasa import Rasa
from gateway.store import Store
from gateway.tokens import Claim, issue, verify
from gateway.turns import Turns
from knowledge.chat import chat_words

SIGNED_BYTES = 16 * 1024
TOKEN_HEADER = "X-Session-Token"  # noqa: S105 (a name)


class Refused(Exception):
    """The request is not taken. ``code`` is one of the ``problems`` of ``chat.yml``; the page shows those words."""

    def __init__(self, status: int, code: str, message: str | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message or getattr(chat_words().problems, code)


class StreamPlace:
    """One open event stream: its wake-up, and whether it was told to close."""

    def __init__(self, news: asyncio.Event) -> None:
        self._news = news
        self.closed = False

    def close(self) -> None:
        self.closed = True
        self._news.set()


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """The running parts, one of each per process."""

    config: Config
    store: Store
    bus: Bus
    rasa: Rasa
    turns: Turns
    emergency: Emergency
    metrics: Metrics
    address_requests: Window
    address_sessions: Window
    session_messages: Window
    streams: dict[str, list[StreamPlace]]


GATEWAY = web.AppKey("gateway", Gateway)


def address(request: web.Request) -> str:
    """Return the address to count requests by: the peer's, or the one our own proxies say they saw.

    ``X-Forwarded-For`` is believed only as far as ``PLAINSPOKEN_TRUSTED_PROXIES`` hops from the right end; what stands
    further left was written by the caller.
    """
    trusted = request.app[GATEWAY].config.trusted_proxies
    hops = [hop.strip() for hop in ",".join(request.headers.getall("X-Forwarded-For", ())).split(",") if hop.strip()]
    if trusted and len(hops) >= trusted:
        return hops[-trusted][:64]
    return request.remote or "unknown"


async def authenticate(request: web.Request) -> Claim:
    """Return the session of the request's token. Raises Refused (401) when it is forged, expired or absent."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    limits = request.app[GATEWAY].config.limits
    claim = verify(
        token.strip(),
        request.app[GATEWAY].config.token_secret,
        time.time(),
        lifetime=limits.token_minutes * 60,
        rotate=limits.rotate_minutes * 60,
    )
    if scheme.lower() != "bearer" or not isinstance(claim, Claim):
        raise Refused(401, "session_gone")
    request["session"] = claim.session
    if claim.stale:
        request["fresh_token"] = issue(claim.session, request.app[GATEWAY].config.token_secret, time.time())
    return claim


async def read_body(request: web.Request, most: int, seconds: float) -> bytes:
    """Return the body. Raises Refused when it is bigger than ``most`` or takes longer than ``seconds`` to arrive."""
    if (request.content_length or 0) > most:
        raise Refused(413, "too_big")
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.content.iter_chunked(64 * 1024):
                body += chunk
                if len(body) > most:
                    raise Refused(413, "too_big")
    except TimeoutError:
        raise Refused(408, "bad_request") from None
    return bytes(body)


async def read_json(request: web.Request) -> dict[str, Any]:
    """Return the body's JSON object. Raises Refused when it is anything else."""
    limits = request.app[GATEWAY].config.limits
    if request.content_type != "application/json":
        raise Refused(415, "bad_request")
    try:
        data = json.loads(await read_body(request, limits.json_bytes, limits.body_seconds))
    except (ValueError, RecursionError):
        raise Refused(400, "bad_request") from None
    if not isinstance(data, dict):
        raise Refused(400, "bad_request")
    return data


async def read_signed(request: web.Request) -> Any:
    """Return the JSON that one of our own processes has signed (Standard Webhooks). Raises web.HTTPUnauthorized."""
    config = request.app[GATEWAY].config
    body = await read_body(request, SIGNED_BYTES, config.limits.body_seconds)
    secret = base64.b64encode(bytes.fromhex(config.notices_secret)).decode()
    try:
        return Webhook(secret).verify(body, dict(request.headers))
    except (WebhookVerificationError, ValueError):
        raise web.HTTPUnauthorized(text='{"error": "signature"}', content_type="application/json") from None
