"""Letters sent in the chat: a copy goes to the clinic only after a plain yes, and not when that is taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from actions.intake.apply import Effect, apply
from actions.intake.case import build_case, state_of
from actions.intake.decide import decide
from actions.intake.decision import Message
from actions.intake.letters import FIELD, letters_in, line, with_letters
from actions.intake.parse import Reader
from actions.intake.state import Letter, State
from tests.delivery.cases import NOW
from tests.intake.talk import TODAY, Talk, at

PDF = Letter("a" * 32, "web-1", "application/pdf", 120_000)
TEXT = Letter("b" * 32, "web-1", "text/plain", 2_600)


def sent(*letters: Letter) -> list[dict[str, Any]]:
    told = [{"id": letter.id, "type": letter.type, "size": letter.size} for letter in letters]
    return [
        {"event": "user", "text": "hello"},
        *({"event": "user", "text": "Dear Dr", "metadata": {"letter": each}} for each in told),
        {"event": "bot", "text": "I read it", "metadata": {"letter": "no"}},
    ]


def knowing(talk: Talk, *letters: Letter) -> Talk:
    """The same conversation, in which ``letters`` came."""
    talk.state = with_letters(talk.state, letters)
    return talk


def uploads(talk: Talk, letter: Letter) -> Talk:
    """A letter comes while a question is on the table."""
    knowing(talk, letter)
    talk.decision = decide(talk.state, Message("Dear Dr Green", letter=True), Reader(TODAY))
    talk.step = apply(talk.state, talk.decision, now=NOW.isoformat())
    talk.state = State.from_json(talk.step.state.to_json())
    return talk


def copied(talk: Talk) -> Talk:
    """What the turn does after a yes: the copies are there."""
    files = tuple(replace(letter, sha256="c" * 64) for letter in talk.state.letters)
    talk.state = replace(talk.state, files=files if talk.state.value(FIELD) == "yes" else ())
    return talk


def test_letters_are_found_in_the_conversation() -> None:
    assert letters_in(sent(PDF, TEXT, PDF), "web-1") == (PDF, TEXT)
    assert letters_in(sent(), "web-1") == ()


def test_who_sent_none_is_not_asked() -> None:
    talk = at("email").says("pat@example.org")
    assert talk.slot == "offer"


def test_who_sent_one_before_is_asked_once_and_plainly() -> None:
    talk = knowing(at("email"), PDF).says("pat@example.org").is_asked(FIELD)
    assert "May the clinic get a copy" in talk.asked and talk.buttons == ["Yes", "No", "Skip"]
    copied(talk.says("yes")).is_asked("offer")
    copied(talk.says("check and send"))
    assert "Letters: 1 (PDF, 120 kB)" in talk.asked


@pytest.mark.parametrize(
    "text",
    ["no", "skip", "rather not", "don't send it", "do not send the letter", "no thanks", "Not sure, I don't know"],
)
def test_anything_but_a_yes_sends_nothing(text: str) -> None:
    talk = copied(knowing(at("email"), PDF).says("pat@example.org", text))
    assert talk.state.files == () and talk.state.value(FIELD) != "yes"
    if talk.slot == FIELD:
        talk.says("skip")
    assert "Letters: not sent" in talk.says("check and send").asked
    assert build(talk)["files"] == []


@pytest.mark.parametrize("text", ["send it", "yes but only if nobody else reads it", "maybe", "what?"])
def test_half_a_yes_is_none(text: str) -> None:
    knowing(at("email"), PDF).says("pat@example.org", text).is_asked(FIELD)


def build(talk: Talk) -> dict[str, Any]:
    return build_case(talk.state, now=NOW, red_flags=[], decision_flags=[], transcript=[])


def test_a_letter_that_comes_at_a_question_is_asked_about_and_the_question_stays() -> None:
    talk = uploads(at("scans"), PDF).is_told("I have your letter").is_asked(FIELD)
    talk.says("yes").is_asked("scans")
    assert "scans" not in talk.state.answers


def test_a_letter_that_comes_before_consent_waits() -> None:
    uploads(at("consent_send"), PDF).is_asked("consent_send").says("yes").is_asked("consent_doctor")


def test_a_letter_that_comes_while_an_answer_is_to_be_confirmed_waits() -> None:
    talk = at("operation").says("they want to fuze L4 L5")
    if talk.state.pending:
        uploads(talk, PDF).says("yes")
    assert talk.slot != FIELD


def test_a_letter_that_comes_at_the_read_back_is_asked_about_there() -> None:
    talk = copied(uploads(at("review"), TEXT).is_asked(FIELD).says("yes"))
    assert talk.slot == "review" and "Letters: 1 (text, 3 kB)" in talk.asked


def test_sending_asks_first_about_a_letter_nobody_asked_about() -> None:
    talk = knowing(at("review"), PDF).says("send it").is_asked(FIELD)
    assert talk.says("no").slot == "review"
    assert talk.says("send it").effect is Effect.SUBMIT


def test_a_new_letter_is_asked_about_anew() -> None:
    talk = copied(knowing(at("email"), PDF).says("pat@example.org", "yes"))
    uploads(talk, TEXT).is_asked(FIELD)
    copied(talk.says("yes").says("check and send"))
    assert "Letters: 2 (PDF, 120 kB; text, 3 kB)" in talk.asked
    assert [file["name"] for file in build(talk)["files"]] == ["Letter 1 (PDF)", "Letter 2 (text)"]


def with_a_copy() -> Talk:
    talk = copied(knowing(at("email"), PDF, TEXT).says("pat@example.org", "yes"))
    return talk.says("check and send")


@pytest.mark.parametrize(
    "text",
    [
        "do not send the letter", "don't send my letters", "please don't send the report to the clinic", "remove the letter",
        "leave my letter out", "take the letter out", "take back my letter", "keep my letter private", "without the letter",
        "send it without my letter", "no letter please", "i don't want you to share the report", "change letters to no",
        "actually, do not send the letter", "don't send a copy of my letter",
    ],
)  # fmt: skip
def test_a_yes_can_be_taken_back(text: str) -> None:
    talk = copied(with_a_copy().says(text))
    assert talk.slot == "review" and talk.effect is Effect.ASK, talk.said
    assert "Letters: not sent" in talk.asked and build(talk)["files"] == []
    talk.is_told("No letter goes to the clinic")


@pytest.mark.parametrize(
    "text",
    [
        "send the letter too",
        "please add my letter",
        "include the report",
        "share my letters with the clinic",
        "change letters to yes",
    ],
)
def test_and_given_again(text: str) -> None:
    talk = copied(with_a_copy().says("do not send the letter"))
    copied(talk.says(text))
    assert talk.effect is Effect.ASK, "to send the letter is not to send the case"
    assert "Letters: 2 (PDF" in talk.asked


def test_a_wish_about_letters_is_never_an_answer_nor_a_wish_to_begin() -> None:
    talk = knowing(at("main_problem"), PDF)
    talk.says("do not send the letter", intent="start_intake").is_told("No letter goes").is_asked("main_problem")
    knowing(at("scans"), PDF).says("add this letter to my case", intent="start_intake").is_told("1 (PDF, 120 kB)")


@pytest.mark.parametrize("text", ["remove letter 2", "do not send letter 2", "leave out letter number 2"])
def test_one_of_them_can_be_left_out(text: str) -> None:
    talk = copied(with_a_copy().says(text).is_told("stays out"))
    assert [file["id"] for file in build(talk)["files"]] == [PDF.id]
    copied(talk.says("remove letter 1"))
    assert build(talk)["files"] == [] and "Letters: not sent" in talk.asked


def test_it_can_be_said_at_any_question() -> None:
    talk = knowing(at("email"), PDF).says("pat@example.org", "yes", "answer more")
    slot = talk.slot
    talk.says("do not send the letter").is_told("No letter goes").is_asked(slot)


def test_who_has_none_is_told_how() -> None:
    at("review").says("send the letter too").is_told("You have not sent me a letter")


@pytest.mark.parametrize(
    "text",
    [
        "The surgeon did not send the letter to my doctor for three months and then lost the report",
        "They told me the report says stenosis",
        "I want to send a letter to my surgeon about the pain",
    ],
)
def test_a_story_about_letters_is_an_answer(text: str) -> None:
    talk = knowing(at("main_problem"), PDF).says(text)
    assert talk.state.answers["main_problem"].text == text


@pytest.mark.parametrize("text", ["what will you send", "What does the clinic get?", "What goes to the clinic?"])
def test_what_will_be_sent_is_shown_at_any_time(text: str) -> None:
    talk = copied(knowing(at("email"), PDF).says("pat@example.org", "yes", "answer more"))
    slot = talk.slot
    talk.says(text).is_told("Please check your answers", "Letters: 1 (PDF, 120 kB)", "Pat Example").is_asked(slot)
    assert "Letters: 2" in with_a_copy().says(text).asked


def test_the_case_lists_them_and_the_consent() -> None:
    made = build(with_a_copy())
    assert made["consent"]["given"]["letters"] is True
    assert [(file["name"], file["type"], file["size"]) for file in made["files"]] == [
        ("Letter 1 (PDF)", "application/pdf", 120_000),
        ("Letter 2 (text)", "text/plain", 2_600),
    ]
    assert "letters" not in build(at("review"))["consent"]["given"]


def test_a_correction_begins_with_those_that_were_sent() -> None:
    made = {**build(with_a_copy()), "sender_id": "web-1", "reference": "PS-ABCD-EFGH"}
    talk = Talk(state_of(made))
    assert "Letters: 2 (PDF, 120 kB; text, 3 kB)" in talk.asked
    uploads(talk, Letter("d" * 32, "web-1", "text/plain", 900)).is_asked(FIELD)
    copied(talk.says("yes"))
    assert len(build(talk)["files"]) == 3


def test_the_newest_five_are_asked_about() -> None:
    many = [Letter(f"{number:032d}", "web-1", "text/plain", 900) for number in range(7)]
    state = with_letters(State(), many)
    assert state.letters == tuple(many[2:]) and line(state.letters).startswith("5 (")
    assert with_letters(state, many) is state
