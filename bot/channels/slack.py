"""Slack: https://docs.slack.dev/apis/events-api/ and https://docs.slack.dev/interactivity/

Rasa's connector ignores every event that comes as ``application/json; charset=utf-8`` and drops more than five buttons.
Only direct messages are answered: in a channel others would read what a patient says.
"""

from __future__ import annotations

import html
import json
import re
import time
from typing import Any
from urllib.parse import parse_qs

from sanic.request import Request
from sanic.response import HTTPResponse
from sanic.response import json as json_response

from bot.channels import signatures
from bot.channels.messaging import MessagingInput, same
from bot.channels.post import Incoming, Post
from bot.channels.provider import Answer, Outcome, Provider, Result
from bot.channels.renderer import Bubble

API = "https://slack.com/api"
OLDEST_SECONDS = 300
"""Slack's own advice: refuse what was signed more than five minutes ago."""
_PASSING = frozenset(
    ("ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout")
)
_KEY = frozenset(("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "missing_scope"))
_LINK = re.compile(r"<(?:(?:https?|mailto|tel):)([^|>]+)(?:\|([^>]*))?>")
_MENTION = re.compile(r"<[@#!][^>]*>")


class SlackInput(MessagingInput):
    """Args: ``token`` of the bot user (xoxb-...), ``signing_secret`` of the app, ``api``."""

    def __init__(self, token: str, signing_secret: str, api: str = API, post: Post | None = None) -> None:
        super().__init__(post)
        self._secret = signing_secret
        self._url = f"{api.rstrip('/')}/chat.postMessage"
        self._headers = {"Authorization": f"Bearer {token}"}

    @classmethod
    def name(cls) -> str:
        return "slack"

    def genuine(self, request: Request) -> bool:
        moment = request.headers.get("X-Slack-Request-Timestamp", "")
        if not re.fullmatch(r"\d{1,12}", moment) or abs(time.time() - int(moment)) > OLDEST_SECONDS:
            return False
        wanted = signatures.slack(self._secret, moment, request.body)
        return same(request.headers.get("X-Slack-Signature", ""), wanted)

    def read(self, request: Request) -> list[Incoming]:
        data = _data(request)
        if data.get("type") == "block_actions":
            return _pressed(data)
        event = data.get("event") or {}
        if data.get("type") != "event_callback" or event.get("type") != "message":
            return []
        edited = event.get("subtype") == "message_changed"
        message = event["message"] if edited else event
        person = message.get("user")
        if (
            not person
            or message.get("bot_id")
            or event.get("channel_type") != "im"
            or event.get("subtype") not in (None, "file_share", "message_changed")
        ):
            return []
        said = Incoming(
            f"{data.get('team_id')} {person}",
            str(event["channel"]),
            f"{data.get('team_id')} {data['event_id']}",
            float(event.get("ts") or 0),
            text=_typed(str(message.get("text") or "")),
            media=_media(message.get("files") or []),
            edited=edited,
        )
        return [said]

    def taken(self, request: Request) -> HTTPResponse:
        data = _data(request)
        if data.get("type") == "url_verification":
            return json_response({"challenge": data.get("challenge")})
        return HTTPResponse(status=200)  # Slack shows any other body to the person who pressed a button

    async def send(self, provider: Provider, address: str, bubble: Bubble) -> Result:
        body: dict[str, Any] = {
            "channel": address,
            "text": html.escape(bubble.text, quote=False),
            "mrkdwn": False,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        if bubble.buttons:
            elements = [
                {
                    "type": "button",
                    "text": {"type": "plain_text", "text": title, "emoji": False},
                    "action_id": f"option {option}",
                    "value": option,
                }
                for title, option in bubble.buttons
            ]
            said = {"type": "plain_text", "text": bubble.text, "emoji": False}
            body["blocks"] = [{"type": "section", "text": said}, {"type": "actions", "elements": elements}]
        answer = await provider.post(self._url, headers=self._headers, json=body)
        return answer if isinstance(answer, Result) else _result(answer)


def _data(request: Request) -> dict[str, Any]:
    """Events are JSON; presses of buttons a form with JSON in it. The body says which, not its header."""
    body = request.body.decode()
    found = json.loads(body if body.lstrip().startswith("{") else parse_qs(body, max_num_fields=20)["payload"][0])
    if not isinstance(found, dict):
        raise TypeError("not an object")
    return found


def _pressed(data: dict[str, Any]) -> list[Incoming]:
    person = f"{(data.get('team') or {}).get('id')} {data['user']['id']}"
    address = str((data.get("channel") or {}).get("id") or data["user"]["id"])
    return [
        Incoming(
            person,
            address,
            f"{person} {data.get('trigger_id')} {action.get('action_ts')}",
            float(action.get("action_ts") or 0),
            option=str(action.get("value") or "-"),
        )
        for action in data.get("actions") or []
        if action.get("type") == "button"
    ]


def _typed(text: str) -> str:
    """What the person typed, without Slack's marks for links, people and channels."""
    text = _LINK.sub(lambda link: link[2] or link[1], text)
    return html.unescape(_MENTION.sub("", text)).strip()


def _media(files: list[dict[str, Any]]) -> str:
    if not files:
        return ""
    kind = str(files[0].get("mimetype") or "").partition("/")[0]
    return {"image": "image", "audio": "voice", "video": "voice"}.get(kind, "file")


def _result(answer: Answer) -> Result:
    if answer.data.get("ok") is True:
        return Result(Outcome.SENT)
    error = str(answer.data.get("error") or "")
    if error in _PASSING or error in _KEY:
        return Result(Outcome.LATER, answer.wait)
    found = answer.result()
    return found if found.outcome is not Outcome.SENT else Result(Outcome.REFUSED)
