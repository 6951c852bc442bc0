"""What the form makes of a message as Rasa has understood it."""

from __future__ import annotations

import pytest

from actions.intake.decide import decide
from actions.intake.decision import Decision, Kind
from actions.intake.parse import Reader
from actions.validate_intake_form import message_of
from tests.intake.talk import TODAY, at


def at_the_phone(text: str, topic: str) -> Decision:
    """What ``text`` means where the telephone number is asked, when the classifier takes it for ``topic``."""
    parsed = {
        "text": text,
        "intent": {"name": "faq", "confidence": 0.98},
        "topics": [{"id": topic, "confidence": 0.98}],
        "label": f"faq/{topic}",
    }
    return decide(at("phone").state, message_of(parsed), Reader(TODAY, "US"))


@pytest.mark.parametrize(
    ("text", "topic"), [("asdf", "off_topic"), ("Pat Example", "off_topic"), ("my leg hurts today", "other_health")]
)
def test_what_is_neither_answer_nor_question_is_told_why_it_does_not_fit(text: str, topic: str) -> None:
    assert at_the_phone(text, topic).kind is Kind.INVALID


@pytest.mark.parametrize(("text", "topic"), [("can you book me a taxi?", "off_topic"), ("the price", "cost")])
def test_a_question_and_a_topic_named_are_answered(text: str, topic: str) -> None:
    decision = at_the_phone(text, topic)
    assert (decision.kind, decision.topic) == (Kind.DIGRESSION, topic)
