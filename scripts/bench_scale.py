"""What a turn costs as things grow: ``make bench-scale``. Prints tables and draws ``docs/images/scale.svg``.

Longer messages, more topics, more stored conversations, more cases on the desk, a second replica of Rasa. Times are given
as the clock's median and as processor time, which other work on the machine disturbs less. The stored conversations are
rows of the usual number and size that nobody opens: what they cost a turn is finding one's own among them.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import secrets
import sqlite3
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from casedesk.db import Database
from scripts import bench_casedesk
from scripts.bench_servers import (
    BOT,
    ROOT,
    Ask,
    Ours,
    Server,
    Theirs,
    crowd,
    default_bot,
    ours,
    questions,
    rest,
    theirs,
)
from scripts.bench_turns import machine
from scripts.plot import Panel, svg
from tests.conftest import free_ports

LENGTHS = (20, 100, 500, 1000, 2000)
TOPICS = (68, 200, 1000)
STORED = (1_000, 100_000)
CASES = (100, 10_000, 100_000)
EVENTS_A_CONVERSATION = 10
PICTURE = ROOT / "docs/images/scale.svg"


async def turn(server: Server, ask: Ask, texts: list[str], messages: int) -> tuple[float, float]:
    """Median milliseconds of a turn for one patient at a time, and the processor's."""
    await crowd(ask, texts, 1, messages=10)
    before = sum(server.worked().values())
    load = await crowd(ask, texts, 1, messages=messages)
    assert not load.errors, f"{load.errors} messages were not answered"
    return load.median, (sum(server.worked().values()) - before) / len(load.times)


def of_length(length: int) -> list[str]:
    """Messages of about ``length`` characters, made of the held-out questions."""
    asked, found = questions(), []
    for at in range(20):
        text = ""
        while len(text) < length:
            at += 1
            text = f"{text} {asked[at * 7 % len(asked)]}".strip()
        found.append(text[:length].strip())
    return found


async def by_length(bot: Ours, stock: Theirs, messages: int) -> Panel:
    points = []
    for length in LENGTHS:
        texts = of_length(length)
        mine, others = (
            await turn(bot.server, bot.rest, texts, messages),
            await turn(stock.server, stock.rest, texts, messages),
        )
        print(
            f"  {length:6} characters   this {mine[0]:7.1f} ms (processor {mine[1]:6.1f})   "
            f"rasa init {others[0]:7.1f} ms (processor {others[1]:6.1f})",
            flush=True,
        )
        points.append((f"{length:,}", (mine[1], others[1])))
    return Panel(
        "Length of a message, characters", "processor ms a turn", ("this, with action", "rasa init"), tuple(points)
    )


def store_conversations(place: Path, wanted: int) -> None:
    """Fill Rasa's conversations up to ``wanted`` with rows like those of other patients."""
    rows = sqlite3.connect(place, timeout=30)
    (have,) = rows.execute("SELECT count(DISTINCT sender_id) FROM events").fetchone()
    body = base64.b64encode(secrets.token_bytes(400)).decode()
    for start in range(have, wanted, 1000):
        senders = [secrets.token_hex(32) for _ in range(min(1000, wanted - start))]
        rows.executemany(
            "INSERT INTO events (sender_id, type_name, timestamp, data) VALUES (?, 'action', ?, ?)",
            ((sender, time.time(), body) for sender in senders for _ in range(EVENTS_A_CONVERSATION)),
        )
        rows.commit()
    rows.close()


async def by_stored(bot: Ours, var: Path, messages: int) -> Panel:
    points = []
    for wanted in STORED:
        store_conversations(var / "tracker.db", wanted)
        took, work = await turn(bot.server, bot.rest, questions(), messages)
        print(f"  {wanted:6} conversations   {took:7.1f} ms (processor {work:6.1f})", flush=True)
        points.append((f"{wanted:,}", (work,)))
    return Panel("Conversations stored", "processor ms a turn", ("this",), tuple(points))


