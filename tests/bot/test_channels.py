"""Our REST and web channels as real Sanic routes: what they refuse, what they let through, what Rasa is told."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from rasa.core.channels.channel import InputChannel, UserMessage
from rasa.core.lock_store import InMemoryLockStore
from rasa.shared.core.events import BotUttered, SlotSet, UserUttered
from sanic import Sanic

from bot.channels import inbound
from bot.channels.rest import SafeRestInput
from bot.channels.web import SECRET_HEADER, WebInput
from knowledge.chat import chat_words

INTENTS = ["faq", "start_report", "restart", "session_start", "back"]
SECRET = "5e" * 32


@dataclass
class Answer:
    status: int
    json: Any


class Channel:
    """One channel of the server and what it told the stand-in agent."""

    def __init__(self, channel: InputChannel) -> None:
        self.channel = channel
        self.forget()

    def forget(self) -> None:
        self.told: list[UserMessage] = []
        self.says: list[dict[str, Any]] = [{"text": "Hello."}]
        self.breaks = False

    async def turn(self, message: UserMessage) -> None:
        self.told.append(message)
        for reply in self.says:
            await message.output_channel.send_response(message.sender_id, dict(reply))
        if self.breaks:
            raise RuntimeError("the patient said: numb")

    def post(self, body: Any, **headers: str) -> Answer:
        raw = body if isinstance(body, str) else json.dumps(body)
        response = requests.post(
            f"{self.url}/webhooks/{self.channel.name()}/webhook", data=raw, headers=headers, timeout=5
        )
        return Answer(response.status_code, response.json())

    url = ""


TRACKER = SimpleNamespace(active_loop_name=None, events=[])
LOCKS = InMemoryLockStore()
CHANNELS = {"rest": Channel(SafeRestInput()), "web": Channel(WebInput(SECRET))}


async def _tracker(sender: str) -> SimpleNamespace:
    return TRACKER


@pytest.fixture(scope="module")
def server() -> Iterator[None]:
    """Both channels on one Sanic app in a thread, as Rasa runs them. (Sanic stands no second app in a process.)"""
    app = Sanic("channels", configure_logging=False)
    app.ctx.agent = SimpleNamespace(
        domain=SimpleNamespace(intents=INTENTS),
        is_ready=lambda: True,
        tracker_store=SimpleNamespace(retrieve=_tracker),
        lock_store=LOCKS,
    )
    for name, channel in CHANNELS.items():
        app.blueprint(channel.channel.blueprint(channel.turn), url_prefix=f"/webhooks/{name}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    Channel.url = f"http://127.0.0.1:{port}"
    loop = asyncio.new_event_loop()
    started = threading.Event()

    async def start() -> None:
        running = await app.create_server(host="127.0.0.1", port=port, return_asyncio_server=True)
        await running.startup()
        await running.start_serving()
        started.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(start())
        loop.run_forever()

    threading.Thread(target=run, daemon=True).start()
    assert started.wait(10)
    yield
    loop.call_soon_threadsafe(loop.stop)


@pytest.fixture
def rest(server: None) -> Channel:
    CHANNELS["rest"].forget()
    TRACKER.active_loop_name = None
    return CHANNELS["rest"]


@pytest.fixture
def web(server: None) -> Channel:
    CHANNELS["web"].forget()
    TRACKER.events = []
    return CHANNELS["web"]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("is surgery needed?", "is surgery needed?"),
        ('/faq{"topic":"cost"}', '/faq{"topic":"cost"}'),
        ("/start_report", "/start_report"),
        ("/restart", "restart"),
        ("/session_start", "session_start"),
        ("/back", "back"),
        ("//restart", "restart"),
        ("/ restart", "restart"),
        ("/unknown_intent", "unknown_intent"),
        ("/faq{not json}", "faq{not json}"),
        ('/faq{"topic":{"deep":1}}', 'faq{"topic":{"deep":1}}'),
        ("/faq@0.5", "faq@0.5"),
        ('/faq{"topic":"cost"} and more', 'faq{"topic":"cost"} and more'),
        ("I can't\x00 feel \u202emy legs\ud800", "I can't  feel my legs"),
    ],
)
def test_what_rasa_is_told(rest: Channel, typed: str, told: str) -> None:
    response = rest.post({"sender": "u1", "message": typed, "metadata": {"role": "doctor"}, "input_channel": "x"})
    assert response.status == 200
    assert [(message.text, message.input_channel, message.metadata) for message in rest.told] == [(told, "rest", None)]
    assert response.json == [{"recipient_id": "u1", "text": "Hello."}]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "not_json"),
        ("not json", "not_json"),
        ("[" * 30_000, "not_json"),
        ([], "not_an_object"),
        ({}, "bad_sender"),
        ({"message": "hi"}, "bad_sender"),
        ({"sender": 5, "message": "hi"}, "bad_sender"),
        ({"sender": "", "message": "hi"}, "bad_sender"),
        ({"sender": "a\nb", "message": "hi"}, "bad_sender"),
        ({"sender": "a" * 129, "message": "hi"}, "bad_sender"),
        ({"sender": "u1"}, "bad_message"),
        ({"sender": "u1", "message": 5}, "bad_message"),
        ({"sender": "u1", "message": None}, "bad_message"),
        ({"sender": "u1", "message": "x" * 70_000}, "too_big"),
    ],
    ids=range(14),
)
def test_malformed_requests_are_refused_with_a_reason(rest: Channel, body: Any, code: str) -> None:
    response = rest.post(body)
    assert (response.status, response.json["error"]) == (400, code)
    assert response.json["message"]
    assert rest.told == []


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ("", "empty"),
        ("  \n ", "empty"),
        ("\x00\x01\x02", "unreadable"),
        ("///", "unreadable"),
        ("a" * 2_001, "too_long"),
    ],
    ids=["empty", "blank", "control", "slashes", "long"],
)
def test_unreadable_messages_get_a_kind_reply(rest: Channel, message: str, problem: str) -> None:
    response = rest.post({"sender": "u1", "message": message})
    assert response.json == [{"recipient_id": "u1", "text": getattr(chat_words().problems, problem)}]
    assert rest.told == []


def test_a_whole_report_is_taken_while_the_report_reader_listens(rest: Channel) -> None:
    TRACKER.active_loop_name = "report_form"
    rest.post({"sender": "u1", "message": "word " * 1_500})
    assert len(rest.told) == 1


def test_rest_keeps_rasas_shape_of_replies(rest: Channel) -> None:
    rest.says = [{"text": "One.\n\nTwo.", "custom": {"kind": "answer"}}]
    response = rest.post({"sender": "u1", "message": "hi"})
    assert [sorted(set(reply) - {"recipient_id"}) for reply in response.json] == [["text"], ["text"], ["custom"]]


def test_a_broken_turn_says_so_and_logs_no_words(rest: Channel, caplog: pytest.LogCaptureFixture) -> None:
    rest.says, rest.breaks = [], True
    response = rest.post({"sender": "u1", "message": "my secret words"})
    assert response.json[0]["text"] == chat_words().problems.silent
    assert "secret" not in caplog.messages


def test_web_wants_the_secret(web: Channel) -> None:
    body = {"sender": "ab" * 16, "message": "hi"}
    assert web.post(body).status == 403
    assert (web.post(body, **{SECRET_HEADER: "wrong"})).status == 403
    assert (web.post(body, **{SECRET_HEADER: SECRET})).status == 200
    assert [(message.sender_id, message.input_channel) for message in web.told] == [("web-" + "ab" * 16, "web")]


def test_web_keeps_a_reply_together(web: Channel) -> None:
    web.says = [
        {"text": "One.\n\nTwo.", "buttons": [{"title": "Yes", "payload": "/affirm"}], "custom": {"kind": "answer"}}
    ]
    response = web.post({"sender": "s", "message": "hi", "trace": "t1"}, **{SECRET_HEADER: SECRET})
    assert response.json == [{"recipient_id": "web-s", **web.says[0]}]
    assert web.told[0].message_id == "t1"


LETTER = {"id": "ab" * 16, "type": "application/pdf", "size": 120_000}


def test_web_tells_rasa_that_a_message_is_of_a_letter(web: Channel) -> None:
    web.post({"sender": "s", "message": "hi", "letter": {**LETTER, "content": "x"}}, **{SECRET_HEADER: SECRET})
    web.post({"sender": "s", "message": "hi", "letter": {**LETTER, "id": "../x"}}, **{SECRET_HEADER: SECRET})
    web.post({"sender": "s", "message": "hi"}, **{SECRET_HEADER: SECRET})
    assert [message.metadata for message in web.told] == [{"letter": LETTER}, None, None]


def test_no_other_channel_may_say_so(rest: Channel) -> None:
    rest.post({"sender": "u1", "message": "hi", "letter": LETTER, "metadata": {"letter": LETTER}})
    assert rest.told[0].metadata in (None, {})


def test_web_gives_what_was_said_before_the_turn_broke(web: Channel) -> None:
    web.breaks = True
    kept = web.post({"sender": "s", "message": "hi"}, **{SECRET_HEADER: SECRET})
    assert (kept.status, kept.json[0]["text"]) == (200, "Hello.")
    web.says = []
    lost = web.post({"sender": "s", "message": "hi"}, **{SECRET_HEADER: SECRET})
    assert (lost.status, lost.json["error"]) == (500, "failed")


def sent_again(web: Channel, trace: str) -> Answer:
    return web.post({"sender": "s", "message": "yes", "trace": trace, "again": True}, **{SECRET_HEADER: SECRET})


def test_a_turn_sent_again_that_was_never_taken_is_taken(web: Channel) -> None:
    TRACKER.events = [UserUttered("hi", message_id="t0"), BotUttered("Hello.")]
    assert sent_again(web, "t1").json == [{"recipient_id": "web-s", "text": "Hello."}]
    assert [(message.text, message.message_id) for message in web.told] == [("yes", "t1")]


def test_a_turn_sent_again_that_was_taken_is_not_taken_twice(web: Channel) -> None:
    buttons = [{"title": "Yes", "payload": "/affirm"}]
    TRACKER.events = [
        UserUttered("hi", message_id="t0"),
        BotUttered("Hello."),
        UserUttered("yes", message_id="t1"),
        SlotSet("topic", "cost"),
        BotUttered("Good.", {"buttons": buttons, "custom": {"kind": "intake"}}),
        BotUttered(None, {"custom": {"kind": "case"}}),
    ]
    assert sent_again(web, "t1").json == [
        {"recipient_id": "web-s", "text": "Good.", "buttons": buttons, "custom": {"kind": "intake"}},
        {"recipient_id": "web-s", "custom": {"kind": "case"}},
    ]
    assert web.told == []


def test_a_turn_sent_again_does_not_wait_for_ever_for_one_that_died_in_its_turn(
    web: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.channels.web.BUSY_SECONDS", 0.2)
    ticket = LOCKS.issue_ticket("web-s", 30)
    try:
        assert (sent_again(web, "t1").status, web.told) == (503, [])
    finally:
        LOCKS.finish_serving("web-s", ticket)


@pytest.mark.parametrize("message", ["", "\x07", "x" * 8_201], ids=range(3))
def test_web_refuses_lengths_that_the_gateway_never_sends(web: Channel, message: str) -> None:
    response = web.post({"sender": "s", "message": message}, **{SECRET_HEADER: SECRET})
    assert (response.status, response.json["error"]) == (400, "bad_length")


def test_a_trace_that_is_not_an_id_is_dropped() -> None:
    assert inbound.read(b'{"sender":"s","message":"m","trace":"\\n{}"}').trace is None
