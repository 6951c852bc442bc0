"""The intake store on both databases: what is committed, what is counted once, what is refused, what is erased."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from actions.database import StoreUnavailable, make_engine, migrate
from actions.outbox import Outbox
from actions.store import DAY, Store
from runtime.vault import Vault
from tests.delivery.cases import WORDS, case, correct, escalation, submit
from tests.intake.talk import at


def outbox(data: Store) -> Outbox:
    return Outbox(data.engine, data.vault, clock=data.clock)


def test_an_intake_and_its_delivery_are_one_transaction(data: Store) -> None:
    sent = submit(data, "patient-1")
    (row,) = outbox(data).claim()
    assert (row.kind, row.body["reference"], row.body["version"]) == ("intake.submitted", sent.reference, 1)
    assert row.body["sender_id"] == "patient-1" and row.body["answers"]["name"]["value"] == "Pat Example"
    assert data.draft("patient-1") is None


def test_sending_twice_is_one_intake(data: Store) -> None:
    draft = data.new_draft("patient-1", at("review").state.to_json())
    data.save_draft(draft)
    assert data.submit(draft, case()) == data.submit(draft, case())
    assert len(outbox(data).claim()) == 1


def test_corrections_and_withdrawal_are_further_versions_in_order(data: Store) -> None:
    sent = submit(data, "patient-1")
    assert correct(data, "patient-1", sent).version == 2
    withdrawn = data.withdraw(sent.id)
    assert withdrawn and withdrawn.version == 3
    queue = outbox(data)
    kinds = []
    for _ in range(3):
        (row,) = queue.claim()  # never two of one intake at once
        kinds.append(row.kind)
        assert queue.done(row, 201, {})
    assert kinds == ["intake.submitted", "intake.corrected", "intake.withdrawn"]
    assert data.withdraw(sent.id) is None


def test_the_status_is_received_only_when_the_newest_version_is(data: Store) -> None:
    sent = submit(data, "patient-1")
    queue = outbox(data)
    (first,) = queue.claim()
    correct(data, "patient-1", sent)
    queue.done(first, 201, {})
    assert data.sent_by("patient-1")[0].status == "saved"
    (second,) = queue.claim()
    queue.done(second, 201, {})
    assert data.sent_by("patient-1")[0].status == "received"


def test_escalations_go_out_ahead_of_intakes(data: Store) -> None:
    submit(data, "patient-2")
    reference = data.record_escalation(escalation())
    assert reference.startswith("ESC-")
    assert [row.kind for row in outbox(data).claim()] == ["escalation.raised", "intake.submitted"]


def test_an_escalation_recorded_twice_is_one(data: Store) -> None:
    first = data.record_escalation(escalation(escalation_id="e-1"))
    assert data.record_escalation(escalation(escalation_id="e-1")) == first
    assert data.update_escalation("patient-1", "calling") == first
    assert data.update_escalation("somebody-else", "calling") is None


def test_whether_an_escalation_reached_the_desk_is_known(data: Store) -> None:
    assert not data.reached_desk("patient-1")
    data.record_escalation(escalation())
    assert not data.reached_desk("patient-1")
    queue = outbox(data)
    (row,) = queue.claim()
    queue.done(row, 200, {})
    assert data.reached_desk("patient-1") and not data.reached_desk("somebody-else")


def test_what_was_escalated_stands_in_the_intake_unless_it_was_a_mistake(data: Store) -> None:
    data.record_escalation(escalation())
    assert [flag["category"] for flag in data.red_flags("patient-1", 0)] == ["cauda_equina"]
    data.update_escalation("patient-1", "mistake")
    assert data.red_flags("patient-1", 0) == []


def test_a_resume_code_works_once_and_not_for_ever(data: Store) -> None:
    draft = data.new_draft("on-the-phone", {"field": "pain"})
    data.save_draft(draft)
    code = data.resume_code("on-the-phone")
    assert code
    moved = data.redeem(code, "on-the-computer")
    assert moved and moved.state == {"field": "pain"} and data.draft("on-the-phone") is None
    assert data.redeem(code, "somebody-else") is None
    late = data.resume_code("on-the-computer")
    now = data.clock()
    data.clock = lambda: now + 4 * DAY
    assert late and data.redeem(late, "somebody-else") is None


def test_only_who_sent_it_or_can_prove_it_learns_where_a_case_is(data: Store) -> None:
    sent = submit(data, "patient-1")
    assert data.find(sent.reference, sender="patient-1")
    assert data.find(sent.reference, sender="other") is None
    assert data.find(sent.reference, sender="other", proof="+12025550143")
    assert data.find(sent.reference, sender="other", proof="PAT@example.org")
    assert data.find(sent.reference, sender="other", proof="+12025550199") is None


def test_a_case_can_be_opened_again(data: Store) -> None:
    sent = submit(data, "patient-1")
    found = data.case(sent.id)
    assert found and found["answers"]["main_problem"]["text"] == WORDS


def test_erasure_removes_everything_and_tells_the_case_system_after_what_is_on_its_way(data: Store) -> None:
    submit(data, "patient-1")
    data.record_escalation(escalation())
    queue = outbox(data)
    on_its_way = queue.claim()
    erased = data.erase("patient-1")
    assert (erased.intakes, erased.escalations) == (1, 1)
    assert all(not queue.done(row, 201, {}) for row in on_its_way)
    assert queue.claim() == [], "the erasure waits until the deliveries on their way have ended"
    now = data.clock()
    queue.clock = lambda: now + 120
    rows = queue.claim()
    assert [row.kind for row in rows] == ["erasure.requested"] * 2
    assert {row.body["sender_id"] for row in rows} == {"patient-1"}
    assert data.sent_by("patient-1") == []


def test_retention_keeps_what_is_not_delivered_yet(data: Store) -> None:
    sent = submit(data, "patient-1")
    data.save_draft(data.new_draft("patient-2", {}))
    now = data.clock()
    data.clock = lambda: now + 400 * DAY
    erased = data.purge(drafts_older_than=30 * DAY, sent_older_than=90 * DAY)
    assert (erased.drafts, erased.intakes) == (1, 0)
    queue = outbox(data)
    (row,) = queue.claim()
    queue.done(row, 201, {})
    data.clock = lambda: now + 900 * DAY
    assert data.purge(drafts_older_than=30 * DAY, sent_older_than=90 * DAY).intakes == 1
    assert data.case(sent.id) is None


def test_a_new_master_key_takes_over(data: Store) -> None:
    sent = submit(data, "patient-1")
    rotated = Store(data.engine, Vault(master="3c" * 32, index="2b" * 32, previous=("1a" * 32,)))
    assert rotated.rewrap() >= 1
    fresh = Store(data.engine, Vault(master="3c" * 32, index="2b" * 32))
    assert fresh.case(sent.id)


def test_no_word_of_the_patient_stands_in_the_files_and_erasure_leaves_nothing(tmp_path: Path, vault: Vault) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/raw.db")
    migrate(engine)
    data = Store(engine, vault)
    sent = submit(data, "patient-number-one")
    data.record_escalation(escalation(sender_id="patient-number-one"))

    def raw() -> bytes:
        return b"".join(path.read_bytes() for path in tmp_path.glob("raw.db*"))

    for word in (
        b"left leg",
        b"Pat Example",
        b"pat@example.org",
        b"0143",
        b"when I pee",
        b"patient-number-one",
        b"slipped",
    ):
        assert word not in raw(), word
    wrapped = sqlite3.connect(f"{tmp_path}/raw.db").execute("select wrapped from data_keys").fetchall()
    data.erase("patient-number-one")
    assert sent.id.encode() not in raw()
    left = sqlite3.connect(f"{tmp_path}/raw.db").execute("select owner from data_keys").fetchall()
    assert all(owner.startswith("erasure:") for (owner,) in left)
    assert all(key not in raw() for (key,) in wrapped), "a wrapped data key is still in the file"


def test_a_damaged_database_is_refused_clearly(tmp_path: Path, vault: Vault) -> None:
    place = tmp_path / "intake.db"
    engine = make_engine(f"sqlite:///{place}")
    migrate(engine)
    submit(Store(engine, vault), "patient-1")
    engine.dispose()
    content = bytearray(place.read_bytes())
    content[0:4096] = b"\x00" * 4096
    place.write_bytes(content)
    for extra in tmp_path.glob("intake.db-*"):
        extra.unlink()
    with pytest.raises(StoreUnavailable):
        migrate(make_engine(f"sqlite:///{place}"))


def test_a_full_disk_keeps_nothing_half_written(tmp_path: Path, vault: Vault) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/intake.db")
    migrate(engine)
    data = Store(engine, vault)
    draft = data.new_draft("patient-1", at("review").state.to_json())
    data.save_draft(draft)
    engine.dispose()

    from sqlalchemy import event

    @event.listens_for(engine, "connect")
    def full(connection: sqlite3.Connection, _record: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages}")  # SQLite then says what it says on a full disk

    with pytest.raises(StoreUnavailable):
        for _ in range(50):
            data.submit(
                draft, case(transcript=[{"at": "2026-11-21T09:00:00Z", "who": "patient", "text": "x" * 50_000}])
            )
    assert data.sent_by("patient-1") == [] and outbox(data).claim() == []
    assert data.draft("patient-1"), "the answers are still there to be sent later"
