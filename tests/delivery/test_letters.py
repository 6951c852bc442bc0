"""Letters on their way: sealed in the draft, sent after their case, each once, and not at all when taken back in time."""

from __future__ import annotations

import base64
import sqlite3
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import func, select

from actions.database import make_engine, migrate
from actions.outbox import Outbox, Row
from actions.store import Store
from actions.tables import draft_files, outbox
from actions.targets import Delivered, WebhookTarget
from runtime.settings import secret
from runtime.vault import Vault
from tests.delivery.cases import CONTENTS, FILE, LETTER, NOTE, SECOND, case, correct, escalation, with_letters
from tests.delivery.receiver import Receiver
from tests.intake.talk import at


def worker(data: Store) -> Outbox:
    return Outbox(data.engine, data.vault, clock=data.clock, chance=lambda: 0.0)


def sent_next(queue: Outbox, *, done: bool = True) -> list[Row]:
    rows = queue.claim()
    for row in rows if done else ():
        queue.done(row, 201, {})
    return rows


def kept(data: Store) -> int:
    with data.engine.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(draft_files)) or 0)


def test_letters_follow_their_case_one_by_one(data: Store) -> None:
    sent = with_letters(data, "patient-1", FILE, SECOND)
    queue = worker(data)
    (first,) = sent_next(queue)
    assert (first.kind, [file["id"] for file in first.body["files"]]) == (
        "intake.submitted",
        [FILE["id"], SECOND["id"]],
    )
    letters = sent_next(queue)
    assert [(row.kind, row.body["file"], base64.b64decode(row.body["content"])) for row in letters] == [
        ("intake.file", FILE, LETTER),
        ("intake.file", SECOND, NOTE),
    ]
    assert all(row.body["intake_id"] == sent.id and row.body["version"] == 1 and not row.stat for row in letters)
    assert sent_next(queue) == []
    assert kept(data) == 0
    with data.engine.connect() as connection:
        assert set(connection.scalars(select(outbox.c.body))) == {b""}, "what was delivered is not kept"


def test_only_what_the_draft_lists_is_kept(data: Store) -> None:
    draft = data.new_draft("patient-1", at("review").state.to_json())
    data.save_draft(draft, CONTENTS)
    assert kept(data) == 0
    draft.state["files"] = [FILE, SECOND]
    data.save_draft(draft, CONTENTS)
    data.save_draft(draft)
    assert kept(data) == 2
    draft.state["files"] = [SECOND]
    data.save_draft(draft)
    assert kept(data) == 1
    data.submit(draft, case(files=[SECOND]))
    queue = worker(data)
    sent_next(queue)
    assert [row.body["file"] for row in sent_next(queue)] == [SECOND]


def test_a_case_that_cannot_be_kept_sends_no_letter(data: Store) -> None:
    draft = data.new_draft("patient-1", {**at("review").state.to_json(), "files": [FILE]})
    data.save_draft(draft, CONTENTS)
    with pytest.raises(TypeError):
        data.submit(draft, case(files=[FILE], answers={"a": object()}))
    assert kept(data) == 1
    assert worker(data).claim() == []


def test_nothing_waits_for_a_letter(data: Store) -> None:
    sent = with_letters(data, "patient-1", FILE, SECOND)
    queue = worker(data)
    sent_next(queue)
    letter = queue.claim(1)[0]
    queue.bury(letter, status=413, error="HTTP 413")
    correct(data, "patient-1", sent, files=[FILE, SECOND])
    assert [row.kind for row in sent_next(queue)] == ["intake.corrected", "intake.file"]
    assert [row.kind for row in queue.health().dead] == ["intake.file"]
    assert queue.revive(letter.key)
    assert [row.body["file"] for row in sent_next(queue)] == [FILE]


def test_escalations_and_cases_go_before_letters(data: Store) -> None:
    with_letters(data, "patient-1", FILE)
    queue = worker(data)
    sent_next(queue)
    with_letters(data, "patient-2", SECOND)
    data.record_escalation(escalation(sender_id="patient-3"))
    assert [row.kind for row in sent_next(queue)] == ["escalation.raised", "intake.submitted", "intake.file"]


def test_a_correction_adds_and_takes_back(data: Store) -> None:
    sent = with_letters(data, "patient-1", FILE)
    queue = worker(data)
    sent_next(queue)
    sent_next(queue)
    with_letters(data, "patient-1", SECOND, of=sent)
    (corrected,) = sent_next(queue)
    assert corrected.body["files"] == [SECOND] and corrected.body["files_taken_back"] == [FILE]
    assert [row.body["file"] for row in sent_next(queue)] == [SECOND]
    with_letters(data, "patient-1", FILE, of=sent)
    sent_next(queue)
    assert [row.body["file"] for row in sent_next(queue)] == [FILE], "it can be given again"


