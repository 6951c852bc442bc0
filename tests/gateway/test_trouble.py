"""When Rasa is slow, broken, silent or gone: an honest word, the emergency line, and nothing lost over a restart."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest

from gateway.store import Gone, Store
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
        ("please hang up 3", "down"),
        ("please be slow 30", "down"),
    ],
)
async def test_no_answer_is_said_honestly_with_where_to_turn(patient: Patient, message: str, code: str) -> None:
    reply = (await patient.says(message))[-1]
    assert reply["custom"] == {"kind": "problem", "code": code}
    assert reply["text"].startswith(getattr(PROBLEMS, code))
    assert NUMBERS in reply["text"] and CLINIC.phone in reply["text"]
    assert reply["calls"] == ["911", "999", "112"]


@pytest.mark.parametrize("times", [1, 2])
async def test_a_turn_that_a_rasa_being_replaced_has_dropped_is_sent_again(
    door: Door, patient: Patient, times: int
) -> None:
    text = f"please hang up {times}"
    assert (await patient.says(text))[-1]["text"] == f"You said: {text}"
    seen = [each for each in door.seen if each["message"] == text]
    assert [each.get("again", False) for each in seen] == [False] + [True] * times
    assert len({each["trace"] for each in seen}) == 1


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
    warning, *_, problem = await patient.says(message)
    assert (warning["custom"]["kind"], warning["custom"]["tier"]) == ("escalation", tier)
    assert "911" in warning["text"] and "911" in warning["calls"]
    assert problem["custom"]["kind"] == "problem"


async def test_a_red_flag_in_a_slow_turn_does_not_wait(patient: Patient) -> None:
    replies = await patient.says("I am numb between my legs, please be slow 2")
    assert [reply.get("custom", {}).get("kind") for reply in replies[:2]] == ["escalation", None]
    assert replies[0]["at"] < replies[-1]["at"] - 0.5


async def test_rasa_dead_and_back_again(own_door: Door, own_patient: Patient) -> None:
    own_door.rasa.stop()
    assert (await own_patient.says("hello"))[-1]["custom"]["code"] == "down"
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


async def test_every_message_that_a_crash_left_unanswered_is_owned_up_to(own_door: Door, own_patient: Patient) -> None:
    """Three sent in a row, one under way: the page shows each as being answered until it is told otherwise."""
    for text in ("please be slow 1.5", "second", "third"):
        await own_patient.try_to_say(text)
    await asyncio.sleep(0.3)
    await asyncio.to_thread(own_door.gateway.stop, signal.SIGKILL)
    own_door.gateway.start()
    async with asyncio.timeout(40):
        while True:
            events = await own_patient.history()
            asked = [event["turn"] for event in events if event["who"] == "user"]
            ended = [event["turn"] for event in events if event.get("last")]
            if len(ended) >= 3:
                break
            await asyncio.sleep(0.2)
    assert len(asked) == 3 and sorted(ended) == sorted(asked)
    assert (await own_patient.says("and now"))[-1]["text"] == "You said: and now"


@pytest.fixture(params=["sqlite", "postgresql"])
async def chats(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """A store with one chat, "chat", on both databases."""
    local = f"sqlite:///{tmp_path}/gateway.db"
    url = local if request.param == "sqlite" else _fresh_database("plainspoken_gateway_turns_test")
    store = Store(url, Vault(master="5a" * 32, index="5b" * 32))
    await store.open()
    await store.create("chat", "en", 1000.0)
    yield store
    await store.close()


async def ask(chats: Store, turn: str, until: float) -> None:
    assert await chats.open_turn("chat", {"who": "user", "text": "hello", "turn": turn}, 1000.0, turn=turn, until=until)


async def test_a_turn_has_one_end_whoever_says_it_first(chats: Store) -> None:
    """A gateway that dies after its last word is stored, or that lives on after it was given up."""
    await ask(chats, "m1", until=1015.0)
    assert await chats.take_turn("chat", "m1")
    assert await chats.append("chat", [{"who": "bot", "text": "hi"}], 1001.0, ends="m1")
    assert await chats.interrupted(2000.0) == []
    assert await chats.append("chat", [{"who": "bot", "text": "sorry"}], 2000.0, ends="m1") is None
    assert [event.body["text"] for event in await chats.events("chat")] == ["hello", "hi"]


async def test_every_turn_of_a_dead_process_is_found_and_the_next_begins(chats: Store) -> None:
    await ask(chats, "m1", until=1015.0)
    await ask(chats, "m2", until=1016.0)
    assert await chats.take_turn("chat", "m1") and not await chats.take_turn("chat", "m2")
    await chats.hold_turn("chat", "m2", 1030.0)
    assert await chats.interrupted(1010.0) == []
    assert await chats.interrupted(1020.0) == [("chat", "m1")]
    assert await chats.append("chat", [{"who": "bot", "text": "sorry"}], 1020.0, ends="m1")
    assert await chats.take_turn("chat", "m2")
    assert await chats.interrupted(1040.0) == [("chat", "m2")]
    with pytest.raises(Gone):  # given up: whoever comes back to it must not hold up the others
        await chats.take_turn("chat", "m1")


async def test_a_message_begins_its_turn_at_once_unless_another_waits(chats: Store) -> None:
    said = {"who": "user", "text": "hello"}
    first = await chats.open_turn("chat", said, 1000.0, turn="m1", until=1015.0)
    again = await chats.open_turn("chat", said, 1000.0, turn="m1", until=1015.0)
    second = await chats.open_turn("chat", said, 1000.0, turn="m2", until=1015.0)
    assert first and first[1] and again is None and second and not second[1]
    await chats.append("chat", [{"who": "bot", "text": "hi"}], 1001.0, ends="m1")
    third = await chats.open_turn("chat", said, 1002.0, turn="m3", until=1017.0)
    assert third and not third[1], "the second waits longer"
    assert await chats.take_turn("chat", "m2")


async def test_a_notice_is_shown_once_and_never_taken_for_shown(chats: Store) -> None:
    with pytest.raises(Gone):
        await chats.append("another", [{"who": "bot", "text": "seen"}], 1000.0, notice="n1")
    assert await chats.append("chat", [{"who": "bot", "text": "seen"}], 1000.0, notice="n1")
    assert await chats.append("chat", [{"who": "bot", "text": "seen"}], 1001.0, notice="n1") is None
    assert len(await chats.events("chat")) == 1


async def test_what_is_forgotten_is_gone_and_the_chat_goes_on(chats: Store) -> None:
    await ask(chats, "m1", until=1015.0)
    assert await chats.append("chat", [{"who": "bot", "text": "one"}, {"who": "bot", "text": "two"}], 1001.0)
    await chats.forget("chat", 3)
    await chats.append("chat", [{"who": "bot", "text": "three"}], 1002.0)
    assert [(event.number, event.body["text"]) for event in await chats.events("chat")] == [(3, "two"), (4, "three")]


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
