"""A yes to the letters in a real turn: the bytes are fetched and kept with the draft, or the patient is told."""

from __future__ import annotations

import base64
from typing import Any

from actions.intake.decision import Message
from actions.intake.turn import IntakeTurn, Outcome
from actions.outbox import Outbox
from actions.store import Store
from tests.delivery.cases import CONTENTS, FILE, LETTER, SECOND
from tests.intake.talk import at


def events(*files: dict[str, Any]) -> list[dict[str, Any]]:
    told = [{key: file[key] for key in ("id", "type", "size")} for file in files]
    return [{"event": "user", "text": "Dear Dr", "metadata": {"letter": each}} for each in told]


class Chat:
    """A patient at the read-back who sent letters before."""

    def __init__(self, data: Store, *files: dict[str, Any], gone: bool = False) -> None:
        self.data, self.files, self.gone, self.asked = data, files, gone, list[tuple[str, str]]()
        self.contents = dict(CONTENTS)
        data.save_draft(data.new_draft("web-1", at("review").state.to_json()))

    async def fetch(self, sender: str, letter: str) -> bytes | None:
        self.asked.append((sender, letter))
        return None if self.gone else self.contents[letter]

    async def says(self, text: str) -> Outcome:
        outcome = await IntakeTurn(self.data, "web-1", self.fetch).take(Message(text), events(*self.files))
        assert outcome
        return outcome


async def test_nothing_is_fetched_before_the_yes_and_each_letter_once(data: Store) -> None:
    chat = Chat(data, FILE)
    await chat.says("send it")
    assert chat.asked == []
    await chat.says("yes")
    await chat.says("make the pain 3")
    assert chat.asked == [("web-1", FILE["id"])]
    outcome = await chat.says("send it")
    assert outcome.sent
    case = data.case(outcome.sent.id)
    assert case and case["files"] == [FILE] and case["consent"]["letters_at"]
    queue = Outbox(data.engine, data.vault, clock=data.clock)
    for row in queue.claim():
        queue.done(row, 201, {})
    assert [base64.b64decode(row.body["content"]) for row in queue.claim()] == [LETTER]


async def test_a_letter_that_is_gone_is_said_and_the_case_goes_without(data: Store) -> None:
    chat = Chat(data, FILE, gone=True)
    await chat.says("send it")
    outcome = await chat.says("yes")
    assert "not part of your case" in outcome.step.say[0]
    outcome = await chat.says("send it")
    assert outcome.sent
    case = data.case(outcome.sent.id)
    assert case and case["files"] == [] and case["consent"]["given"]["letters"] is False


async def test_a_correction_adds_one_and_fetches_only_that(data: Store) -> None:
    chat = Chat(data, FILE)
    await chat.says("send it")
    await chat.says("yes")
    outcome = await chat.says("send it")
    assert outcome.sent
    await IntakeTurn(data, "web-1").reopen(outcome.sent, events(FILE))
    chat.files, chat.asked = (FILE, SECOND), []
    await chat.says("send it")
    await chat.says("yes")
    outcome = await chat.says("send it")
    assert outcome.sent and outcome.sent.version == 2
    assert chat.asked == [("web-1", SECOND["id"])]
    case = data.case(outcome.sent.id)
    assert case and case["files"] == [FILE, SECOND]


async def test_a_letter_that_was_refused_is_not_asked_about_at_every_correction(data: Store) -> None:
    chat = Chat(data, FILE)
    await chat.says("send it")
    await chat.says("no")
    outcome = await chat.says("send it")
    assert outcome.sent
    await IntakeTurn(data, "web-1").reopen(outcome.sent, events(FILE))
    assert (await chat.says("make the pain 3")).step.state.stage == "review"
    outcome = await chat.says("send it")
    assert outcome.sent and outcome.sent.version == 2
    await IntakeTurn(data, "web-1").reopen(outcome.sent, events(FILE))
    await chat.says("send the letter too")
    outcome = await chat.says("send it")
    assert outcome.sent
    case = data.case(outcome.sent.id)
    assert case and case["files"] == [FILE]


async def test_the_same_letter_sent_twice_goes_once(data: Store) -> None:
    again = {**FILE, "id": "2" * 32}
    chat = Chat(data, FILE, again)
    chat.contents[again["id"]] = LETTER
    await chat.says("send it")
    await chat.says("yes")
    outcome = await chat.says("send it")
    assert outcome.sent
    case = data.case(outcome.sent.id)
    assert case and case["files"] == [FILE]