async def by_replicas(bot: Ours, var: Path, seconds: float) -> Panel:
    """A second Rasa on the same stores, each patient with one of the two; the machine's cores stay the same."""
    (port,) = free_ports(1)
    bot.server.start("rasa2", BOT, "-m", "bot.server", PLAINSPOKEN_RASA_PORT=str(port))
    urls = [f"http://127.0.0.1:{number}" for number in (bot.ports["RASA"], port)]
    ready = time.monotonic()
    while not await _answers(rest(urls[1])):
        assert time.monotonic() - ready < 180, "the second replica did not start"
        await asyncio.sleep(0.5)
    points = []
    for count in (1, 2):
        load = await crowd(rest(*urls[:count]), questions(), 10, seconds=seconds)
        rate = len(load.times) / load.seconds
        print(
            f"  {count} replicas of Rasa   {rate:6.1f} turns/s, p50 {load.median:6.1f} ms, {load.errors} errors",
            flush=True,
        )
        points.append((str(count), (rate,)))
    return Panel("Replicas of Rasa, 10 patients", "turns a second", ("this",), tuple(points))


async def _answers(ask: Ask) -> bool:
    return not (await crowd(ask, ["hello"], 1, messages=1)).errors


def by_topics() -> Panel:
    done = subprocess.run(
        [BOT, "scripts/bench_topics.py", *map(str, TOPICS)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout.splitlines()[-1])
    for topics, row in found.items():
        print(f"  {topics:>6} topics   processor {row['ms']:6.2f} ms a message, {row['MB']:.0f} MB")
    points = tuple((f"{int(topics):,}", (row["ms"],)) for topics, row in found.items())
    return Panel("Topics known", "processor ms to classify a message", ("this",), points)


def by_cases(folder: Path, most: int) -> Panel:
    points = []
    for cases in (count for count in CASES if count <= most):
        database = Database(f"sqlite:///{folder}/cases{cases}.db")
        database.migrate()
        speed = bench_casedesk.fill(database, cases)
        pages = dict(asyncio.run(bench_casedesk.measure(database, 10)))
        database.close()
        clock, work = (statistics.median(each[of] for each in pages["worklist"]) for of in (0, 1))
        found = statistics.median(each[0] for each in pages["search by name"])
        print(f"  {cases:6} cases, written at {speed:.0f} a second   worklist {clock:6.1f} ms "
              f"(processor {work:6.1f}), search by name {found:6.1f} ms", flush=True)  # fmt: skip
        points.append((f"{cases:,}", (clock, found)))
    return Panel("Cases on the desk", "ms", ("worklist", "search by name"), tuple(points))


async def turns(var: Path, messages: int, seconds: float) -> list[Panel]:
    bot = await ours(var)
    stock = None
    try:
        stock = await theirs(var, "stock", *default_bot())
        print("length of a message")
        found = [await by_length(bot, stock, messages)]
        stock.server.stop()
        stock = None
        print("stored conversations")
        found.append(await by_stored(bot, var, messages))
        print("replicas")
        found.append(await by_replicas(bot, var, seconds))
        return found
    finally:
        if stock:
            stock.server.stop()
        bot.server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=60, help="for each figure")
    parser.add_argument("--seconds", type=float, default=15, help="of each measurement of throughput")
    parser.add_argument(
        "--cases", type=int, default=CASES[-1], help="at most, 0 for none; writing 100,000 takes many minutes"
    )
    given = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PLAINSPOKEN_VAR"] = folder
        panels = asyncio.run(turns(Path(folder), given.messages, given.seconds))
        print("topics")
        panels.append(by_topics())
        print("cases")
        panels += [by_cases(Path(folder), given.cases)] if given.cases >= CASES[0] else []
    PICTURE.write_text(svg(panels), encoding="utf-8")
    print(PICTURE.relative_to(ROOT))


if __name__ == "__main__":
    main()
