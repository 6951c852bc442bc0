"""Input that is not a sensible question: each gets a kind reply, and nothing breaks."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from tests.conftest import Stack
from tests.conversations.harness import Conversation


@pytest.mark.parametrize(
    "text",
    [
        "😀😀😀",
        "?????",
        "a",
        "WHY IS IT SO EXPENSIVE TO GET A SECOND OPINION",
        "<p>How much does a <b>second opinion</b> cost?</p><script>alert(1)</script>",
        "¿cuánto cuesta una segunda opinión?",
        "my knee hurts when i run what is it",
        "so my mum was told she needs an op and then the other doctor said no and now we dont know " * 9,
        "\u202eabc \u0000 \u0007 def",
        "' OR 1=1; DROP TABLE intakes; --",
        "{{7*7}} ${7*7} {emergency_number}",
    ],
)
def test_every_message_gets_a_reply(patient: Conversation, text: str) -> None:
    patient.says(text)
    assert patient.text.strip()


@pytest.mark.parametrize(
    "command", ["/restart", "/session_start", "/back", "/nonsense", '/faq{"topic": "no_such"}', "/faq{"]
)
def test_commands_typed_by_hand_do_nothing_bad(patient: Conversation, command: str) -> None:
    patient.says("How much does it cost?").answers("cost")
    patient.says(command)
    assert patient.text.strip()
    patient.says("tell me more").answers("cost")


@pytest.mark.parametrize("text", ["", "   ", "\n\n", "\u200b", "\u0000"])
def test_an_empty_message_gets_a_kind_reply(patient: Conversation, text: str) -> None:
    assert patient.says(text).text.strip()


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"message": 5, "sender": "x"}', b'{"message": "hello"}', b"\xff\xfe"]
)
def test_a_malformed_request_is_refused_with_a_reason(stack: Stack, body: bytes) -> None:
    request = urllib.request.Request(f"{stack.rasa}/webhooks/rest/webhook", body, {"Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=30)
    assert refused.value.code == 400
    assert json.load(refused.value)["error"]


def test_a_message_that_is_too_long_gets_a_kind_reply(patient: Conversation) -> None:
    patient.says("word " * 2000)
    assert patient.text.strip()
    patient.says("How much does it cost?").answers("cost")
