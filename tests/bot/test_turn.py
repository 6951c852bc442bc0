"""Emergency words are not held back by what comes after them."""

from __future__ import annotations

import asyncio
import time

import pytest
from rasa.core.channels.channel import UserMessage

from bot.channels import turn
from bot.channels.web import RepliesOutput

WORDS = {"text": "Call 911 now.", "custom": {"kind": "escalation", "tier": "emergency", "categories": ["crisis"]}}


def take(handler: object, output: RepliesOutput) -> float:
    begun = time.monotonic()

    async def run() -> None:
        await turn.take_turn(handler, UserMessage("help", output, "someone"), output)  # type: ignore[arg-type]

    asyncio.run(run())
    return time.monotonic() - begun


def test_words_that_must_not_wait_come_before_a_hanging_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "GRACE_SECONDS", 0.1)
    output = RepliesOutput()

    async def handler(message: UserMessage) -> None:
        await output.send_response("someone", WORDS)
        await asyncio.sleep(30)

    assert take(handler, output) < 5
    assert output.replies[0]["text"] == WORDS["text"]


def test_an_ordinary_turn_is_waited_for() -> None:
    output = RepliesOutput()

    async def handler(message: UserMessage) -> None:
        await output.send_response("someone", {"text": "first"})
        await asyncio.sleep(0.05)
        await output.send_response("someone", {"text": "second"})

    take(handler, output)
    assert [reply["text"] for reply in output.replies] == ["first", "second"]


def test_what_a_turn_raises_is_raised() -> None:
    async def handler(message: UserMessage) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        take(handler, RepliesOutput())
