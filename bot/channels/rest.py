"""Rasa's REST channel with a door: same name, address and replies; wrong shapes, commands and floods refused."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from rasa.core.channels.channel import CollectingOutputChannel, InputChannel, UserMessage
from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse
from sanic.response import json as json_response

from bot.channels import inbound
from bot.channels.turn import UrgentOutput, take_turn
from knowledge.chat import chat_words
from safety.letters import is_letter

log = logging.getLogger(__name__)

MAX_TEXT = 2_000
MAX_REPORT = 8_200
REPORT_FORM = "report_form"


class RestOutput(UrgentOutput, CollectingOutputChannel):
    """Rasa's collector under the channel's own name, so that responses can tell it from messaging channels."""

    @classmethod
    def name(cls) -> str:
        return "rest"


class SafeRestInput(InputChannel):
    """Takes ``{"sender": str, "message": str}`` and answers with Rasa's list of messages.

    Meant for the loopback interface: integrators and tests. Button payloads of known intents work; ``/restart`` and its
    like are words. A message that cannot be read is answered with a reply that says why; a malformed request with 400.
    """

    @classmethod
    def name(cls) -> str:
        return "rest"

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        routes = Blueprint("plainspoken_rest", "plainspoken_rest")

        @routes.route("/", methods=["GET"])
        async def health(request: Request) -> HTTPResponse:
            return json_response({"status": "ok"})

        @routes.route("/webhook", methods=["POST"])
        async def receive(request: Request) -> HTTPResponse:
            agent = request.app.ctx.agent
            try:
                message, text = inbound.opened(request.body, agent)
            except inbound.BadRequest as error:
                return json_response({"error": error.code, "message": str(error)}, status=error.status)
            problem = await self._problem(text, message, agent)
            if problem:
                return json_response([{"recipient_id": message.sender, "text": problem}])
            collector = RestOutput()
            try:
                turn = UserMessage(text, collector, message.sender, input_channel=self.name())
                await take_turn(on_new_message, turn, collector)
            except Exception:
                log.exception("turn failed", extra={"channel": self.name(), "sender": message.sender})
                collector.messages.append({"recipient_id": message.sender, "text": chat_words().problems.silent})
            return json_response(collector.messages)

        return routes

    async def _problem(self, text: str, message: inbound.Inbound, agent: Any) -> str | None:
        """Return what to tell the patient when ``text`` is not to be read, or None."""
        words = chat_words().problems
        if not text:
            return words.unreadable if message.text.strip() else words.empty
        if len(text) <= MAX_TEXT:
            return None
        if len(text) > MAX_REPORT or is_letter(text):
            return None if len(text) <= MAX_REPORT else words.too_long
        tracker = await agent.tracker_store.retrieve(message.sender)
        return None if tracker and tracker.active_loop_name == REPORT_FORM else words.too_long
