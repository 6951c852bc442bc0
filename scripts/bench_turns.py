"""This assistant and Rasa's default bots, side by side on one machine: ``python -m scripts.bench_turns``.

All serve the whole time and are asked in turn, so that what else the machine does hits all of them. Beside this assistant
stand the bot that ``rasa init`` makes (a message to its REST channel; it has no actions to call), and this project's
phrases on Rasa's default pipeline, each intent answered by this project's action. A turn of this assistant is a message
from a patient's page: gateway, understanding, red flags, an action over HTTP, stores, and back over the event stream;
and, to compare like with like, the same message to Rasa's REST channel. ``--soak 10000`` sends that many messages
through the gateway instead and watches errors and memory. The other two are made once, in ``var/bench`` (some minutes).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import tempfile
import time
from pathlib import Path

from scripts.bench_servers import EPOCHS, SMALL_TALK, Load, crowd, default_bot, ours, questions, same_data, theirs

PATIENTS, PAUSE = 10, 2.0
"""People, who read an answer before they write again; the other rows have users who never pause."""
SETTLED = 60.0
"""Seconds until everything that is done now and then has been done once, so that what grows after that is growth."""


async def side_by_side(var: Path, seconds: float, crowds: list[int]) -> None:
    bot = await ours(var)
    others = []
    try:
        stock = await theirs(var, "stock", *default_bot())
        others.append(stock)
        same = await theirs(var, "same", *same_data(bot.ports["ACTIONS"]))
        others.append(same)
        asked = questions()
        sides = {
            "rasa init, REST": (stock.server, stock.rest, SMALL_TALK),
            "default pipeline, REST": (same.server, same.rest, asked),
            "this, REST + action": (bot.server, bot.rest, asked),
            "this, whole turn": (bot.server, bot.page, asked),
        }
        print(f"{'':22} users     p50     p95     p99  turns/s   turns errors   processor ms a turn")
        medians: dict[tuple[str, int], Load] = {}
        for users in crowds:
            for name, (server, ask, texts) in sides.items():
                await crowd(ask, texts, users, seconds=min(2.0, seconds))  # warm
                before = bot.server.worked() | server.worked()
                load = medians[name, users] = await crowd(ask, texts, users, seconds=seconds)
                after = bot.server.worked() | server.worked()
                # The default pipeline's bot has its actions done by ours.
                counted = {process: after[process] - before[process] for process in (*server.processes, "actions")}
                work = {process: spent / max(1, len(load.times)) for process, spent in counted.items()}
                parts = ", ".join(f"{process} {spent:.1f}" for process, spent in work.items() if spent >= 0.5)
                print(f"{name:22} {users:5} {load.row()}   {sum(work.values()):6.1f} ({parts})", flush=True)
        print("\nbeside the default bot: p50, turns a second")
        for users in crowds:
            default = medians["rasa init, REST", users]
            for name in ("this, REST + action", "this, whole turn"):
                load = medians[name, users]
                rate = (len(load.times) / load.seconds) / (len(default.times) / default.seconds)
                print(f"  {name:22} {users:3} users   {load.median / default.median:.2f}x   {rate:.2f}x")
        print(f"\n{PATIENTS} users who read and type for about {PAUSE:.0f} s between messages")
        for name, (_, ask, texts) in sides.items():
            load = await crowd(ask, texts, PATIENTS, seconds=max(seconds, 10 * PAUSE), pause=PAUSE)
            print(f"{name:22} {PATIENTS:5} {load.row()}", flush=True)
        stock_mb, same_mb = stock.server.resident("stock"), same.server.resident("same")
        ours_mb = bot.server.resident("rasa")
        print(
            f"\nRasa resident: rasa init {stock_mb:.0f} MB, default pipeline {same_mb:.0f} MB, this {ours_mb:.0f} MB "
            f"({ours_mb / stock_mb:.2f}x)"
        )
        rest_of_it = {name: round(bot.server.resident(name)) for name in bot.server.processes if name != "rasa"}
        print(f"the other processes, MB: {json.dumps(rest_of_it)}")
        print(
            f"start to first answer: rasa init {stock.started:.1f} s, default pipeline {same.started:.1f} s, "
            f"this {bot.started:.1f} s (all five processes at once)"
        )
        print(
            f"training: rasa init {stock.trained:.0f} s (its making included), "
            f"default pipeline with {EPOCHS} of 100 epochs {same.trained:.0f} s"
        )
    finally:
        for other in others:
            other.server.stop()
        bot.server.stop()


async def soak(var: Path, messages: int, users: int) -> int:
    """Returns 1 when a message failed or a process grew by more than 2% after the first fifth and a minute."""
    bot = await ours(var)
    try:
        texts = questions()
        begun = time.monotonic()
        first = await crowd(bot.page, texts, users, messages=messages // 5)
        await asyncio.sleep(max(0.0, SETTLED - (time.monotonic() - begun)))
        before = {name: bot.server.resident(name) for name in bot.server.processes}
        rest_of_it = await crowd(bot.page, texts, users, messages=messages - messages // 5)
        after = {name: bot.server.resident(name) for name in bot.server.processes}
    finally:
        bot.server.stop()
    errors = first.errors + rest_of_it.errors
    print(f"{messages} messages by {users} users in {first.seconds + rest_of_it.seconds:.0f} s, {errors} errors")
    for name, was in before.items():
        print(f"{name:18} {was:6.0f} MB -> {after[name]:6.0f} MB ({100 * (after[name] / was - 1):+.1f}%)")
    return int(errors > 0 or any(after[name] > 1.02 * was for name, was in before.items()))


def machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement")
    parser.add_argument("--users", type=int, nargs="+", default=[1, 4, 10, 16])
    parser.add_argument("--soak", type=int, metavar="MESSAGES")
    given = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        if given.soak:
            return asyncio.run(soak(Path(folder), given.soak, 10))
        asyncio.run(side_by_side(Path(folder), given.seconds, given.users))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