def test_what_is_taken_back_in_time_never_leaves(data: Store) -> None:
    sent = with_letters(data, "patient-1", FILE, SECOND)
    correct(data, "patient-1", sent, files=[SECOND])
    queue = worker(data)
    kinds = [row.kind for _ in range(4) for row in sent_next(queue)]
    assert sorted(kinds) == ["intake.corrected", "intake.file", "intake.submitted"]

    sent = with_letters(data, "patient-2", FILE)
    data.withdraw(sent.id)
    assert [row.kind for _ in range(3) for row in sent_next(queue)] == ["intake.submitted", "intake.withdrawn"]


def test_erasure_and_time_take_them_away(data: Store) -> None:
    with_letters(data, "patient-1", FILE)
    draft = data.new_draft("patient-1", {**at("review").state.to_json(), "files": [SECOND]})
    data.save_draft(draft, CONTENTS)
    data.erase("patient-1")
    assert kept(data) == 0
    assert [row.kind for row in worker(data).claim()] == ["erasure.requested"]

    draft = data.new_draft("patient-2", {**at("review").state.to_json(), "files": [FILE]})
    data.save_draft(draft, CONTENTS)
    data.purge(drafts_older_than=-1, sent_older_than=-1)
    assert kept(data) == 0


def test_a_resume_code_takes_them_along(data: Store) -> None:
    draft = data.new_draft("patient-1", {**at("review").state.to_json(), "files": [FILE]})
    data.save_draft(draft, CONTENTS)
    code = data.resume_code("patient-1")
    found = data.redeem(code or "", "patient-2")
    assert found and found.state["files"] == [FILE]
    data.submit(found, case(files=[FILE]))
    queue = worker(data)
    sent_next(queue)
    assert [row.body["file"] for row in sent_next(queue)] == [FILE]


def test_a_new_master_key_opens_them(data: Store) -> None:
    draft = data.new_draft("patient-1", {**at("review").state.to_json(), "files": [FILE]})
    data.save_draft(draft, CONTENTS)
    Store(data.engine, Vault(master="3c" * 32, index="2b" * 32, previous=("1a" * 32,))).rewrap()
    fresh = Store(data.engine, Vault(master="3c" * 32, index="2b" * 32))
    fresh.submit(draft, case(files=[FILE]))
    queue = worker(fresh)
    sent_next(queue)
    assert base64.b64decode(sent_next(queue)[0].body["content"]) == LETTER


def test_no_byte_of_a_letter_stands_in_the_files(tmp_path: Path, vault: Vault) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/raw.db")
    migrate(engine)
    data = Store(engine, vault)

    def raw() -> bytes:
        return b"".join(path.read_bytes() for path in tmp_path.glob("raw.db*"))

    def nothing_readable() -> bool:
        return not any(found in raw() for each in (LETTER, NOTE) for found in (each, base64.b64encode(each)[:-4]))

    draft = data.new_draft("patient-1", {**at("review").state.to_json(), "files": [FILE, SECOND]})
    data.save_draft(draft, CONTENTS)
    assert nothing_readable()
    sealed = sqlite3.connect(f"{tmp_path}/raw.db").execute("select body from draft_files").fetchall()
    data.submit(draft, case(files=[FILE, SECOND]))
    assert nothing_readable()
    sealed += sqlite3.connect(f"{tmp_path}/raw.db").execute("select body from outbox").fetchall()
    data.erase("patient-1")
    assert nothing_readable() and all(body not in raw() for (body,) in sealed)


async def test_a_letter_of_ten_megabytes_goes_out_signed_and_the_same_each_time(data: Store) -> None:
    content = b"%PDF-1.7" + bytes(10 * 1024 * 1024 - 8)
    draft = data.new_draft("patient-1", {**at("review").state.to_json(), "files": [FILE]})
    data.save_draft(draft, {FILE["id"]: content})
    data.submit(draft, case(files=[{**FILE, "size": len(content)}]))
    queue = worker(data)
    receiver = await Receiver(secret("delivery"), size=15 * 1024 * 1024).start()
    async with aiohttp.ClientSession() as session:
        target = WebhookTarget(session, url=receiver.url, secret=secret("delivery"), timeout=30)
        for _ in range(2):
            for row in queue.claim():
                for _ in range(2):
                    outcome = await target.deliver(row)
                    assert isinstance(outcome, Delivered)
                queue.done(row, outcome.status, outcome.receipt)
    await receiver.stop()
    assert not receiver.conflicts
    (taken,) = [each for each in receiver.taken.values() if each["type"] == "intake.file"]
    assert base64.b64decode(taken["data"]["content"]) == content


def test_the_tables_go_back_and_forward(data: Store) -> None:
    with_letters(data, "patient-1", FILE)
    migrate(data.engine, back_to="0004")
    migrate(data.engine)
    assert kept(data) == 0
    assert [row.kind for row in worker(data).claim()] == ["intake.submitted"]
