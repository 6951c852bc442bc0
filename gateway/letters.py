"""A letter of a chat for the action server, once the patient has agreed that the clinic gets a copy of it."""

from __future__ import annotations

import logging

from aiohttp import web

from gateway.http import GATEWAY, read_signed
from gateway.notices import SENDER

log = logging.getLogger(__name__)

routes = web.RouteTableDef()


@routes.post("/internal/letters")
async def letter(request: web.Request) -> web.Response:
    """Hand out one letter for ``{"sender_id", "letter"}``, signed as notices are. 404: it is not there (any more)."""
    gateway = request.app[GATEWAY]
    data = await read_signed(request)
    if not isinstance(data, dict) or not all(isinstance(data.get(key), str) for key in ("sender_id", "letter")):
        return web.json_response({"error": "sender_id and letter must be strings"}, status=422)
    sender = SENDER.fullmatch(data["sender_id"])
    found = await gateway.store.letter(sender[2], data["letter"]) if sender and sender[1] == "web" else None
    if found is None:
        return web.json_response({"error": "gone"}, status=404)
    log.info("letter handed over", extra={"session": sender[2] if sender else None})
    return web.Response(body=found[1], content_type=found[0])
