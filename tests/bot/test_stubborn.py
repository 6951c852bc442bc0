"""A danger sign that comes up while the action server is away reaches it when it is back."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
from aiohttp import web
from rasa.core.actions.action import RemoteAction
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.exceptions import RasaException
from rasa.utils.endpoints import EndpointConfig

from bot import stubborn
from bot.tracker_store import EncryptedTrackerStore, open_engine
from bot.unrecorded import Unrecorded
from runtime.vault import Vault

DOMAIN = Domain.empty()


@pytest.fixture
def place(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/tracker.db"


def written_down(place: str) -> Unrecorded:
    return Unrecorded(open_engine(place), Vault(master="1a" * 32, index="2b" * 32))


@pytest.fixture(autouse=True)
def unrecorded(place: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Unrecorded]:
    """Rasa as it is set up, with a database of its own."""
    stock, found = RemoteAction.run, written_down(place)
    monkeypatch.setattr(stubborn, "WAITS", (0.05,) * 100)
    stubborn.make_stubborn(found)
    yield found
    RemoteAction.run = stock


def a_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def server(port: int, seen: List[Dict[str, Any]], failures: int = 0) -> web.AppRunner:
    async def receive(request: web.Request) -> web.Response:
        seen.append(await request.json())
        return web.json_response({"events": [], "responses": []}, status=503 if len(seen) <= failures else 200)

    app = web.Application()
    app.router.add_post("/webhook", receive)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner


def said(text: str) -> DialogueStateTracker:
    return DialogueStateTracker.from_events("someone", [UserUttered(text)], [])


async def settled() -> None:
    await asyncio.wait_for(asyncio.gather(*stubborn._trying), 10)


async def test_the_record_is_kept_once_the_server_is_back(unrecorded: Unrecorded) -> None:
    port, seen = a_port(), []  # type: ignore[var-annotated]
    action = RemoteAction(stubborn.RECORD, EndpointConfig(f"http://127.0.0.1:{port}/webhook"))
    with pytest.raises(RasaException):
        await action.run(None, None, said("I cannot feel when I pee"), DOMAIN)
    running = await server(port, seen, failures=2)
    await settled()
    await running.cleanup()
    assert [each["next_action"] for each in seen] == [stubborn.RECORD] * 3
    assert seen[-1]["tracker"]["latest_message"]["text"] == "I cannot feel when I pee"
    assert unrecorded.all() == []


async def away(port: int) -> EndpointConfig:
    """A sign is raised while the server is away, and this Rasa dies."""
    endpoint = EndpointConfig(f"http://127.0.0.1:{port}/webhook")
    with pytest.raises(RasaException):
        await RemoteAction(stubborn.RECORD, endpoint).run(None, None, said("I cannot feel when I pee"), DOMAIN)
    for task in list(stubborn._trying):
        task.cancel()
    await asyncio.gather(*stubborn._trying, return_exceptions=True)
    return endpoint


async def test_the_next_rasa_goes_on_where_one_died(place: str) -> None:
    port, seen = a_port(), []  # type: ignore[var-annotated]
    endpoint = await away(port)
    running = await server(port, seen)
    fresh = written_down(place)
    await stubborn.resume(endpoint, fresh)
    await settled()
    await running.cleanup()
    assert [each["tracker"]["latest_message"]["text"] for each in seen] == ["I cannot feel when I pee"]
    assert fresh.all() == []


async def test_what_waits_is_sealed_and_goes_with_its_conversation(place: str) -> None:
    port, seen = a_port(), []  # type: ignore[var-annotated]
    endpoint = await away(port)
    held = b"".join(path.read_bytes() for path in Path(place[len("sqlite:///") :]).parent.iterdir())
    assert b"unrecorded_signs" in held and b"feel when I pee" not in held and b"someone" not in held
    store = EncryptedTrackerStore(domain=DOMAIN, host=place, vault=Vault(master="1a" * 32, index="2b" * 32))
    fresh = written_down(place)
    await stubborn.resume(endpoint, fresh)
    store.erase("someone")
    running = await server(port, seen)
    await settled()
    await running.cleanup()
    assert seen == [] and fresh.all() == []


async def test_what_waits_is_wrapped_anew_and_has_an_end(place: str) -> None:
    await away(a_port())
    keys = {"master": "3c" * 32, "index": "2b" * 32}
    store = EncryptedTrackerStore(domain=DOMAIN, host=place, vault=Vault(**keys, previous=("1a" * 32,)))
    assert store.rewrap() == 1
    fresh = Unrecorded(open_engine(place), Vault(**keys))
    assert len(fresh.all()) == 1
    store.purge(-1)
    assert fresh.all() == []


async def test_a_database_that_fails_costs_only_the_memory_of_it(
    unrecorded: Unrecorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> str:
        raise OSError("disk full")

    monkeypatch.setattr(unrecorded, "keep", broken)
    port, seen = a_port(), []  # type: ignore[var-annotated]
    action = RemoteAction(stubborn.RECORD, EndpointConfig(f"http://127.0.0.1:{port}/webhook"))
    with pytest.raises(RasaException):
        await action.run(None, None, said("I cannot feel when I pee"), DOMAIN)
    running = await server(port, seen)
    await settled()
    await running.cleanup()
    assert len(seen) == 1


async def test_what_went_through_is_not_repeated(unrecorded: Unrecorded) -> None:
    port, seen = a_port(), []  # type: ignore[var-annotated]
    running = await server(port, seen)
    await RemoteAction(stubborn.RECORD, EndpointConfig(f"http://127.0.0.1:{port}/webhook")).run(
        None, None, said("hello"), DOMAIN
    )
    await asyncio.sleep(0.2)
    await running.cleanup()
    assert len(seen) == 1 and not stubborn._trying and unrecorded.all() == []


async def test_other_actions_are_not_repeated() -> None:
    action = RemoteAction("action_answer", EndpointConfig(f"http://127.0.0.1:{a_port()}/webhook"))
    with pytest.raises(RasaException):
        await action.run(None, None, said("hello"), DOMAIN)
    assert not stubborn._trying
