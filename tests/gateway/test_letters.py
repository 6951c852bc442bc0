"""A letter sent in the chat is kept for the time of the chat, and handed to nobody but the action server."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from gateway.store import MOST_LETTERS, Gone, Store
from runtime.vault import Vault
from tests.explain.test_letters import LETTERS
from tests.gateway.conftest import Door, Patient, Waiting
from tests.gateway.test_files import EICAR, REPORT, pdf, send

BRITISH = LETTERS["01_complete_second_opinion"].letter
ROOM = 10**9


def told(door: Door, patient: Patient) -> list[dict[str, Any]]:
    """What Rasa was told of letters."""
    return [seen["letter"] for seen in door.seen if seen["sender"] == patient.session and seen.get("letter")]


async def fetch(
    door: Door, patient: Patient, letter: str, *, sender: str = "", key: str = "", age: int = 0
) -> tuple[int, Any]:
    body = json.dumps({"sender_id": sender or f"web-{patient.session}", "letter": letter})
    at = datetime.now(UTC) - timedelta(seconds=age)
    signer = Webhook(base64.b64encode(bytes.fromhex(key or door.secret("notices"))).decode())
    headers = {
        "webhook-id": "l1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signer.sign("l1", at, body),
    }
    return await patient.call("POST", "/internal/letters", data=body, headers=headers)


async def test_a_file_is_kept_as_it_was_sent(door: Door, patient: Patient) -> None:
    raw = pdf(REPORT)
    await send(patient, raw)
    await patient.answer()
    (letter,) = told(door, patient)
    assert (letter["type"], letter["size"]) == ("application/pdf", len(raw))
    assert await fetch(door, patient, letter["id"]) == (200, raw)
    held = b"".join(path.read_bytes() for path in door.var.glob("gateway.db*"))
    assert raw[:200] not in held and raw[-200:] not in held, "sealed"


async def test_a_pasted_letter_is_kept_as_text_and_a_remark_is_not(door: Door, patient: Patient) -> None:
    await patient.says("My back hurts and I wonder what to do about it all, because the surgeon said so much to me.")
    await patient.says(BRITISH[:7_900], report=True)
    (letter,) = told(door, patient)
    assert letter["type"] == "text/plain"
    status, content = await fetch(door, patient, letter["id"])
    assert status == 200 and b"Dear" in content


async def test_what_is_refused_is_not_kept(door: Door, patient: Patient) -> None:
    for raw in (EICAR, pdf(REPORT) + EICAR, b"PK\x03\x04" + bytes(100)):
        assert (await send(patient, raw))[0] == 422
    assert told(door, patient) == []


async def test_it_is_handed_to_nobody_else(door: Door, patient: Patient, room: Waiting) -> None:
    another = await room.patient()
    await send(patient, pdf(REPORT))
    await patient.answer()
    (letter,) = told(door, patient)
    assert (await fetch(door, patient, letter["id"], key="00" * 32))[0] == 401
    assert (await fetch(door, patient, letter["id"], age=3600))[0] == 401
    assert (await fetch(door, another, letter["id"]))[0] == 404
    assert (await fetch(door, patient, letter["id"], sender="telegram-" + patient.session))[0] == 404
    assert (await fetch(door, patient, "0" * 32))[0] == 404
    assert (await patient.post("/internal/letters", {"letter": letter["id"]}))[0] == 401


@pytest.mark.parametrize("how", ["said", "restart", "end"])
async def test_it_goes_with_the_chat(door: Door, patient: Patient, how: str) -> None:
    await send(patient, pdf(REPORT))
    await patient.answer()
    (letter,) = told(door, patient)
    if how == "said":
        await patient.try_to_say("please erase it all")
    else:
        await patient.post(f"/api/{how}", {})
    async with asyncio.timeout(10):
        while (await fetch(door, patient, letter["id"]))[0] != 404:
            await asyncio.sleep(0.05)


@pytest.fixture
async def chats(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/chats.db", Vault(master="ab" * 32, index="cd" * 32))
    await store.open()
    for session in ("chat", "another"):
        await store.create(session, "en", 1000.0)
    yield store
    await store.close()


async def keep(chats: Store, turn: str, *, session: str = "chat", room: int = ROOM, at: float = 1000.0) -> Any:
    return await chats.keep_letter(session, turn, f"letter {turn}".encode(), "text/plain", at, room=room)


async def test_a_message_sent_again_is_the_same_letter(chats: Store) -> None:
    assert await keep(chats, "m1") == await keep(chats, "m1")


async def test_the_newest_are_kept(chats: Store) -> None:
    made = [await keep(chats, f"m{number}", at=1000.0 + number) for number in range(MOST_LETTERS + 2)]
    found = [await chats.letter("chat", letter.id) for letter in made]
    assert [each is not None for each in found] == [False] * 2 + [True] * MOST_LETTERS


async def test_all_chats_together_have_so_much_room(chats: Store) -> None:
    assert await keep(chats, "m1", room=20)
    assert await keep(chats, "m2", session="another", room=15) is None
    await chats.erase("chat")
    assert await keep(chats, "m2", session="another", room=15)


async def test_old_chats_take_theirs_along(chats: Store) -> None:
    letter = await keep(chats, "m1")
    await chats.expire(2000.0)
    assert await chats.letter("chat", letter.id) is None
    with pytest.raises(Gone):
        await keep(chats, secrets.token_hex(4))
