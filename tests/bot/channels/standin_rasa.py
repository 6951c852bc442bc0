"""The four connectors in a real Sanic server with a scripted assistant; takes its port as argument.

The assistant answers by keyword (see ``REPLIES``), otherwise by repeating what it was told. ``GET /told`` lists what it
was told, ``POST /ready`` with ``{"ready": false}`` makes it seem still loading. What it was told survives a crash in
the file ``PLAINSPOKEN_VAR/told``, as Rasa's tracker does.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rasa.core.channels.channel import UserMessage
from rasa.shared.core.events import UserUttered
from rasa.shared.utils.common import class_from_module_path
from sanic import Sanic
from sanic.response import json as json_response

from runtime.channels import configured_channels

TOLD = Path(os.environ["PLAINSPOKEN_VAR"]) / "told"
READY = {"ready": True, "loop": None}
MORE = {"title": "Tell me more", "payload": "/tell_more"}
TOPIC = {"title": "What does a second opinion cost me?", "payload": '/faq{"topic":"cost"}'}
REPLIES: dict[str, list[dict[str, Any]]] = {
    "choices": [{"text": "Here are **choices**.", "buttons": [MORE, TOPIC, {"title": "No", "payload": "/deny"}]}],
    "many": [
        {
            "text": "Pick.",
            "buttons": [{"title": f"Choice {number}", "payload": f"pick {number}"} for number in range(1, 13)],
        }
    ],
    "age": [
        {
            "text": "How old are you?",
            "buttons": [{"title": "Skip", "payload": "skip"}, {"title": "I don't know", "payload": "I don't know"}],
            "custom": {"kind": "intake", "slot": "age", "type": "number"},
        }
    ],
    "long": [{"text": "A sentence of some length stands here. " * 400, "buttons": [MORE]}],
    "answer": [
        {"text": "An answer.", "custom": {"kind": "answer", "sources": [{"id": "x", "title": "A guideline, 2020"}]}}
    ],
    "two": [{"text": "First."}, {"text": "Second.", "buttons": [MORE]}],
    "numb": [
        {
            "text": "Call 911 now. " + "This can be serious. " * 20,
            "buttons": [
                {"title": "I'm calling now", "payload": '/escalation_reply{"choice":"calling"}'},
                {"title": "Someone is helping me", "payload": '/escalation_reply{"choice":"helped"}'},
            ],
            "custom": {"kind": "escalation", "tier": "emergency", "categories": ["cauda_equina"]},
        }
    ],
    "nothing": [],
    "delete me": [{"text": "Deleted."}],
    "&<>": [{"text": "a & b < c > d"}],
}


REPLIES["numb and hang"] = REPLIES["numb"]


def told() -> list[list[str]]:
    return [json.loads(line) for line in TOLD.read_text().splitlines()] if TOLD.exists() else []


async def turn(message: UserMessage) -> None:
    text = message.text or ""
    if text.startswith("please break"):
        raise RuntimeError(f"the patient said: {text}")
    for reply in REPLIES.get(text, [{"text": f"You said: {text}"}]):
        await message.output_channel.send_response(message.sender_id, dict(reply))
    if text in ("hang after", "numb and hang"):
        await asyncio.sleep(3600)
    with TOLD.open("a") as file:
        file.write(json.dumps([message.sender_id, text, message.input_channel, message.message_id]) + "\n")
    if text == "saved then hang":
        await asyncio.sleep(3600)


async def retrieve(sender: str) -> Any:
    mine = [one for one in told() if one[0] == sender]
    if mine and mine[-1][1] == "delete me":
        return None
    events = [UserUttered(one[1]) for one in mine]
    for event, one in zip(events, mine, strict=True):
        event.message_id = one[3]
    return SimpleNamespace(active_loop_name=READY["loop"], events=events)


def main() -> None:
    app = Sanic("standin", configure_logging=False)
    app.config.KEEP_ALIVE = False
    app.ctx.agent = SimpleNamespace(
        domain=SimpleNamespace(
            intents=["faq", "tell_more", "deny", "start_intake", "start_compare", "start_report", "escalation_reply"]
        ),
        is_ready=lambda: READY["ready"],
        tracker_store=SimpleNamespace(retrieve=retrieve),
    )
    for input_class, values in configured_channels(os.environ).items():
        # As rasa.core.run does, whose import would bring TensorFlow in.
        channel = class_from_module_path(input_class).from_credentials(values)
        app.blueprint(channel.blueprint(turn), url_prefix=f"/webhooks/{channel.name()}")

    @app.route("/told")
    async def list_told(request: Any) -> Any:
        return json_response(told())

    @app.route("/ready", methods=["POST"])
    async def set_ready(request: Any) -> Any:
        READY.update(request.json)
        return json_response({})

    app.run(host="127.0.0.1", port=int(sys.argv[1]), access_log=False, debug=False, motd=False)


if __name__ == "__main__":
    main()
