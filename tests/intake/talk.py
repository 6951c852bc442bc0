"""A patient in an intake conversation, without Rasa and without a database: what they say, and what comes back."""

from __future__ import annotations

from datetime import date

from actions.intake.apply import Effect, Step, apply
from actions.intake.ask import question
from actions.intake.decide import decide
from actions.intake.decision import Decision, Message
from actions.intake.parse import Reader
from actions.intake.state import Answer, State

TODAY = date(2026, 11, 21)


class Talk:
    """Says things to the pure conversation. ``says`` takes a turn; the rest look at what it led to."""

    def __init__(self, state: State | None = None) -> None:
        self.state = state or State()
        self.step = Step(self.state)
        self.decision: Decision | None = None

    def says(self, *texts: str, intent: str = "", confidence: float = 0.95, topic: str = "", label: str = "") -> Talk:
        for text in texts:
            topics = ((topic, confidence),) if topic else ()
            message = Message(text, intent or ("faq" if topic else ""), confidence, topics, label, text.startswith("/"))
            self.decision = decide(self.state, message, Reader(TODAY, self.state.value("country")))
            self.step = apply(self.state, self.decision, now="2026-11-21T09:00:00+00:00", served=("US", "GB"))
            self.state = State.from_json(self.step.state.to_json())  # as it is stored and read back
        return self

    def presses(self, payload: str, intent: str) -> Talk:
        return self.says(payload, intent=intent, confidence=1.0)

    @property
    def said(self) -> str:
        return "\n".join(self.step.say)

    @property
    def asked(self) -> str:
        return "\n".join(reply.text for reply in question(self.state))

    @property
    def slot(self) -> str:
        payload = question(self.state)[-1].custom
        assert payload
        return str(payload["slot"])

    @property
    def buttons(self) -> list[str]:
        return [button.title for button in question(self.state)[-1].buttons]

    @property
    def effect(self) -> Effect:
        return self.step.effect

    def answer(self, field_id: str) -> Answer:
        return self.state.answers[field_id]

    def is_asked(self, field_id: str) -> Talk:
        assert self.slot == field_id, f"asked {self.slot}, not {field_id}: {self.asked}"
        return self

    def is_told(self, *parts: str) -> Talk:
        for part in parts:
            assert part.casefold() in self.said.casefold(), f"{part!r} not in {self.said!r}"
        return self


SHORT_PATH = (
    ("consent_chatbot", "yes"),
    ("consent_send", "yes"),
    ("consent_doctor", "no"),
    ("country", "Texas"),
    ("about", "me"),
    ("age_ok", "yes"),
    ("safety", "none of these"),
    ("safety_mood", "no"),
    ("decision", "Whether to have the fusion or wait"),
    ("where", "low back and left leg"),
    ("main_problem", "Pain shoots down my left leg when I stand"),
    ("since", "about 2 years ago"),
    ("pain", "8 out of 10"),
    ("operation", "not sure what it was called"),
    ("diagnosis", "a slipped disc"),
    ("matters", "playing with my grandchildren"),
    ("name", "Pat Example"),
    ("phone", "+1 202 555 0143"),
    ("email", "pat@example.org"),
)


def at(field_id: str) -> Talk:
    """A conversation that has come to the question ``field_id``."""
    talk = Talk()
    for asked, text in SHORT_PATH:
        if talk.slot == field_id:
            return talk
        talk.is_asked(asked).says(text)
    if talk.slot == field_id:
        return talk
    if field_id == "review":
        return talk.says("check and send")
    talk.says("answer more")
    while talk.slot != field_id:
        assert talk.slot != "review", f"{field_id} was never asked"
        talk.says("skip")
    return talk
