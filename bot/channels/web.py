"""The channel between our gateway and Rasa: one signed-for request a turn, one list of replies back."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from rasa.core.channels.channel import InputChannel, OutputChannel, UserMessage
from rasa.core.lock_store import LockError
from rasa.shared.core.events import BotUttered, UserUttered
from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse
from sanic.response import json as json_response

from bot.channels import inbound
from bot.channels.turn import UrgentOutput, take_turn
from runtime.settings import secret

log = logging.getLogger(__name__)

SECRET_HEADER = "X-Plainspoken-Secret"  # noqa: S105 (a name)
SENDER_PREFIX = "web-"
"""Rasa has one namespace of senders for all channels: without a prefix one channel could speak in another's chats."""
MAX_TEXT = 8_200
BUSY_SECONDS = 3.0
"""How long a turn that is sent again waits for a conversation that is locked: by its first try, which may have died in it."""


class Replies(OutputChannel):
    """Collects a turn's replies, each as one object: text, buttons and ``custom`` stay together, text stays whole."""

    def __init__(self) -> None:
        self.replies: list[dict[str, Any]] = []

    @classmethod
    def name(cls) -> str:
        return "web"

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        kept = {key: message[key] for key in ("text", "buttons", "custom", "image") if message.get(key)}
        if message.get("quick_replies") and "buttons" not in kept:
            kept["buttons"] = message["quick_replies"]
        if kept:
            self.replies.append({"recipient_id": recipient_id, **kept})


class RepliesOutput(UrgentOutput, Replies):
    """The same, and it knows when a reply must not wait."""


class WebInput(InputChannel):
    """``POST /webhooks/web/webhook`` with ``{"sender", "message", "trace"}``, with the shared secret in a header.

    ``letter``: the message's words are those of a letter. ``again``: no answer came when this ``trace`` was sent before;
    if that turn was taken all the same, its replies are given and nothing is done twice.
    """

    def __init__(self, shared_secret: str) -> None:
        self._secret = shared_secret.encode()

    @classmethod
    def name(cls) -> str:
        return "web"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> WebInput:
        """Take the secret from ``credentials.yml`` (``secret:``) or, when absent, from the shared settings."""
        return cls((credentials or {}).get("secret") or secret("web"))

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        routes = Blueprint("plainspoken_web", "plainspoken_web")

        @routes.route("/", methods=["GET"])
        async def health(request: Request) -> HTTPResponse:
            return json_response({"status": "ok"})

        @routes.route("/ready", methods=["GET"])
        async def ready(request: Request) -> HTTPResponse:
            problems = await _problems(request.app.ctx.agent)
            return json_response({"ready": not problems, "problems": problems}, status=503 if problems else 200)

        @routes.route("/webhook", methods=["POST"])
        async def receive(request: Request) -> HTTPResponse:
            if not hmac.compare_digest(request.headers.get(SECRET_HEADER, "").encode(), self._secret):
                return json_response({"error": "forbidden", "message": f"{SECRET_HEADER} is wrong."}, status=403)
            agent = request.app.ctx.agent
            try:
                message, text = inbound.opened(request.body, agent)
            except inbound.BadRequest as error:
                return json_response({"error": error.code, "message": str(error)}, status=error.status)
            if not text or len(text) > MAX_TEXT:
                explanation = f"'message' must have 1 to {MAX_TEXT} readable characters."
                return json_response({"error": "bad_length", "message": explanation}, status=400)
            if message.again:
                try:
                    given = await asyncio.wait_for(
                        _given(agent, SENDER_PREFIX + message.sender, message.trace), BUSY_SECONDS
                    )
                except (asyncio.TimeoutError, LockError):
                    return json_response({"error": "busy", "message": "The conversation is locked."}, status=503)
                if given is not None:
                    return json_response(given)
            return await self._turn(on_new_message, message, text)

        return routes

    async def _turn(
        self, on_new_message: Callable[[UserMessage], Awaitable[Any]], message: inbound.Inbound, text: str
    ) -> HTTPResponse:
        sender, output = SENDER_PREFIX + message.sender, RepliesOutput()
        metadata = {"letter": message.letter} if message.letter else None
        turn = UserMessage(text, output, sender, input_channel=self.name(), message_id=message.trace, metadata=metadata)
        try:
            await take_turn(on_new_message, turn, output)
        except asyncio.CancelledError:
            log.error("turn cancelled", extra={"trace": message.trace, "sender": sender})
            raise
        except Exception:
            log.exception("turn failed", extra={"trace": message.trace, "sender": sender})
            if not output.replies:  # what was already said (an escalation, say) must still arrive
                return json_response({"error": "failed", "message": "The turn failed."}, status=500)
        return json_response(output.replies)


async def _given(agent: Any, sender: str, trace: str | None) -> list[dict[str, Any]] | None:
    """The replies of the turn ``trace``, or None when it was never taken to its end. Raises LockError."""
    async with agent.lock_store.lock(sender):
        tracker = await agent.tracker_store.retrieve(sender)
    events = list(tracker.events) if tracker else []
    taken = [
        place for place, event in enumerate(events) if isinstance(event, UserUttered) and event.message_id == trace
    ]
    if not taken:
        return None
    output = Replies()
    for event in events[taken[-1] :]:
        if isinstance(event, BotUttered):
            await output.send_response(sender, event.message())
    return output.replies


async def _problems(agent: Any) -> list[str]:
    """What keeps Rasa from answering, in sentences."""
    if agent is None or not agent.is_ready():
        return ["No model is loaded yet"]
    # Rasa wraps its store in one that hides every failure behind an empty memory.
    store = getattr(agent.tracker_store, "_tracker_store", agent.tracker_store)
    try:
        await asyncio.wait_for(store.retrieve("readiness"), 2)
    except Exception as error:
        return [f"The conversations' database (PLAINSPOKEN_TRACKER_DATABASE_URL) fails: {type(error).__name__}"]
    return []
