"""When Rasa is slow, broken, silent or gone: an honest word, the emergency line, and nothing lost over a restart."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest

from gateway.store import Store
from knowledge.chat import chat_words
from knowledge.content import load_content
from runtime.vault import Vault
from safety.numbers import numbers_for
from tests.gateway.conftest import Door, Patient, Waiting, open_door

PROBLEMS = chat_words().problems
CLINIC = load_content().clinic
NUMBERS = numbers_for(None).emergency


@pytest.fixture
def own_door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A gateway that a test may break."""
    opened = open_door(
        tmp_path_factory.mktemp("trouble") / "var",
        PLAINSPOKEN_LIMIT_SLOW_AFTER="0.5",
        PLAINSPOKEN_LIMIT_GIVE_UP_AFTER="2",
    )
    yield opened
    opened.stop()


@pytest.fixture
async def own_patient(own_door: Door) -> AsyncIterator[Patient]:
    waiting = Waiting(own_door.url)
    yield await waiting.patient()
    for client in waiting.clients:
        await client.close()


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("please fail", "silent"),
        ("please say nothing", "silent"),
        ("please be busy", "down"),
        ("please be slow 30", "down"),
    ],
)
async def test_no_answer_is_said_honestly_with_where_to_turn(patient: Patient, message: str, code: str) -> None:
    reply = (await patient.says(message))[-1]
    assert reply["custom"] == {"kind": "problem", "code": code}
    assert reply["text"].startswith(getattr(PROBLEMS, code))
    assert NUMBERS in reply["text"] and CLINIC.phone in reply["text"]
    assert reply["calls"] == ["911", "999", "112"]


async def test_a_slow_answer_is_announced_and_still_comes(patient: Patient) -> None:
    slow, answer = await patient.says("please be slow 2")
    assert slow["text"].startswith(PROBLEMS.slow) and NUMBERS in slow["text"]
    assert answer["text"] == "You said: please be slow 2"


@pytest.mark.parametrize(
    ("message", "tier"),
    [
        ("I can't pee and I am numb between my legs, please fail", "emergency"),
        ("I want to kill myself, please be busy", "crisis"),
    ],
)
async def test_a_red_flag_in_an_outage_still_gets_the_emergency_words(
    patient: Patient, message: str, tier: str
) -> None:
    warning, problem = await patient.says(message)
    assert (warning["custom"]["kind"], warning["custom"]["tier"]) == ("escalation", tier)
    assert "911" in warning["text"] and "911" in warning["calls"]
    assert problem["custom"]["kind"] == "problem"


async def test_a_red_flag_in_a_slow_turn_does_not_wait(patient: Patient) -> None:
    replies = await patient.says("I am numb between my legs, please be slow 2")
    assert [reply.get("custom", {}).get("kind") for reply in replies[:2]] == ["escalation", None]
    assert replies[0]["at"] < replies[-1]["at"] - 0.5


async def test_rasa_dead_and_back_again(own_door: Door, own_patient: Patient) -> None:
    own_door.rasa.stop()
    assert (await own_patient.says("hello"))[0]["custom"]["code"] == "down"
    status, data = await own_patient.call("GET", "/ready")
    assert (status, data["ready"]) == (503, False) and "Rasa does not answer" in data["problems"][0]
    own_door.rasa.start()
    assert (await own_patient.says("hello again"))[0]["text"] == "You said: hello again"
    assert (await own_patient.call("GET", "/ready")) == (200, {"ready": True, "problems": []})


async def test_a_restart_loses_nothing(own_door: Door, own_patient: Patient) -> None:
    await own_patient.says("before the restart")
    history = await own_patient.history()
    own_door.gateway.stop()
    own_door.gateway.start()
    assert await own_patient.history() == history
    assert (await own_patient.says("after the restart"))[0]["text"] == "You said: after the restart"


async def test_a_running_turn_ends_before_the_process_does(own_door: Door, own_patient: Patient) -> None:
    await own_patient.try_to_say("please be slow 1.5")
    await asyncio.sleep(0.2)
    await asyncio.to_thread(own_door.gateway.stop)
    own_door.gateway.start()
    assert (await own_patient.answer())[-1]["text"] == "You said: please be slow 1.5"


