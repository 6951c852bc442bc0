"""A channel is on when its variables are set: for Rasa, for the gateway, and for news that the gateway passes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from gateway.config import config
from gateway.notices import _read
from gateway.rasa import Rasa
from knowledge.chat import chat_words
from runtime.channels import CHANNELS, WEBHOOK_OF, channels_on, configured_channels, missing, touched
from tests.channels.test_check_channel import VARIABLES
from tests.conftest import free_ports


@pytest.mark.parametrize("name", CHANNELS)
def test_a_channel_is_on_when_all_its_variables_are_set(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert channels_on({}) == ()
    assert channels_on(VARIABLES[name]) == (name,)
    values = configured_channels(VARIABLES[name])[CHANNELS[name].input_class]
    assert sorted(values.values()) == sorted(VARIABLES[name].values())
    for variable in VARIABLES[name]:
        others = {key: value for key, value in VARIABLES[name].items() if key != variable}
        assert channels_on(others) == ()
        assert any(variable in lacking for lacking in missing(CHANNELS[name], others))
        assert touched(CHANNELS[name], others) is bool(others)
    for key, value in VARIABLES[name].items():
        monkeypatch.setenv(key, value)
    monkeypatch.delenv("PLAINSPOKEN_CHANNELS", raising=False)
    assert config().channels == (name,)
    monkeypatch.setenv("PLAINSPOKEN_CHANNELS", "slack")
    assert config().channels == ("slack",)


@pytest.mark.parametrize("prefix", WEBHOOK_OF)
def test_news_for_people_on_messaging_channels_is_understood(prefix: str) -> None:
    notice = {"id": "1", "sender_id": f"{prefix}-{'ab' * 16}", "kind": "case.received", "reference": "PS-7K2M-Q4XD"}
    gateway: Any = SimpleNamespace(emergency=SimpleNamespace(number="911"))
    problem, channel, _, shown = _read(gateway, notice)
    assert (problem, channel) == (None, prefix)
    assert shown["text"] == chat_words().notices["case.received"].format(reference="PS-7K2M-Q4XD")
    assert _read(gateway, {**notice, "sender_id": "fax-" + "ab" * 16})[0]


@pytest.fixture
async def rasa() -> AsyncIterator[tuple[Rasa, list[Any]]]:
    taken: list[Any] = []

    async def notice(request: web.Request) -> web.Response:
        taken.append((request.headers["X-Plainspoken-Secret"], request.match_info["channel"], await request.json()))
        status = int(taken[-1][2]["text"])
        return web.json_response({"error": "gone"} if status == 404 else {}, status=status)

    app = web.Application()
    app.router.add_post("/webhooks/{channel}/notice", notice)
    runner = web.AppRunner(app)
    await runner.setup()
    (port,) = free_ports(1)
    await web.TCPSite(runner, "127.0.0.1", port).start()
    client = Rasa(f"http://127.0.0.1:{port}", "5e" * 32, give_up_after=5)
    yield client, taken
    await client.close()
    await runner.cleanup()


async def test_news_is_handed_to_the_channel(rasa: tuple[Rasa, list[Any]]) -> None:
    client, taken = rasa
    assert await client.notice("twilio", {"id": "1", "text": "202"}) == 202
    assert taken == [("5e" * 32, "twilio", {"id": "1", "text": "202"})]
    assert await client.notice("twilio", {"text": "404"}) == 404
    assert await client.notice("twilio", {"text": "500"}) == 503
    client.url = "http://127.0.0.1:9"
    assert await client.notice("twilio", {"text": "202"}) == 503
