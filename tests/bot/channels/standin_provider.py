"""Stand-ins for Telegram, Twilio, Messenger and Slack in one process, which takes its port as argument.

Each takes what the provider documents and refuses what the provider would refuse, with its own kind of error. How it
misbehaves next is set by ``POST /mood`` with a list of moods, one for each following message: "ok", "busy" (too many
requests), "broken" (500), "blocked" (the person does not want messages), "wrong key", "slow 3" (answers after 3 s),
"cut" (takes the message and closes the connection without an answer). ``GET /log`` gives what was taken, in order.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import sys
from typing import Any

from aiohttp import web

TOKEN = "55501:telegram-token"
SID, KEY = "AC" + "5" * 32, "twilio-key"
PAGE_TOKEN, APP_SECRET = "page-token", "app-secret"
SLACK_TOKEN, SIGNING_SECRET = "xoxb-555", "signing-secret"

LOG: list[dict[str, Any]] = []
MOODS: list[str] = []
STATE: dict[str, Any] = {"webhook": None, "calls": []}
TELEGRAM_ERROR = {
    "busy": (
        429,
        {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 1}},
    ),
    "broken": (500, {"ok": False, "error_code": 500, "description": "Internal Server Error"}),
    "blocked": (403, {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked by the user"}),
    "wrong key": (401, {"ok": False, "error_code": 401, "description": "Unauthorized"}),
}
TWILIO_ERROR = {
    "busy": (429, {"code": 20429, "message": "Too Many Requests", "status": 429}),
    "broken": (500, {"code": 20500, "message": "Internal Server Error", "status": 500}),
    "blocked": (400, {"code": 21610, "message": "Attempt to send to unsubscribed recipient", "status": 400}),
    "wrong key": (401, {"code": 20003, "message": "Authenticate", "status": 401}),
}
MESSENGER_ERROR = {
    "busy": (400, {"error": {"message": "Calls to this api have exceeded the rate limit", "code": 613}}),
    "broken": (500, {"error": {"message": "Service temporarily unavailable", "code": 2, "is_transient": True}}),
    "blocked": (400, {"error": {"message": "This person isn't available right now", "code": 551}}),
    "wrong key": (400, {"error": {"message": "Invalid OAuth access token.", "code": 190}}),
}
SLACK_ERROR = {
    "busy": (429, {"ok": False, "error": "ratelimited"}),
    "broken": (503, {"ok": False, "error": "service_unavailable"}),
    "blocked": (200, {"ok": False, "error": "channel_not_found"}),
    "wrong key": (200, {"ok": False, "error": "invalid_auth"}),
}

routes = web.RouteTableDef()


async def answer(request: web.Request, errors: dict[str, Any], message: dict[str, Any], ok: Any) -> web.StreamResponse:
    mood = MOODS.pop(0) if MOODS else "ok"
    if mood in errors:
        status, body = errors[mood]
        STATE["calls"].append(mood)
        return web.json_response(body, status=status, headers={"Retry-After": "1"} if mood == "busy" else None)
    LOG.append(message)
    if mood.startswith("slow"):
        await asyncio.sleep(float(mood.split()[1]))
    if mood == "cut":
        assert request.transport
        request.transport.abort()
    return web.json_response(ok, status=201 if "sid" in ok else 200)


@routes.post("/bot{token}/{method}")
@routes.get("/bot{token}/{method}")
async def telegram(request: web.Request) -> web.StreamResponse:
    method = request.match_info["method"]
    data = await request.json() if request.can_read_body else dict(request.query)
    if request.match_info["token"] != TOKEN:
        return web.json_response(TELEGRAM_ERROR["wrong key"][1], status=401)
    if method == "getMe":
        return web.json_response({"ok": True, "result": {"id": 55501, "is_bot": True, "username": "example_bot"}})
    if method == "setWebhook":
        STATE["webhook"] = data
        return web.json_response({"ok": True, "result": True, "description": "Webhook was set"})
    if method == "getWebhookInfo":
        hook = STATE["webhook"] or {"url": ""}
        info = {"url": hook["url"], "pending_update_count": 0, "has_custom_certificate": False, **STATE.get("info", {})}
        return web.json_response({"ok": True, "result": info})
    if method == "answerCallbackQuery":
        STATE["calls"].append(data["callback_query_id"])
        return web.json_response({"ok": True, "result": True})
    assert method == "sendMessage", method
    keyboard = (data.get("reply_markup") or {}).get("inline_keyboard") or []
    buttons = [button for row in keyboard for button in row]
    if not data.get("text") or len(data["text"]) > 4096 or "parse_mode" in data:
        return web.json_response({"ok": False, "error_code": 400, "description": "Bad Request: text"}, status=400)
    if any(not 1 <= len(button["callback_data"].encode()) <= 64 for button in buttons):
        return web.json_response({"ok": False, "error_code": 400, "description": "BUTTON_DATA_INVALID"}, status=400)
    sent = {
        "channel": "telegram",
        "to": str(data["chat_id"]),
        "text": data["text"],
        "buttons": [[button["text"], button["callback_data"]] for button in buttons],
    }
    return await answer(request, TELEGRAM_ERROR, sent, {"ok": True, "result": {"message_id": len(LOG) + 1}})


def basic(request: web.Request) -> bool:
    wanted = "Basic " + base64.b64encode(f"{SID}:{KEY}".encode()).decode()
    return request.headers.get("Authorization") == wanted


@routes.post("/2010-04-01/Accounts/{sid}/Messages.json")
async def twilio(request: web.Request) -> web.StreamResponse:
    if not basic(request) or request.match_info["sid"] != SID:
        return web.json_response(TWILIO_ERROR["wrong key"][1], status=401)
    form = await request.post()
    body, to, ours = str(form["Body"]), str(form["To"]), str(form["From"])
    if not body.strip() or len(body) > 1600:
        return web.json_response({"code": 21617, "message": "Body exceeds 1600 characters", "status": 400}, status=400)
    if to.startswith("whatsapp:") != ours.startswith("whatsapp:"):
        return web.json_response({"code": 63007, "message": "Channel mismatch", "status": 400}, status=400)
    sent = {"channel": "whatsapp" if to.startswith("whatsapp:") else "sms", "to": to, "text": body, "buttons": []}
    return await answer(request, TWILIO_ERROR, sent, {"sid": f"SM{len(LOG):032x}", "status": "queued"})


@routes.get("/2010-04-01/Accounts/{sid}.json")
async def twilio_account(request: web.Request) -> web.Response:
    if not basic(request):
        return web.json_response(TWILIO_ERROR["wrong key"][1], status=401)
    return web.json_response({"sid": SID, "status": "active", "friendly_name": "Example"})


@routes.get("/2010-04-01/Accounts/{sid}/IncomingPhoneNumbers.json")
async def twilio_numbers(request: web.Request) -> web.Response:
    numbers = [{"phone_number": "+15550100", "sms_url": STATE.get("sms_url", ""), "sms_method": "POST"}]
    wanted = request.query.get("PhoneNumber")
    return web.json_response({"incoming_phone_numbers": [one for one in numbers if one["phone_number"] == wanted]})


def graph_key(request: web.Request) -> bool:
    proof = hmac.new(APP_SECRET.encode(), PAGE_TOKEN.encode(), hashlib.sha256).hexdigest()
    return request.query.get("access_token") == PAGE_TOKEN and request.query.get("appsecret_proof") == proof


@routes.post("/v23.0/me/messages")
async def messenger(request: web.Request) -> web.StreamResponse:
    if not graph_key(request):
        return web.json_response(MESSENGER_ERROR["wrong key"][1], status=400)
    data = await request.json()
    message, template = data["message"], None
    if "attachment" in message:
        template = message["attachment"]["payload"]
        wrong = (
            len(template["text"]) > 640
            or not 1 <= len(template["buttons"]) <= 3
            or any(len(button["title"]) > 20 or len(button["payload"]) > 1000 for button in template["buttons"])
        )
    else:
        wrong = not message["text"] or len(message["text"]) > 2000
    if wrong or data.get("messaging_type") != "RESPONSE":
        return web.json_response({"error": {"message": "Invalid parameter", "code": 100}}, status=400)
    sent = {
        "channel": "messenger",
        "to": data["recipient"]["id"],
        "text": template["text"] if template else message["text"],
        "buttons": [[button["title"], button["payload"]] for button in template["buttons"]] if template else [],
    }
    return await answer(request, MESSENGER_ERROR, sent, {"recipient_id": sent["to"], "message_id": f"m_{len(LOG)}"})


@routes.get("/v23.0/me")
async def page(request: web.Request) -> web.Response:
    if not graph_key(request):
        return web.json_response(MESSENGER_ERROR["wrong key"][1], status=400)
    return web.json_response({"id": "555", "name": "Example Clinic"})


@routes.get("/v23.0/me/subscribed_apps")
async def subscribed(request: web.Request) -> web.Response:
    return web.json_response({"data": STATE.get("subscribed", [])})


@routes.post("/api/{method}")
async def slack(request: web.Request) -> web.StreamResponse:
    if request.headers.get("Authorization") != f"Bearer {SLACK_TOKEN}":
        return web.json_response(SLACK_ERROR["wrong key"][1])
    if request.match_info["method"] == "auth.test":
        scopes = {"x-oauth-scopes": STATE.get("scopes", "chat:write,im:history")}
        return web.json_response({"ok": True, "team": "Example", "user": "plainspoken"}, headers=scopes)
    data = await request.json()
    blocks = data.get("blocks") or []
    elements = [element for block in blocks if block["type"] == "actions" for element in block["elements"]]
    sections = [block["text"]["text"] for block in blocks if block["type"] == "section"]
    if (
        any(len(text) > 3000 for text in sections)
        or len({element["action_id"] for element in elements}) != len(elements)
        or any(len(element["text"]["text"]) > 75 or len(element["value"]) > 2000 for element in elements)
    ):
        return web.json_response({"ok": False, "error": "invalid_blocks"})
    sent = {
        "channel": "slack",
        "to": data["channel"],
        "text": sections[0]
        if sections
        else data["text"].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"),
        "buttons": [[element["text"]["text"], element["value"]] for element in elements],
    }
    return await answer(request, SLACK_ERROR, sent, {"ok": True, "ts": f"{len(LOG)}.0001"})


@routes.get("/log")
async def log(request: web.Request) -> web.Response:
    return web.json_response({"messages": LOG, "calls": STATE["calls"], "webhook": STATE["webhook"], "moods": MOODS})


@routes.post("/mood")
async def mood(request: web.Request) -> web.Response:
    data = await request.json()
    MOODS[:] = data.get("moods", [])
    STATE.update(data.get("state", {}))
    if data.get("forget"):
        LOG.clear()
        STATE["calls"] = []
    return web.json_response({})


if __name__ == "__main__":
    app = web.Application()
    app.add_routes(routes)
    print(json.dumps({"port": int(sys.argv[1])}), flush=True)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
