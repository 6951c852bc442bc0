"""The road for messaging channels: ``/webhooks/<channel>/...`` on the public side to the same address of Rasa.

Bodies and signature headers pass untouched, so that the channel inside Rasa can check them. Only channels named in
``PLAINSPOKEN_CHANNELS`` exist, by default those that are set up; Rasa's own REST channel and the gateway's can never be
among them.
"""

from __future__ import annotations

import logging
import re

import aiohttp
from aiohttp import web
from yarl import URL

from gateway.http import GATEWAY, Refused, address, read_body

log = logging.getLogger(__name__)

NEVER = frozenset({"rest", "web", "callback", "socketio"})
MOST_BYTES = 1024 * 1024
"""Messenger may send a thousand events at once."""
TIMEOUT = aiohttp.ClientTimeout(total=25, sock_connect=3)
REPLY_BYTES = 256 * 1024
_TAIL = re.compile(r"[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){0,3}")
_NOT_PASSED = frozenset(
    (
        *("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "host", "content-length"),
        *("proxy-authenticate", "proxy-authorization", "x-plainspoken-secret"),
        *("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"),
    )
)
_GIVEN_BACK = ("Content-Type", "X-Slack-No-Retry", "Retry-After")

routes = web.RouteTableDef()


@routes.get("/webhooks/{channel}/{tail:.+}")
@routes.post("/webhooks/{channel}/{tail:.+}")
async def forward(request: web.Request) -> web.Response:
    """Hand a provider's request on to Rasa and its answer back."""
    gateway = request.app[GATEWAY]
    channel, tail = request.match_info["channel"], request.match_info["tail"]
    if channel not in gateway.config.channels or channel in NEVER or not _TAIL.fullmatch(tail):
        raise web.HTTPNotFound
    body = await read_body(request, MOST_BYTES, gateway.config.limits.body_seconds)
    headers = [(name, value) for name, value in request.headers.items() if name.lower() not in _NOT_PASSED]
    headers += [
        ("X-Forwarded-For", address(request)),
        ("X-Forwarded-Host", gateway.config.public_host),
        ("X-Forwarded-Proto", gateway.config.public_scheme),
    ]
    # Character for character as it came: providers sign the address too.
    query = request.rel_url.raw_query_string
    url = URL(f"{gateway.rasa.url}/webhooks/{channel}/{tail}" + (f"?{query}" if query else ""), encoded=True)
    try:
        async with gateway.rasa.http.request(
            request.method,
            url,
            data=body or None,
            headers=headers,
            timeout=TIMEOUT,
            allow_redirects=False,
        ) as response:
            answer = await response.content.read(REPLY_BYTES)
            given_back = {name: response.headers[name] for name in _GIVEN_BACK if name in response.headers}
            status = response.status
    except (aiohttp.ClientError, OSError, TimeoutError):
        log.warning("channel not reached", extra={"channel": channel})
        # 503 makes the provider send it again later, so the patient's message is not lost.
        raise Refused(503, "down") from None
    return web.Response(status=status, body=answer, headers=given_back)