async def test_a_turn_cut_by_a_crash_is_owned_up_to(own_door: Door, own_patient: Patient) -> None:
    await own_patient.try_to_say("please be slow 1.5")
    await asyncio.sleep(0.3)
    await asyncio.to_thread(own_door.gateway.stop, signal.SIGKILL)
    own_door.gateway.start()
    reply = (await own_patient.answer(seconds=40))[-1]
    assert reply["custom"]["code"] == "interrupted"


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
async def test_a_message_whose_turn_never_began_is_owned_up_to_once(backend: str, tmp_path: Path) -> None:
    """A gateway that dies between writing a message down and answering it."""
    local = f"sqlite:///{tmp_path}/gateway.db"
    url = local if backend == "sqlite" else _fresh_database("plainspoken_gateway_forgotten_test")
    store = Store(url, Vault(master="5a" * 32, index="5b" * 32))
    try:
        await store.open()
        await store.create("lost", "en", 1000.0)
        await store.append("lost", [{"who": "user", "text": "hello", "turn": "m1"}], 1000.0, client_id="m1")
        await store.create("fine", "en", 1000.0)
        await store.append("fine", [{"who": "user", "text": "hello", "turn": "m2"}], 1000.0, client_id="m2")
        await store.append("fine", [{"who": "bot", "text": "hi", "turn": "m2"}], 1001.0)
        assert await store.interrupted(1010.0, 900.0) == []
        assert await store.interrupted(1200.0, 1100.0) == [("lost", "m1")]
        await store.append("lost", [{"who": "bot", "text": "sorry", "turn": "m1"}], 1200.0)
        assert await store.interrupted(1300.0, 1250.0) == []
    finally:
        await store.close()


async def test_a_taken_port_is_named(own_door: Door) -> None:
    import subprocess
    import sys

    ran = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "gateway"],
        env={**os.environ, **own_door.environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 1
    assert "PLAINSPOKEN_GATEWAY_PORT" in ran.stderr and "Traceback" not in ran.stderr


POSTGRES = os.environ.get("PLAINSPOKEN_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
REDIS = os.environ.get("PLAINSPOKEN_TEST_REDIS", "redis://127.0.0.1:6379/9")


def _missing(what: str) -> None:
    """Servers that are not there are no fault on a laptop, and one where everything is meant to run."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


def _fresh_database(name: str) -> str:
    try:
        with psycopg.connect(POSTGRES, autocommit=True, connect_timeout=3) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}"')
    except psycopg.OperationalError:
        _missing("no PostgreSQL at PLAINSPOKEN_TEST_POSTGRES")
    return POSTGRES.rsplit("/", 1)[0] + f"/{name}"


@pytest.mark.parametrize("way", ["sqlite", "postgresql", "postgresql and redis"])
async def test_two_replicas_serve_one_chat(way: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = {"PLAINSPOKEN_LIMIT_GIVE_UP_AFTER": "5"}
    if way != "sqlite":
        settings["PLAINSPOKEN_GATEWAY_DATABASE_URL"] = _fresh_database("plainspoken_gateway_test")
    if "redis" in way:
        redis = pytest.importorskip("redis")
        try:
            redis.from_url(REDIS).ping()
        except redis.RedisError:
            _missing("no Redis at PLAINSPOKEN_TEST_REDIS")
        settings["PLAINSPOKEN_REDIS_URL"] = REDIS
    opened = open_door(tmp_path_factory.mktemp("replicas") / "var", **settings)
    waiting = Waiting(opened.url)
    try:
        other = opened.replica().url.removesuffix("/health")
        patient = await waiting.patient()
        listening = asyncio.create_task(patient.stream(lambda event: event.get("last") is True, url=other))
        await asyncio.sleep(0.5)
        assert (await patient.try_to_say("heard on the other replica"))[0] == 202
        assert (await asyncio.wait_for(listening, 3))[-1]["text"] == "You said: heard on the other replica"
        # One turn at a time, also when the messages come in at different replicas.
        await patient.try_to_say("please be slow 1")
        patient.url = other
        assert (await patient.says("second"))[-1]["text"] == "You said: second"
        said = [event["text"] for event in await patient.history() if event["who"] == "bot"]
        assert said[-2:] == ["You said: please be slow 1", "You said: second"]
    finally:
        for client in waiting.clients:
            await client.close()
        opened.stop()
