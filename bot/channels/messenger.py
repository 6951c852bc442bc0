"""Facebook Messenger: https://developers.facebook.com/docs/messenger-platform

Rasa's connector answers only the first event of a batch, takes the signature's algorithm from the request, compares it
in variable time, and sends synchronously. This one speaks the Send API itself.
"""

from __future__ import annotations

import json
from typing import Any

from sanic.request import Request
from sanic.response import HTTPResponse, text

from bot.channels import signatures
from bot.channels.messaging import MessagingInput, same
from bot.channels.post import Incoming, Post
from bot.channels.provider import Answer, Outcome, Provider, Result
from bot.channels.renderer import Bubble
from runtime.settings import secret

API = "https://graph.facebook.com/v23.0"
SIGNATURE_HEADER = "X-Hub-Signature-256"
_MEDIA = {"image": "image", "audio": "voice", "video": "voice", "file": "file", "location": "location"}
_BUSY = frozenset({1, 2, 4, 17, 32, 341, 613, 1200, 80006})
"""Error codes that pass by themselves: https://developers.facebook.com/docs/graph-api/guides/error-handling"""
_KEY = 190


class MessengerInput(MessagingInput):
    """Args: ``page_token`` (the page's access token), ``app_secret`` (signs what we get), ``api`` with its version."""

    def __init__(self, page_token: str, app_secret: str, api: str = API, post: Post | None = None) -> None:
        super().__init__(post)
        self._secret = app_secret
        self._url = f"{api.rstrip('/')}/me/messages"
        proof = signatures.messenger_proof(app_secret, page_token)
        self._query = {"access_token": page_token, "appsecret_proof": proof}

    @classmethod
    def name(cls) -> str:
        return "messenger"

    def early(self, request: Request) -> HTTPResponse | None:
        """Facebook checks a new webhook with the verify token that was typed into its page."""
        if request.method != "GET":
            return None
        asked, given = request.args.get("hub.mode"), request.args.get("hub.verify_token") or ""
        if asked == "subscribe" and same(given, secret("messenger")):
            return text(str(request.args.get("hub.challenge") or ""))
        return None

    def genuine(self, request: Request) -> bool:
        wanted = signatures.messenger(self._secret, request.body)
        return same(request.headers.get(SIGNATURE_HEADER, ""), wanted)

    def read(self, request: Request) -> list[Incoming]:
        data = json.loads(request.body)
        if data["object"] != "page":
            return []
        events = [event for entry in data["entry"] for event in entry.get("messaging") or []]
        return [incoming for event in events if (incoming := _incoming(event))]

    async def send(self, provider: Provider, address: str, bubble: Bubble) -> Result:
        message: dict[str, Any] = {"text": bubble.text}
        if bubble.buttons:
            buttons = [{"type": "postback", "title": title, "payload": option} for title, option in bubble.buttons]
            payload = {"template_type": "button", "text": bubble.text, "buttons": buttons}
            message = {"attachment": {"type": "template", "payload": payload}}
        body = {"recipient": {"id": address}, "messaging_type": "RESPONSE", "message": message}
        answer = await provider.post(self._url, params=self._query, json=body)
        return answer if isinstance(answer, Result) else _result(answer)


def _incoming(event: dict[str, Any]) -> Incoming | None:
    """Return what a person did in ``event``; None for our own echo, receipts, reactions and the like."""
    person, place = str(event["sender"]["id"]), float(event.get("timestamp") or 0)
    if postback := event.get("postback"):
        identity = postback.get("mid") or f"{place} {postback.get('payload')}"
        pressed = str(postback.get("payload") or "-")
        if pressed.casefold() in ("get_started", "start"):
            return Incoming(person, person, f"{person} {identity}", place, text="/start")
        return Incoming(person, person, f"{person} {identity}", place, option=pressed)
    if edit := event.get("message_edit"):
        said = str(edit.get("text") or "")
        name = f"{edit['mid']} {edit.get('num_edit')}"
        return Incoming(person, person, name, place, text=said, edited=True) if said else None
    message = event.get("message")
    if not message or message.get("is_echo") or message.get("is_deleted"):
        return None
    kinds = [attachment.get("type") for attachment in message.get("attachments") or []]
    media = _MEDIA.get(str(kinds[0]), "other") if kinds else ""
    if media == "other" and message.get("text"):
        media = ""  # a link's preview
    if not message.get("text") and not media:
        media = "other"
    return Incoming(person, person, str(message["mid"]), place, text=str(message.get("text") or ""), media=media)


def _result(answer: Answer) -> Result:
    error = answer.data.get("error")
    if not isinstance(error, dict):
        return answer.result()
    if error.get("code") in _BUSY or error.get("code") == _KEY or error.get("is_transient"):
        return Result(Outcome.LATER, answer.wait)
    found = answer.result()
    return found if found.outcome is not Outcome.SENT else Result(Outcome.REFUSED)
