"""What patients type reaches no log file, whatever happens to it."""

from __future__ import annotations

from tests.conftest import Stack
from tests.conversations.harness import Conversation

WORDS = "xylophonic zanzibarian"


def test_words_reach_no_log(stack: Stack) -> None:
    patient = Conversation(stack.rasa)
    for text in (f"my {WORDS} back hurts", f"I can't feel when I pee {WORDS}", f"/faq{{{WORDS}", f"{WORDS} " * 300):
        patient.says(text)
    for log in (stack.var / "log").glob("*.log"):
        written = log.read_text(errors="replace")
        for word in WORDS.split():
            assert word not in written, f"{word!r} in {log.name}"
