"""A patient's chat through the gateway: messages, choices, events, history, the end. Rasa is a scripted stand-in."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3

import pytest

from knowledge.chat import chat_words
from knowledge.intake import words as intake_words
from tests.gateway.conftest import Door, Patient, Waiting

WORDS = chat_words()


async def test_the_first_line_says_what_it_is(patient: Patient) -> None:
    (greeting,) = await patient.history()
    assert greeting["text"] == WORDS.greeting
    assert "automated assistant, not a doctor" in greeting["text"]
    assert [choice["title"] for choice in greeting["buttons"]] == [starter.title for starter in WORDS.starters]


async def test_a_question_gets_its_answer_with_source_terms_and_choices(patient: Patient) -> None:
    (answer,) = await patient.says("Was my first doctor wrong?")
    assert answer["custom"]["kind"] == "answer"
    assert answer["sources"][0]["payload"] == '/ask_source{"source": "lenza_2017"}'
    assert [term["payload"] for term in answer["terms"]] == [
        '/explain_term{"term": "fusion"}',
        '/explain_term{"term": "stenosis"}',
    ]
    assert [choice["title"] for choice in answer["buttons"]] == ["Tell me more", "What should I ask?"]


async def test_an_emergency_names_the_numbers_to_tap(patient: Patient) -> None:
    (reply,) = await patient.says("I can't pee")
    assert (reply["custom"]["kind"], reply["calls"]) == ("escalation", ["911"])


async def test_rasa_sees_only_what_it_needs(door: Door, patient: Patient) -> None:
    await patient.says("hello", metadata={"role": "doctor"}, input_channel="clinician", sender="someone")
    request = next(request for request in door.seen if request["sender"] == patient.session)
    assert sorted(request) == ["message", "sender", "trace"]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("/restart", "restart"),
        ('/start_intake{"a":1}', 'start_intake{"a":1}'),
        ("// back", "back"),
        ("a\x00b\u202ec", "a bc"),
    ],
)
async def test_commands_typed_by_hand_are_words(patient: Patient, typed: str, told: str) -> None:
    (reply,) = await patient.says(typed)
    assert reply["text"] == f"You said: {told}"


async def test_only_what_was_offered_can_be_chosen(door: Door, room: Waiting) -> None:
    asked, other = await room.patient(), await room.patient()
    await asked.says("Was my first doctor wrong?")
    assert (await asked.choose("/tell_more"))[0] == 202
    for payload in ("/restart", "/tell_more ", "/start_intake{}", '/ask_source{"source":"x"}'):
        assert await asked.choose(payload) == (409, {"error": "not_offered", "message": WORDS.problems.not_offered})
    assert (await other.choose("/tell_more"))[0] == 409
    assert not [request for request in door.seen if request["message"] == "/restart"]


async def test_what_the_menu_offers_can_be_chosen_at_any_time(patient: Patient) -> None:
    for choice in WORDS.menu:
        assert choice.payload and (await patient.choose(choice.payload, choice.title))[0] == 202


@pytest.mark.parametrize(
    ("text", "status", "problem"),
    [
        ("", 422, "empty"),
        ("  \n\t ", 422, "empty"),
        ("\x00\x07", 422, "unreadable"),
        ("/", 422, "unreadable"),
        ("x" * 1_001, 413, "too_long"),
        ("😀🙏", 202, None),
        ("x" * 1_000, 202, None),
    ],
    ids=["empty", "blank", "control", "slash", "1001", "emoji", "1000"],
)
async def test_odd_messages(patient: Patient, text: str, status: int, problem: str | None) -> None:
    got, data = await patient.try_to_say(text)
    assert got == status
    if problem:
        assert data == {"error": problem, "message": getattr(WORDS.problems, problem)}


async def test_one_sign_alone_is_told_in_words_and_shown_as_it_is(door: Door, patient: Patient) -> None:
    await patient.says("👍🏽")
    assert [request["message"] for request in door.seen if request["sender"] == patient.session] == ["yes"]
    assert [event["text"] for event in await patient.history() if event["who"] == "user"] == ["👍🏽"]


async def test_a_pasted_report_may_be_longer(door: Door, patient: Patient) -> None:
    assert (await patient.try_to_say("x" * 8_001, report=True))[0] == 413
    (reply,) = await patient.says("MRI report. " + "word " * 1_500, report=True)
    assert reply["custom"]["kind"] == "report_check"
    told = [request["message"] for request in door.seen if request["sender"] == patient.session]
    assert told[0] == "/start_report"
    assert told[1].startswith("MRI report.")


async def test_a_message_sent_twice_is_one_message(door: Door, patient: Patient) -> None:
    message = {"id": secrets.token_hex(8), "text": "only once please"}
    first, second = await patient.post("/api/say", message), await patient.post("/api/say", message)
    await patient.answer()
    assert (first[0], second[0], first[1]["new"], second[1]["new"]) == (202, 202, True, False)
    assert [event["text"] for event in await patient.history() if event["who"] == "user"] == ["only once please"]
    assert len([request for request in door.seen if request["sender"] == patient.session]) == 1


async def test_one_turn_at_a_time_in_the_order_sent(patient: Patient) -> None:
    texts = ["please be slow 0.4", "second", "third"]
    for text in texts:
        assert (await patient.try_to_say(text))[0] == 202
    replies = await patient.answer()
    assert replies[-1]["text"] == "You said: third"
    said = [event["text"] for event in await patient.history() if event["who"] == "bot"]
    assert said[1:] == [f"You said: {text}" for text in texts]


async def test_too_many_waiting(patient: Patient) -> None:
    answers = [await patient.try_to_say("please be slow 1") for _ in range(5)]
    assert [status for status, _ in answers] == [202] * 4 + [429]
    assert answers[-1][1] == {"error": "waiting", "message": WORDS.problems.waiting}


async def test_too_fast(room: Waiting) -> None:
    patient = await room.patient()
    answers = []
    for _ in range(10):
        answers.append(await patient.try_to_say("hi"))
        if answers[-1][0] == 202:
            await patient.answer()
    assert [status for status, _ in answers] == [202] * 8 + [429] * 2
    assert answers[-1][1]["error"] == "too_fast"


async def test_events_are_replayed_after_the_last_one_seen(patient: Patient) -> None:
    await patient.says("two messages")
    everything = await patient.stream(lambda event: event["event"] == "ready")
    assert [event["id"] for event in everything[:-1]] == [1, 2, 3, 4]
    rest = await patient.stream(lambda event: event["event"] == "ready", after=3)
    assert [event.get("text") for event in rest] == ["Two.", None]
    assert rest[-1]["last"] == 4


async def test_new_events_arrive_at_once(patient: Patient) -> None:
    listening = asyncio.create_task(patient.stream(lambda event: event.get("last") is True))
    await asyncio.sleep(0.3)
    assert (await patient.try_to_say("hello"))[0] == 202
    assert (await listening)[-1]["text"] == "You said: hello"


async def test_a_fifth_stream_closes_the_first(patient: Patient) -> None:
    first, *others = (asyncio.create_task(patient.stream(lambda event: False, seconds=20)) for _ in range(5))
    await asyncio.wait_for(first, 5)
    for task in others:
        task.cancel()


async def test_feedback_is_tied_to_the_answer_and_its_version(door: Door, patient: Patient) -> None:
    (answer,) = await patient.says("Was my first doctor wrong?")
    assert (await patient.post("/api/feedback", {"event": answer["id"], "helped": True}))[0] == 204
    assert (await patient.post("/api/feedback", {"event": answer["id"], "helped": False}))[0] == 204
    assert (await patient.post("/api/feedback", {"event": 1, "helped": True}))[0] == 404
    for broken in ({"event": "2", "helped": True}, {"event": True, "helped": True}, {"event": 2, "helped": "yes"}, {}):
        assert (await patient.post("/api/feedback", broken))[0] == 400
    with sqlite3.connect(door.var / "gateway.db") as store:
        rows = store.execute("SELECT topic, version, helped FROM chat_feedback").fetchall()
    assert rows == [("first_doctor_wrong", "2026-05-04", 0)]


async def test_start_over_gives_a_new_empty_chat(patient: Patient) -> None:
    await patient.says("hello")
    old = patient.token
    status, made = await patient.post("/api/restart", {})
    assert status == 201
    assert (await patient.call("GET", "/api/history"))[0] == 401
    patient.token = made["token"]
    assert made["token"] != old
    assert [event["text"] for event in await patient.history()] == [WORDS.greeting]


async def test_end_deletes_the_words_and_has_all_copies_erased(door: Door, patient: Patient) -> None:
    await patient.says("a very private thing")
    session = patient.session
    assert await patient.post("/api/end", {}) == (200, {"erased": True})
    assert (await patient.call("GET", "/api/history"))[0] == 401
    assert (await patient.try_to_say("hello"))[0] == 401
    asked = [request["message"] for request in door.seen if request["sender"] == session]
    assert asked[-3:] == ["/stop", "/delete_data", "/affirm"]


async def test_an_erasure_that_nobody_confirms_is_not_claimed(door: Door, patient: Patient) -> None:
    await patient.says("please forget nothing")
    assert await patient.post("/api/end", {}) == (200, {"erased": False})
    assert (await patient.call("GET", "/api/history"))[0] == 401


async def test_an_erasure_in_the_chat_takes_its_lines_along(patient: Patient) -> None:
    """ "Delete my data" promises this chat too: a page that is loaded again must not show it."""
    await patient.says("my unmistakable words")
    assert (await patient.try_to_say("please erase it all"))[0] == 202
    async with asyncio.timeout(10):
        while len(events := await patient.history()) != 1:
            await asyncio.sleep(0.05)
    assert events[0]["text"] == intake_words().say["delete_done"]
    reply = (await patient.says("and now"))[-1]
    assert reply["text"] == "You said: and now" and reply["id"] > events[0]["id"]


async def test_what_is_stored_is_sealed(door: Door, patient: Patient) -> None:
    await patient.says("my unmistakable words")
    files = [path.read_bytes() for path in door.var.glob("gateway.db*")]
    assert files and not any(b"unmistakable" in content for content in files)


async def test_odd_replies_of_rasa_are_reduced_to_what_is_known(patient: Patient) -> None:
    (reply,) = await patient.says("please be odd")
    assert reply["custom"] == {"kind": "problem", "code": "silent"}
