"""This assistant and the bot that ``rasa init`` makes, side by side on one machine: ``python -m scripts.bench_turns``.

Both serve the whole time and are asked in turn, so that what else the machine does hits both. A turn of the default bot is
a message to its REST channel (it has no actions to call). A turn of this assistant is a message from a patient's page:
gateway, understanding, red flags, an action over HTTP, stores, and back over the event stream; and, to compare like with
like, the same message to Rasa's REST channel, action included. ``--soak 10000`` sends that many messages through the
gateway instead and watches errors and memory. The default bot is made once, in ``var/bench`` (some minutes).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import secrets
import statistics
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import yaml

from tests.conftest import free_ports
from tests.gateway.conftest import ROOT, Patient

BOT, CARE = ROOT / ".venv/bot/bin/python", ROOT / ".venv/care/bin/python"
HOME = ROOT / "var" / "bench"
QUIET = {"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3", "SQLALCHEMY_SILENCE_UBER_WARNING": "1"}
SMALL_TALK = ["hello", "I am very sad", "yes", "great", "are you a bot?", "goodbye", "no", "hey there", "I feel great"]
TURNS_A_CHAT = 8
Ask = Callable[[aiohttp.ClientSession, int], Awaitable[Callable[[str], Awaitable[None]]]]


@dataclass
class Server:
    """Processes of one side: started with an environment, their memory read from the system, stopped by their id."""

    environment: dict[str, str]
    log: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *command: str | Path, folder: Path = ROOT) -> None:
        environment = {**os.environ, **QUIET, **self.environment}
        output = (self.log / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(
            [*map(str, command)], cwd=folder, env=environment, stdout=output, stderr=output
        )

    def resident(self, name: str) -> float:
        """Resident memory of a process in MB."""
        status = Path(f"/proc/{self.processes[name].pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def worked(self) -> float:
        """Processor seconds of all processes so far."""
        ticks = 0
        for process in self.processes.values():
            fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(30)


def rest(url: str) -> Ask:
    """Turns over Rasa's REST channel at ``url``, a new conversation every few turns."""

    async def chat(http: aiohttp.ClientSession, number: int) -> Callable[[str], Awaitable[None]]:
        turns, sender = 0, ""

        async def say(text: str) -> None:
            nonlocal turns, sender
            if not turns % TURNS_A_CHAT:
                sender = f"bench-{number}-{secrets.token_hex(12)}"
            turns += 1
            body = {"sender": sender, "message": text}
            async with http.post(f"{url}/webhooks/rest/webhook", json=body) as reply:
                assert reply.status == 200 and await reply.json(), "no answer"

        return say

    return chat


def page(url: str) -> Ask:
    """Turns as the chat page takes them: a message posted, its last reply awaited on the open event stream."""

    async def chat(http: aiohttp.ClientSession, number: int) -> Callable[[str], Awaitable[None]]:
        turns, listening, done = 0, None, asyncio.Event()
        patient = Patient(http, url)

        def heard(event: dict[str, object]) -> bool:
            if event.get("last"):
                done.set()
            return False

        async def say(text: str) -> None:
            nonlocal turns, listening
            if not turns % TURNS_A_CHAT:
                if listening:
                    listening.cancel()
                await patient.begin()
                listening = asyncio.create_task(patient.stream(heard, 3600))
            turns += 1
            done.clear()
            status, _ = await patient.try_to_say(text)
            assert status == 202, status
            await asyncio.wait_for(done.wait(), 30)

        return say

    return chat


@dataclass
class Load:
    """What a crowd met: times in milliseconds, messages a second, what went wrong."""

    times: list[float]
    seconds: float
    errors: int

    def row(self) -> str:
        spread = statistics.quantiles(self.times, n=100)
        return (
            f"{spread[49]:7.1f} {spread[94]:7.1f} {spread[98]:7.1f} {len(self.times) / self.seconds:8.1f} "
            f"{len(self.times):7} {self.errors:6}"
        )


async def crowd(ask: Ask, texts: list[str], users: int, *, seconds: float = 1e9, messages: int = 10**9) -> Load:
    """``users`` patients who each write again as soon as they are answered, until time or messages are used up."""
    times: list[float] = []
    errors, begun, left = 0, time.monotonic(), messages

    async def live(http: aiohttp.ClientSession, number: int) -> None:
        nonlocal errors, left
        say, at = await ask(http, number), number * 7
        while time.monotonic() - begun < seconds and left > 0:
            left -= 1
            at += 1
            asked = time.perf_counter()
            try:
                await say(texts[at % len(texts)])
                times.append((time.perf_counter() - asked) * 1000)
            except (AssertionError, aiohttp.ClientError, TimeoutError):
                errors += 1

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        await asyncio.gather(*(live(http, number) for number in range(users)))
    return Load(times, time.monotonic() - begun, errors)


async def first_answer(ask: Ask, text: str, begun: float) -> float:
    """Seconds from ``begun`` until a turn is answered."""
    while time.monotonic() - begun < 180:
        try:
            async with aiohttp.ClientSession() as http:
                await (await ask(http, 0))(text)
            return time.monotonic() - begun
        except (AssertionError, aiohttp.ClientError, OSError, TimeoutError, ValueError):
            await asyncio.sleep(0.2)
    raise SystemExit("a server did not start")


