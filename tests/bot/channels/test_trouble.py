"""Provider errors, slow and lost answers, floods, crashes: nothing is lost, nothing comes twice, order holds."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import requests

from knowledge.channels import channel_words
from tests.bot.channels.clients import CLIENTS, Client, Sms, Telegram
from tests.bot.channels.conftest import PUBLIC, SECRET, Patient, Server, person_on, start_both, wait_for


@pytest.mark.parametrize("trouble", ["busy", "broken", "wrong key"])
def test_a_provider_in_trouble_gets_it_later_and_once(patient: Patient, server: Server, trouble: str) -> None:
    server.mood(trouble, trouble)
    patient.says("one")
    patient.says("two")
    texts = patient.texts(3, 30)
    assert [text.split("\n")[0] for text in texts] == ["You said: one", "First.", "Second."]


def test_what_a_provider_refuses_for_good_does_not_hold_up_the_rest(patient: Patient, server: Server) -> None:
    server.mood("blocked")
    patient.says("one")
    wait_for(lambda: "blocked" in server.provider_log()["calls"])
    patient.says("again")
    assert patient.texts(1) == ["You said: again"]


def test_a_slow_provider_gets_it_once_and_holds_up_nobody_else(patient: Patient, server: Server) -> None:
    other = person_on(type(patient.client), server)
    server.mood("slow 3")
    patient.says("one")
    wait_for(lambda: patient.heard())
    begun = time.monotonic()
    other.says("me too")
    other.hears(1)
    assert time.monotonic() - begun < 2.5
    patient.says("next")
    assert patient.texts(2) == ["You said: one", "You said: next"]


def test_an_answer_that_never_came_is_not_sent_again(patient: Patient, server: Server) -> None:
    server.mood("cut")
    patient.says("one")
    patient.hears(1)
    patient.says("again")
    assert patient.texts(2) == ["You said: one", "You said: again"]


def test_emergency_words_are_rather_said_twice_than_never(patient: Patient, server: Server) -> None:
    server.mood("cut")
    patient.says("numb")
    wait_for(lambda: sum("911" in one["text"] for one in patient.heard()) == 2, 10)
    time.sleep(0.5)
    assert sum("911" in one["text"] for one in patient.heard()) == 2


def test_emergency_words_overtake_what_waits(server: Server) -> None:
    patient = person_on(Telegram, server)
    server.mood("broken", "broken", "broken")
    patient.says("one")
    wait_for(lambda: "broken" in server.provider_log()["calls"])
    server.mood()
    patient.says("numb")
    texts = [text.split("\n")[0] for text in patient.texts(2, 20)]
    assert texts[0].startswith("Call 911 now") and texts[1] == "You said: one"


@pytest.mark.parametrize("kind", CLIENTS, ids=lambda kind: kind.channel)
def test_three_hundred_in_a_minute_and_the_flood_after(kind: type[Client], server: Server) -> None:
    patient = person_on(kind, server)
    begun = time.monotonic()
    for number in range(300):
        assert patient.says(f"message {number}").status_code == 200
    wait_for(lambda: len(patient.heard()) >= 300, 60)
    assert time.monotonic() - begun < 60
    assert [one["text"] for one in patient.heard()] == [f"You said: message {number}" for number in range(300)]
    assert patient.told() == [f"message {number}" for number in range(300)]
    for number in range(20):
        assert patient.says(f"too much {number}").status_code == 200
    patient.says("I can't feel when I pee")
    wait_for(lambda: patient.told()[-1] == "I can't feel when I pee")
    assert len(patient.told()) == 301
    said = wait_for(lambda: [one["text"] for one in patient.heard()[300:] if channel_words().flood in one["text"]])
    assert len(said) == 1 and "911" in said[0]


def test_three_hundred_people_at_once(server: Server) -> None:
    people = [person_on(CLIENTS[number % len(CLIENTS)], server) for number in range(60)]
    for turn in range(5):
        for patient in people:
            patient.says(f"turn {turn}")
    wait_for(lambda: len(server.provider_log()["messages"]) >= 300, 60)
    for patient in people:
        assert [one["text"] for one in patient.heard()] == [f"You said: turn {turn}" for turn in range(5)]


def test_nothing_is_answered_before_there_is_a_model_and_nothing_is_lost(patient: Patient, server: Server) -> None:
    server.ready(ready=False)
    assert patient.says("early bird").status_code == 200
    time.sleep(0.5)
    assert patient.told() == []
    server.ready(ready=True)
    assert patient.texts(1) == ["You said: early bird"]


@pytest.fixture
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own, to be crashed."""
    server, provider = start_both(tmp_path_factory.mktemp("fragile"))
    yield server
    server.stop()
    provider.terminate()


def test_a_crash_loses_nothing_and_doubles_nothing(fragile: Server) -> None:
    def new(kind: type[Client]) -> Patient:
        return person_on(kind, fragile)

    waiting, unsent, told, halfway = new(Sms), new(Telegram), new(Sms), new(Telegram)
    told.says("saved then hang")  # Rasa has saved the turn, and the process dies before we have noted it
    halfway.says("hang after")  # half of the answer is out, and Rasa has saved nothing
    wait_for(lambda: told.heard() and halfway.heard())
    fragile.mood("broken", "broken", "broken")
    unsent.says("two")
    # After the third the next try is 3 s away: the crash must not fall into a try, whose end nobody could know.
    wait_for(lambda: fragile.provider_log()["calls"].count("broken") == 3, 30)
    fragile.ready(ready=False)
    waiting.says("still here?")
    fragile.crash()
    with pytest.raises(requests.ConnectionError):
        waiting.says("nobody home")
    fragile.mood()
    fragile.start()
    assert [text.split("\n")[0] for text in unsent.texts(2, 20)] == ["First.", "Second."]
    assert waiting.texts(1) == ["You said: still here?"]
    assert told.texts(1) == ["You said: saved then hang"]
    assert [one[1] for one in fragile.told()].count("saved then hang") == 1
    halfway.says("and now?")
    time.sleep(1)
    assert halfway.heard()[0]["text"] == "You said: hang after"
    assert [one["text"] for one in halfway.heard()].count("You said: hang after") == 1


def test_an_outage_of_the_provider_is_waited_out(fragile: Server) -> None:
    patient = person_on(Telegram, fragile)
    gone = Server(fragile.var, fragile.provider, fragile.url, fragile.environment)
    gone.environment = {**fragile.environment, "PLAINSPOKEN_TELEGRAM_API": "http://127.0.0.1:9"}
    fragile.stop()
    gone.start()
    for number in range(3):
        patient.says(f"message {number}")
    wait_for(lambda: len(gone.told()) == 3)
    assert requests.get(f"{gone.url}/webhooks/telegram/", timeout=5).json()["unsent"] == 3
    gone.stop()
    fragile.start()
    assert patient.texts(3, 60) == [f"You said: message {number}" for number in range(3)]
    assert PUBLIC and SECRET
