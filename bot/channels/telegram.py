"""Telegram: https://core.telegram.org/bots/api

Rasa's connector fails on every update with the aiogram it pins ("Event loop is closed"), checks no request, and takes
edited messages again. This one needs no aiogram: two calls of the Bot API over HTTP.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from sanic.request import Request

from bot.channels.messaging import MessagingInput, same
from bot.channels.post import Incoming, Post
from bot.channels.provider import Answer, Outcome, Provider, Result, seconds
from bot.channels.renderer import Bubble
from runtime.settings import secret, settings

log = logging.getLogger(__name__)

API = "https://api.telegram.org"
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 (a name)
UPDATES = ["message", "edited_message", "callback_query"]
_MEDIA = {
    "image": ("photo", "sticker", "animation"),
    "voice": ("voice", "audio", "video", "video_note"),
    "file": ("document",),
    "location": ("location", "venue"),
    "other": ("contact", "poll", "dice", "game", "story"),
}


class TelegramInput(MessagingInput):
    """Args: ``token`` of the bot; ``api``, where the Bot API is (a server of one's own, or a test's)."""

    def __init__(self, token: str, api: str = API, post: Post | None = None) -> None:
        super().__init__(post)
        self._base = f"{api.rstrip('/')}/bot{token}"

    @classmethod
    def name(cls) -> str:
        return "telegram"

    def genuine(self, request: Request) -> bool:
        return same(request.headers.get(SECRET_HEADER, ""), secret("telegram"))

    def read(self, request: Request) -> list[Incoming]:
        update = json.loads(request.body)
        place = int(update["update_id"])
        if query := update.get("callback_query"):
            chat = (query.get("message") or {}).get("chat") or {"id": query["from"]["id"], "type": "private"}
            pressed = _incoming(chat, f"update {place}", place, option=str(query.get("data") or "-"))
            return [pressed] if pressed else []
        edited = "edited_message" in update
        message = update.get("edited_message") if edited else update.get("message")
        if not message:
            return []
        text = str(message.get("text") or message.get("caption") or "")
        media = next((kind for kind, keys in _MEDIA.items() if any(key in message for key in keys)), "")
        if not text and not media:
            return []  # somebody joined, a message was pinned, and the like
        said = _incoming(message["chat"], f"update {place}", place, text=text, media=media, edited=edited)
        return [said] if said else []

    async def send(self, provider: Provider, address: str, bubble: Bubble) -> Result:
        body: dict[str, Any] = {
            "chat_id": int(address),
            "text": bubble.text,
            "link_preview_options": {"is_disabled": True},
        }
        if bubble.buttons:
            keyboard = [[{"text": title, "callback_data": option}] for title, option in bubble.buttons]
            body["reply_markup"] = {"inline_keyboard": keyboard}
        answer = await provider.post(f"{self._base}/sendMessage", json=body)
        if isinstance(answer, Result):
            return answer
        return _result(answer)

    async def seen(self, provider: Provider, request: Request) -> None:
        """Tell Telegram that a button's press arrived, or the button shows a clock for a minute."""
        query = json.loads(request.body).get("callback_query")
        if query:
            await provider.post(f"{self._base}/answerCallbackQuery", json={"callback_query_id": str(query.get("id"))})

    async def started(self, provider: Provider) -> None:
        """Tell Telegram where we are, if we can be reached from outside."""
        if not settings().public_url.startswith("https://"):
            log.info("webhook not set", extra={"channel": "telegram", "reason": "no public https address"})
            return
        answer = await provider.post(f"{self._base}/setWebhook", json=webhook())
        if isinstance(answer, Result) or not answer.data.get("ok"):
            log.error("webhook not set", extra={"channel": "telegram", "reason": "telegram did not take it"})


def webhook() -> dict[str, Any]:
    """Return what ``setWebhook`` is told: our address, the secret, and the kinds of updates we read."""
    return {
        "url": f"{settings().public_url}/webhooks/telegram/webhook",
        "secret_token": secret("telegram"),
        "allowed_updates": UPDATES,
        "max_connections": 10,
    }


def _incoming(chat: dict[str, Any], event: str, place: float, **what: Any) -> Incoming | None:
    """A thing done in a private chat. Groups are not answered: others would read what a patient says."""
    if chat.get("type") != "private":
        return None
    identity = str(int(chat["id"]))
    return Incoming(identity, identity, event, place, **what)


def _result(answer: Answer) -> Result:
    if answer.data.get("ok") is True:
        return Result(Outcome.SENT)
    found = answer.result()
    if found.outcome is Outcome.LATER:
        return Result(Outcome.LATER, seconds((answer.data.get("parameters") or {}).get("retry_after")) or found.wait)
    return found if found.outcome is not Outcome.SENT else Result(Outcome.UNSURE)