def default_bot() -> tuple[Path, float]:
    """Return the folder of the bot that ``rasa init`` makes, and the seconds its training took (0: made before)."""
    folder, begun = HOME / "default", time.monotonic()
    if list(folder.glob("models/*.tar.gz")):
        return folder, 0.0
    folder.mkdir(parents=True, exist_ok=True)
    command = [BOT, "-m", "rasa", "init", "--no-prompt", "--init-dir", folder]
    subprocess.run(command, env={**os.environ, **QUIET}, check=True, capture_output=True)
    return folder, time.monotonic() - begun


def questions() -> list[str]:
    return [
        text
        for texts in yaml.safe_load((ROOT / "tests/understanding/heldout/questions.yml").read_text()).values()
        for text in texts
    ]


async def ours(var: Path) -> tuple[Server, Ask, Ask, float]:
    """Start this assistant. Returns it, its page, Rasa's REST channel, and the seconds until the first answer."""
    names = ("RASA", "ACTIONS", "GATEWAY", "CASEDESK", "DELIVERY")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    limits = ("BURST", "ADDRESS_REQUESTS_A_MINUTE", "ADDRESS_SESSIONS_A_MINUTE")
    environment = {f"PLAINSPOKEN_LIMIT_{name}": "1000000" for name in limits}
    environment |= {f"PLAINSPOKEN_{name}_PORT": str(port) for name, port in ports.items()}
    environment |= {"PLAINSPOKEN_VAR": str(var), "PYTHONPATH": str(ROOT)}
    environment["PLAINSPOKEN_MODEL"] = str(ROOT / "models" / "plainspoken.tar.gz")
    server, begun = Server(environment, var), time.monotonic()
    server.start("rasa", BOT, "-m", "bot.server")
    for module in ("actions", "gateway", "casedesk", "actions.delivery"):
        server.start(module, CARE, "-m", module)
    talk = rest(f"http://127.0.0.1:{ports['RASA']}")
    started = await first_answer(talk, questions()[0], begun)
    return server, page(f"http://127.0.0.1:{ports['GATEWAY']}"), talk, started


async def theirs(var: Path) -> tuple[Server, Ask, float, float]:
    """Start the default bot. Returns it, its REST channel, the seconds until the first answer, and of its training."""
    folder, trained = default_bot()
    (port,) = free_ports(1)
    server, begun = Server({}, var), time.monotonic()
    server.start("rasa", BOT, "-m", "rasa", "run", "-p", str(port), "-i", "127.0.0.1", folder=folder)
    talk = rest(f"http://127.0.0.1:{port}")
    return server, talk, await first_answer(talk, "hello", begun), trained


async def side_by_side(var: Path, seconds: float, crowds: list[int]) -> None:
    default, default_talk, default_start, default_training = await theirs(var)
    bot, gateway, talk, start = await ours(var)
    try:
        sides = {
            "default bot, REST": (default, default_talk, SMALL_TALK),
            "this, Rasa + action": (bot, talk, questions()),
            "this, whole turn": (bot, gateway, questions()),
        }
        print(f"{'':22} users     p50     p95     p99  turns/s   turns errors   processor ms a turn")
        for users in crowds:
            for name, (server, ask, texts) in sides.items():
                await crowd(ask, texts, users, seconds=min(3.0, seconds))  # warm
                before = server.worked()
                load = await crowd(ask, texts, users, seconds=seconds)
                work = 1000 * (server.worked() - before) / max(1, len(load.times))
                print(f"{name:22} {users:5} {load.row()}   {work:8.1f}", flush=True)
        theirs_mb, ours_mb = default.resident("rasa"), bot.resident("rasa")
        print(f"Rasa resident: default {theirs_mb:.0f} MB, this {ours_mb:.0f} MB ({ours_mb / theirs_mb:.2f}x)")
        print(f"start to first answer: default {default_start:.1f} s, this {start:.1f} s (all five processes at once)")
        others = {name: round(bot.resident(name)) for name in bot.processes if name != "rasa"}
        print(f"the other processes, MB: {json.dumps(others)}")
        if default_training:
            print(f"rasa init with its training: {default_training:.0f} s")
    finally:
        bot.stop()
        default.stop()


async def soak(var: Path, messages: int, users: int) -> int:
    """Returns 1 when a message failed or a process grew by more than 2% after the first fifth."""
    bot, gateway, _, _ = await ours(var)
    try:
        texts = questions()
        first = await crowd(gateway, texts, users, messages=messages // 5)
        before = {name: bot.resident(name) for name in bot.processes}
        rest_of_it = await crowd(gateway, texts, users, messages=messages - messages // 5)
        after = {name: bot.resident(name) for name in bot.processes}
    finally:
        bot.stop()
    errors = first.errors + rest_of_it.errors
    print(f"{messages} messages by {users} users in {first.seconds + rest_of_it.seconds:.0f} s, {errors} errors")
    for name, was in before.items():
        print(f"{name:18} {was:6.0f} MB -> {after[name]:6.0f} MB ({100 * (after[name] / was - 1):+.1f}%)")
    return int(errors > 0 or any(after[name] > 1.02 * was for name, was in before.items()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=15, help="of each measurement")
    parser.add_argument("--users", type=int, nargs="+", default=[1, 4, 10, 16])
    parser.add_argument("--soak", type=int, metavar="MESSAGES")
    given = parser.parse_args()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}"
    )
    with tempfile.TemporaryDirectory() as folder:
        if given.soak:
            return asyncio.run(soak(Path(folder), given.soak, 10))
        asyncio.run(side_by_side(Path(folder), given.seconds, given.users))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
