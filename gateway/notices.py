"""News pushed into a chat by the delivery worker and the case desk: signed, once, and in our own fixed words."""

from __future__ import annotations

import logging
import re
from typing import Any

from aiohttp import web

from gateway.http import GATEWAY, Gateway, read_signed
from gateway.store import Gone
from knowledge.chat import chat_words
from runtime.channels import WEBHOOK_OF

log = logging.getLogger(__name__)

SENDER = re.compile(r"([a-z]+)-([0-9a-f]{32})")
REFERENCE = re.compile(r"[A-Z]{2,3}-[0-9A-Z]{4}-[0-9A-Z]{4}")

routes = web.RouteTableDef()


@routes.post("/internal/notices")
async def notice(request: web.Request) -> web.Response:
    """Push one notice. 202: shown or taken, 200: shown before, 404: that chat is no longer there, 503: come again."""
    gateway = request.app[GATEWAY]
    data = await read_signed(request)
    problem, channel, session, shown = _read(gateway, data)
    if problem:
        return web.json_response({"error": problem}, status=422)
    if channel != "web":
        notice = {"id": data["id"], "sender_id": data["sender_id"], "text": shown["text"]}
        status = await gateway.rasa.notice(WEBHOOK_OF[channel], notice)  # which takes each id once
        return web.json_response({"status": "taken"} if status == 202 else {"error": "gone"}, status=status)
    try:
        if await gateway.turns.push(session, [shown], notice=data["id"]) is None:
            return web.json_response({"status": "known"})
    except Gone:
        return web.json_response({"error": "gone"}, status=404)
    log.info("notice", extra={"session": session, "kind": data["kind"], "reference": data["reference"]})
    return web.json_response({"status": "shown"}, status=202)


def _read(gateway: Gateway, data: Any) -> tuple[str | None, str, str, dict[str, Any]]:
    """Return what is wrong with ``data``, or the channel, the session and the bubble it becomes."""
    wanted = ("id", "sender_id", "kind", "reference")
    if not isinstance(data, dict) or not all(isinstance(data.get(key), str) and data[key] for key in wanted):
        return f"{', '.join(wanted)} must be strings", "", "", {}
    sender, words = SENDER.fullmatch(data["sender_id"]), chat_words()
    status = data.get("status") or ""
    if not sender or sender[1] not in ("web", *WEBHOOK_OF):
        return "sender_id is not of a channel that notices reach", "", "", {}
    if data["kind"] not in words.notices or not REFERENCE.fullmatch(data["reference"]) or not isinstance(status, str):
        return "kind, reference or status is not known", "", "", {}
    values = {
        "reference": data["reference"],
        "number": gateway.emergency.number,
        "status": words.statuses.get(status, status.replace("_", " ")[:40]),
    }
    text = words.notices[data["kind"]].format(**values)
    custom = {"kind": "notice", "about": data["kind"], "reference": data["reference"], "status": status}
    return None, sender[1], sender[2], {"who": "bot", "text": text, "custom": custom}
