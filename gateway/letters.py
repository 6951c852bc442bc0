"""A letter of a chat for the action server, once the patient has agreed that the clinic gets a copy of it."""

from __future__ import annotations

import base64
import logging

from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from gateway.http import GATEWAY, read_body
from gateway.notices import MOST_BYTES, SENDER

log = logging.getLogger(__name__)

routes = web.RouteTableDef()


@routes.post("/internal/letters")
async def letter(request: web.Request) -> web.Response:
    """Hand out one letter for ``{"sender_id", "letter"}``, signed as notices are. 404: it is not there (any more)."""
    gateway = request.app[GATEWAY]
    body = await read_body(request, MOST_BYTES, gateway.config.limits.body_seconds)
    secret = base64.b64encode(bytes.fromhex(gateway.config.notices_secret)).decode()
    try:
        data = Webhook(secret).verify(body, dict(request.headers))
    except (WebhookVerificationError, ValueError):
        return web.json_response({"error": "signature"}, status=401)
    if not isinstance(data, dict) or not all(isinstance(data.get(key), str) for key in ("sender_id", "letter")):
        return web.json_response({"error": "sender_id and letter must be strings"}, status=422)
    sender = SENDER.fullmatch(data["sender_id"])
    found = await gateway.store.letter(sender[2], data["letter"]) if sender and sender[1] == "web" else None
    if found is None:
        return web.json_response({"error": "gone"}, status=404)
    log.info("letter handed over", extra={"session": sender[2] if sender else None})
    return web.Response(body=found[1], content_type=found[0])
