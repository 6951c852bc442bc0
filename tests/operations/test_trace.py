"""One id from the page to the desk: what is logged in a turn carries the turn's id, what leaves carries the reference."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from actions.base import Events, PatientAction
from actions.store import Store
from runtime.logs import WordlessFormatter
from tests.delivery.cases import WORDS, submit


class Sending(PatientAction):
    action_name = "action_sending"

    def __init__(self, data: Store) -> None:
        self.data = data

    async def respond(self, dispatcher: object, tracker: object) -> Events:
        await asyncio.to_thread(submit, self.data, "patient-1")
        return []


class Turn:
    sender_id = "patient-1"

    def __init__(self, trace: str) -> None:
        self.latest_message = {"message_id": trace, "text": WORDS}


async def test_the_turns_id_leads_to_the_cases_reference(data: Store, caplog: pytest.LogCaptureFixture) -> None:
    lines: list[dict[str, str]] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(json.loads(WordlessFormatter().format(record)))

    keep = Keep()
    logging.getLogger("actions").addHandler(keep)
    caplog.set_level(logging.INFO, "actions")
    try:
        for trace in ("t-1", "t-2"):
            await asyncio.create_task(Sending(data).run(None, Turn(trace), {}))  # type: ignore[arg-type]
    finally:
        logging.getLogger("actions").removeHandler(keep)
    kept = {line["trace"]: line["reference"] for line in lines if line["event"] == "intake kept"}
    assert set(kept) == {"t-1", "t-2"} and set(kept.values()) == {sent.reference for sent in data.sent_by("patient-1")}
    assert WORDS not in json.dumps(lines)
