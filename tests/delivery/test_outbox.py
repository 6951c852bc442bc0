"""The outbox as rules and against a receiver that fails on purpose: nothing lost, nothing twice, in order, in time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from actions.delivery import Config, Worker
from actions.outbox import LONGEST_STAT_WAIT, LONGEST_WAIT, Outbox, wait_seconds
from actions.retention import retention
from actions.store import Store
from actions.targets import Delivered, Later, Refused, WebhookTarget, failure, retry_after
from runtime.settings import secret, settings
from tests.delivery.cases import correct, escalation, submit
from tests.delivery.receiver import Receiver, faulty, until


@pytest.mark.parametrize(
    ("status", "kind", "alarm"),
    [
        (400, Refused, False),
        (401, Later, True),
        (403, Later, True),
        (404, Refused, False),
        (408, Later, False),
        (409, Refused, False),
        (422, Refused, False),
        (425, Later, False),
        (429, Later, False),
        (500, Later, False),
        (503, Later, False),
    ],
)
def test_what_heals_and_what_does_not(status: int, kind: type, alarm: bool) -> None:
    found = failure(status)
    assert isinstance(found, kind)
    assert getattr(found, "alarm", False) is alarm


@pytest.mark.parametrize(
    ("tries", "stat", "after", "chance", "expected"),
    [
        (1, False, None, 1.0, 4.0),
        (1, False, None, 0.5, 2.0),
        (3, False, None, 1.0, 16.0),
        (50, False, None, 1.0, LONGEST_WAIT),
        (50, True, None, 1.0, LONGEST_STAT_WAIT),
        (1, False, 120.0, 0.1, 120.0),
        (1, True, 600.0, 0.1, LONGEST_STAT_WAIT),
        (1, False, 10**9, 0.1, LONGEST_WAIT),
    ],
)
def test_waiting_times(tries: int, stat: bool, after: float | None, chance: float, expected: float) -> None:
    assert wait_seconds(tries, stat=stat, retry_after=after, chance=chance) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [("30", 30.0), ("-5", 0.0), (None, None), ("soon", None), ("Thu, 01 Jan 1970 00:02:00 GMT", 20.0)],
)
def test_retry_after(header: str | None, expected: float | None) -> None:
    assert retry_after(header, 100.0) == expected


def test_two_workers_never_hold_the_same_row(data: Store) -> None:
    for number in range(20):
        submit(data, f"patient-{number}")
    held: list[str] = []
    lock = threading.Lock()

    def work() -> None:
        queue = Outbox(data.engine, data.vault, clock=data.clock)
        while rows := queue.claim(3):
            with lock:
                held.extend(row.key for row in rows)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(held) == 20 == len(set(held))


def test_a_lease_that_ran_out_is_taken_by_the_next_worker(data: Store) -> None:
    submit(data, "patient-1")
    dead = Outbox(data.engine, data.vault, clock=data.clock, lease_seconds=30)
    (row,) = dead.claim()
    now = data.clock()
    next_one = Outbox(data.engine, data.vault, clock=lambda: now + 10)
    assert next_one.claim() == []
    next_one.clock = lambda: now + 31
    (again,) = next_one.claim()
    assert (again.key, again.tries) == (row.key, 2)
    dead.retry(row, status=None, error="late")  # the first worker wakes up: it no longer has a say
    next_one.done(again, 201, {})
    assert data.sent_by("patient-1")[0].status == "received"


def test_a_dead_letter_is_seen_holds_back_its_followers_and_can_be_sent_again(data: Store) -> None:
    sent = submit(data, "patient-1")
    correct(data, "patient-1", sent)
    queue = Outbox(data.engine, data.vault, clock=data.clock)
    (row,) = queue.claim()
    queue.bury(row, status=422, error="HTTP 422 invalid")
    assert queue.claim() == []
    (letter,) = queue.health().dead
    assert (letter.key, letter.error) == (row.key, "HTTP 422 invalid")
    assert queue.revive(letter.key) and not queue.revive(letter.key)
    assert queue.claim()[0].key == row.key


def test_a_row_that_does_not_open_does_not_stop_the_others(data: Store) -> None:
    from sqlalchemy import update

    from actions.tables import outbox

    submit(data, "patient-1")
    with data.engine.begin() as connection:
        connection.execute(update(outbox).values(body=b"\x01nonsense-nonsense-nonsense-nonsense"))
    submit(data, "patient-2")
    queue = Outbox(data.engine, data.vault, clock=data.clock)
    assert len(queue.claim()) == 1
    assert len(queue.health().dead) == 1


def test_late_stat_rows_raise_one_alarm(data: Store) -> None:
    submit(data, "patient-2")
    data.record_escalation(escalation())
    now = data.clock()
    queue = Outbox(data.engine, data.vault, clock=lambda: now + 301)
    late = queue.alarming(300)
    assert [row.kind for row in late] == ["escalation.raised"]
    queue.alarmed(late)
    assert queue.alarming(300) == []


# --- against a real receiver -----------------------------------------------------------------------------------------


class Bench:
    """A worker with a receiver, and time that passes when it has to."""

    def __init__(self, data: Store, session: aiohttp.ClientSession, receiver: Receiver) -> None:
        self.data, self.receiver, self.session = data, receiver, session
        self.ahead = 0.0
        self.queue = Outbox(data.engine, data.vault, clock=lambda: data.clock() + self.ahead)

    def worker(self, **changes: object) -> Worker:
        config = Config(
            target="webhook",
            url=self.receiver.url,
            alarm_minutes=5,
            alarm_command=str(changes.get("alarm_command", "")),
            alarm_webhook="",
            look_seconds=0.1,
        )
        target = WebhookTarget(self.session, url=self.receiver.url, secret=secret("delivery"), timeout=5)
        return Worker(
            data=self.data, queue=self.queue, target=target, session=self.session, config=config, places=settings(),
            retention=retention(self.data), clock=self.queue.clock,
        )  # fmt: skip

    async def empty(self, worker: Worker, hours: float = 0.3) -> None:
        """Let the worker work until nothing waits; every round ``hours`` pass."""
        for _ in range(400):
            while await worker.once():
                pass
            if not self.queue.health().pending:
                return
            self.ahead += hours * 3600
        raise AssertionError("the outbox never got empty")


@pytest.fixture
async def bench(data: Store) -> AsyncIterator[Bench]:
    receiver = await Receiver(secret("delivery")).start()
    async with aiohttp.ClientSession() as session:
        yield Bench(data, session, receiver)
    await receiver.stop()


async def test_everything_arrives_once_and_in_order_at_a_faulty_receiver(bench: Bench) -> None:
    bench.receiver.plan = faulty(7)
    expected = []
    for number in range(30):
        sent = submit(bench.data, f"patient-{number}")
        expected.append((sent.id, 1))
        if number % 3 == 0:
            correct(bench.data, f"patient-{number}", sent)
            expected.append((sent.id, 2))
    await bench.empty(bench.worker())
    arrived = [
        (content["data"]["intake_id"], content["data"]["version"])
        for key in bench.receiver.order
        for content in [bench.receiver.taken[key]]
    ]
    assert sorted(arrived) == sorted(expected)
    for intake_id, _ in expected:
        assert [version for found, version in arrived if found == intake_id] == sorted(
            version for found, version in arrived if found == intake_id
        )
    assert bench.receiver.conflicts == [], "a row sent again has to be the same bytes"
    assert sum(bench.receiver.calls.values()) > len(expected), "the faults were not exercised"


async def test_an_hour_without_the_receiver_loses_nothing(bench: Bench) -> None:
    bench.receiver.plan = lambda _number: 503
    for number in range(5):
        submit(bench.data, f"patient-{number}")
    worker = bench.worker()
    for _ in range(12):
        await worker.once()
        bench.ahead += 300
    assert bench.receiver.taken == {} and bench.queue.health().pending == 5
    bench.receiver.plan = lambda _number: "ok"
    await bench.empty(worker)
    assert len(bench.receiver.taken) == 5


async def test_a_refused_row_becomes_a_dead_letter_and_alarms(bench: Bench, tmp_path: object) -> None:
    bench.receiver.plan = lambda _number: 422
    submit(bench.data, "patient-1")
    note = f"{tmp_path}/alarm.json"
    worker = bench.worker(alarm_command=f"cat > {note}")
    await worker.once()
    assert len(bench.queue.health().dead) == 1
    words = Path(note).read_text()
    assert "refused" in words and "left leg" not in words


async def test_bad_credentials_are_tried_again_and_alarm_once(bench: Bench, tmp_path: object) -> None:
    bench.receiver.plan = lambda _number: 401
    for number in range(3):
        submit(bench.data, f"patient-{number}")
    note = f"{tmp_path}/alarm.json"
    worker = bench.worker(alarm_command=f"echo alarm >> {note}")
    await worker.once()
    bench.receiver.plan = lambda _number: "ok"
    await bench.empty(worker)
    assert len(bench.receiver.taken) == 3
    assert Path(note).read_text().split() == ["alarm"]


async def test_retry_after_is_obeyed(bench: Bench) -> None:
    bench.receiver.plan, bench.receiver.headers = (lambda _number: 429), {"Retry-After": "120"}
    submit(bench.data, "patient-1")
    worker = bench.worker()
    await worker.once()
    bench.ahead = 100
    assert await worker.once() == 0
    bench.ahead = 125
    assert await worker.once() == 1


async def test_a_new_row_is_on_its_way_within_two_seconds(bench: Bench) -> None:
    worker, stop = bench.worker(), asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    await asyncio.sleep(0.3)
    await asyncio.to_thread(submit, bench.data, "patient-1")
    await until(lambda: len(bench.receiver.taken) == 1, 2.0)
    stop.set()
    await running


async def test_a_receipt_keeps_the_ids_the_receiver_gave(bench: Bench) -> None:
    row_target = WebhookTarget(bench.session, url=bench.receiver.url, secret=secret("delivery"), timeout=5)
    submit(bench.data, "patient-1")
    (row,) = bench.queue.claim()
    outcome = await row_target.deliver(row)
    assert isinstance(outcome, Delivered) and outcome.receipt == {"case": row.body["reference"], "status": "new"}
