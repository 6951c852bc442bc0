"""A conversation with the running assistant, in the words of the domain: the patient says, the bot answers."""

from __future__ import annotations

import json
import secrets
import urllib.error
import urllib.request
from typing import Any

Message = dict[str, Any]


class Conversation:
    """One patient talking over Rasa's REST channel.

    ``says`` and ``picks`` take a turn; the rest check what the last turn brought and return the conversation, so that
    a test reads as a dialogue.
    """

    def __init__(self, rasa_url: str, sender: str | None = None) -> None:
        self.url = f"{rasa_url}/webhooks/rest/webhook"
        self.sender = sender or f"test-{secrets.token_hex(12)}"
        self.replies: list[Message] = []

    def says(self, text: str) -> Conversation:
        body = json.dumps({"sender": self.sender, "message": text}).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as reply:
            self.replies = json.load(reply)
        return self

    def picks(self, title: str) -> Conversation:
        """Press the button whose title begins with ``title``."""
        for button in self.buttons:
            if button["title"].casefold().startswith(title.casefold()):
                return self.says(button["payload"])
        raise AssertionError(f"No button {title!r}; offered: {[button['title'] for button in self.buttons]}")

    @property
    def text(self) -> str:
        return "\n".join(reply["text"] for reply in self.replies if reply.get("text"))

    @property
    def buttons(self) -> list[dict[str, str]]:
        return [button for reply in self.replies for button in reply.get("buttons", [])]

    @property
    def custom(self) -> Message:
        found = [reply["custom"] for reply in self.replies if reply.get("custom")]
        assert len(found) <= 1, f"more than one custom payload in a turn: {found}"
        return found[0] if found else {}

    def replies_with(self, *parts: str) -> Conversation:
        for part in parts:
            assert part.casefold() in self.text.casefold(), f"{part!r} not in: {self.text!r}"
        return self

    def does_not_say(self, *parts: str) -> Conversation:
        for part in parts:
            assert part.casefold() not in self.text.casefold(), f"{part!r} in: {self.text!r}"
        return self

    def answers(self, topic: str) -> Conversation:
        assert self.custom.get("kind") == "answer", f"no answer: {self.custom} {self.text!r}"
        assert self.custom["topic"] == topic, f"answered {self.custom['topic']}, not {topic}"
        assert self.text
        return self

    def refuses(self, topic: str) -> Conversation:
        assert self.custom.get("kind") == "out_of_scope", f"not refused: {self.custom} {self.text!r}"
        assert self.custom["topic"] == topic
        return self

    def escalates(self, tier: str, category: str | None = None) -> Conversation:
        assert self.custom.get("kind") == "escalation", f"no escalation: {self.custom} {self.text!r}"
        assert self.custom["tier"] == tier, f"tier {self.custom['tier']}, not {tier}"
        assert category is None or category in self.custom["categories"], self.custom["categories"]
        return self

    def clarifies(self, category: str | None = None) -> Conversation:
        assert self.custom.get("kind") == "clarify", f"no clarifying question: {self.custom} {self.text!r}"
        assert category is None or self.custom["category"] == category
        return self

    def does_not_escalate(self) -> Conversation:
        assert self.custom.get("kind") not in ("escalation", "clarify"), f"alarm: {self.text!r}"
        return self

    def asks(self, slot: str) -> Conversation:
        assert self.custom.get("kind") == "intake", f"no question: {self.custom} {self.text!r}"
        assert self.custom["slot"] == slot, f"asked {self.custom['slot']}, not {slot}"
        return self

    def falls_back(self) -> Conversation:
        assert self.custom.get("kind") == "fallback", f"no fallback: {self.custom} {self.text!r}"
        return self

    def is_kind(self, kind: str) -> Conversation:
        assert self.custom.get("kind") == kind, f"{self.custom} {self.text!r}"
        return self
