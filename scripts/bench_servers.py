"""What the benchmarks measure: this assistant and Rasa's default bots as processes, and crowds that talk to them."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import shutil
import statistics
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import yaml

from scripts.bench_understanding import flat_project
from tests.conftest import free_ports
from tests.gateway.conftest import ROOT, Patient

BOT, CARE = ROOT / ".venv/bot/bin/python", ROOT / ".venv/care/bin/python"
HOME = ROOT / "var" / "bench"
QUIET = {"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3", "SQLALCHEMY_SILENCE_UBER_WARNING": "1"}
SMALL_TALK = ["hello", "I am very sad", "yes", "great", "are you a bot?", "goodbye", "no", "hey there", "I feel great"]
TURNS_A_CHAT = 8
EPOCHS = 2
"""Of DIET over this project's phrases: a turn costs the same however well it learned, and learning takes very long."""
Ask = Callable[[aiohttp.ClientSession, int], Awaitable[Callable[[str], Awaitable[None]]]]


@dataclass
class Server:
    """Processes of one side: started with an environment, their memory read from the system, stopped by their id."""

    environment: dict[str, str]
    log: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *command: str | Path, folder: Path = ROOT, **more: str) -> None:
        environment = {**os.environ, **QUIET, **self.environment, **more}
        output = (self.log / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(
            [*map(str, command)], cwd=folder, env=environment, stdout=output, stderr=output
        )

    def resident(self, name: str) -> float:
        """Resident memory of a process in MB."""
        status = Path(f"/proc/{self.processes[name].pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def worked(self) -> dict[str, float]:
        """Processor milliseconds of each process so far."""
        found = {}
        for name, process in self.processes.items():
            fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            found[name] = 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return found

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(30)


def rest(*urls: str, may_be_silent: bool = False, acts: bool = False) -> Ask:
    """Turns over Rasa's REST channel, a new conversation every few turns; each patient stays with one of ``urls``.

    Where a bot ``may_be_silent``, a turn that it has no words for is a turn all the same. With ``acts`` only what an
    action said counts: with the action server still starting Rasa says by itself that something is wrong.
    """

    async def chat(http: aiohttp.ClientSession, number: int) -> Callable[[str], Awaitable[None]]:
        turns, sender = 0, ""

        async def say(text: str) -> None:
            nonlocal turns, sender
            if not turns % TURNS_A_CHAT:
                sender = f"bench-{number}-{secrets.token_hex(12)}"
            turns += 1
            body = {"sender": sender, "message": text}
            async with http.post(f"{urls[number % len(urls)]}/webhooks/rest/webhook", json=body) as reply:
                said = await reply.json() if reply.status == 200 else None
                assert said is not None and (said or may_be_silent), "no answer"
                assert not acts or any("custom" in one for one in said), "no action"

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
                listening.add_done_callback(
                    lambda ended: ended.cancelled() or ended.exception()
                )  # when the crowd goes home
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

    @property
    def median(self) -> float:
        return statistics.median(self.times)

    def row(self) -> str:
        spread = statistics.quantiles(self.times, n=100)
        return (
            f"{spread[49]:7.1f} {spread[94]:7.1f} {spread[98]:7.1f} {len(self.times) / self.seconds:8.1f} "
            f"{len(self.times):7} {self.errors:6}"
        )


async def crowd(
    ask: Ask, texts: list[str], users: int, *, seconds: float = 1e9, messages: int = 10**9, pause: float = 0.0
) -> Load:
    """``users`` patients who each write again when they are answered, until time or messages are used up.

    They read and type for about ``pause`` seconds (half of it to one and a half) before each message.
    """
    times: list[float] = []
    errors, begun, left = 0, time.monotonic(), messages

    async def live(http: aiohttp.ClientSession, number: int) -> None:
        nonlocal errors, left
        say, at = await ask(http, number), number * 7
        while time.monotonic() - begun < seconds and left > 0:
            left -= 1
            at += 1
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))
            asked = time.perf_counter()
            try:
                await say(texts[at % len(texts)])
                times.append((time.perf_counter() - asked) * 1000)
            except (AssertionError, aiohttp.ClientError, TimeoutError):
                errors += 1

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        await asyncio.gather(*(live(http, number) for number in range(users)))
    return Load(times, time.monotonic() - begun, errors)


async def first_answer(server: Server, ask: Ask, text: str, begun: float) -> float:
    """Seconds from ``begun`` until a turn is answered. When that never happens the server is stopped."""
    while time.monotonic() - begun < 180:
        try:
            async with aiohttp.ClientSession() as http:
                await (await ask(http, 0))(text)
            return time.monotonic() - begun
        except (AssertionError, aiohttp.ClientError, OSError, TimeoutError, ValueError):
            await asyncio.sleep(0.2)
    server.stop()
    raise SystemExit("a server did not start")


def questions() -> list[str]:
    return [
        text
        for texts in yaml.safe_load((ROOT / "tests/understanding/heldout/questions.yml").read_text()).values()
        for text in texts
    ]


@dataclass
class Ours:
    """This assistant: its processes, its page, Rasa's REST channel, and the seconds until the first answer."""

    server: Server
    page: Ask
    rest: Ask
    started: float
    ports: dict[str, int]


async def ours(var: Path) -> Ours:
    """Start this assistant with its stores in ``var``."""
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
    started = await first_answer(server, rest(f"http://127.0.0.1:{ports['RASA']}", acts=True), questions()[0], begun)
    return Ours(server, page(f"http://127.0.0.1:{ports['GATEWAY']}"), talk, started, ports)


@dataclass
class Theirs:
    """One of Rasa's own bots: its process, its REST channel, the seconds to the first answer, those of its training."""

    server: Server
    rest: Ask
    started: float
    trained: float


async def theirs(var: Path, name: str, folder: Path, trained: float) -> Theirs:
    """Serve the bot in ``folder`` as ``rasa run`` does."""
    (port,) = free_ports(1)
    server, begun = Server({}, var), time.monotonic()
    server.start(name, BOT, "-m", "rasa", "run", "-p", str(port), "-i", "127.0.0.1", folder=folder)
    talk = rest(
        f"http://127.0.0.1:{port}", may_be_silent=True
    )  # what it did not expect leaves rasa init's bot without words
    return Theirs(server, talk, await first_answer(server, talk, "hello", begun), trained)


def default_bot() -> tuple[Path, float]:
    """Return the folder of the bot that ``rasa init`` makes, and the seconds its making took, when it was made."""
    folder = HOME / "default"

    def make() -> None:
        _rasa(HOME, "init", "--no-prompt", "--init-dir", str(folder))

    return folder, _made_once(folder, make)


def same_data(actions: int) -> tuple[Path, float]:
    """Return the folder of a bot with this project's phrases on Rasa's default pipeline, and its training's seconds.

    Each of its intents is answered by this project's action at port ``actions``.
    """
    folder = HOME / "same_data"

    def make() -> None:
        flat_project(folder, EPOCHS)
        domain = yaml.safe_load((folder / "domain.yml").read_text())
        rules = [
            {"rule": intent, "steps": [{"intent": intent}, {"action": "action_answer"}]}
            for intent in (*domain["intents"], "nlu_fallback")
        ]
        slots = {name: {"type": "any", "mappings": [{"type": "custom"}]} for name in ("last_topic", "last_fallback")}
        domain |= {"actions": ["action_answer"], "slots": slots}
        (folder / "domain.yml").write_text(yaml.safe_dump(domain))
        (folder / "data" / "rules.yml").write_text(yaml.safe_dump({"version": "3.1", "rules": rules}))
        (folder / "credentials.yml").write_text("rest:\n")
        _rasa(folder, "train", "--quiet")

    trained = _made_once(folder, make)
    (folder / "endpoints.yml").write_text(f"action_endpoint:\n  url: http://127.0.0.1:{actions}/webhook\n")
    return folder, trained


def _made_once(folder: Path, make: Callable[[], None]) -> float:
    """Have a bot made where there is none yet. Returns the seconds it took, also when that was in an earlier run."""
    kept = folder / "seconds"
    if not kept.exists():
        shutil.rmtree(folder, ignore_errors=True)  # half made
        folder.mkdir(parents=True)
        begun = time.monotonic()
        make()
        kept.write_text(str(time.monotonic() - begun))
    return float(kept.read_text())


def _rasa(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        [BOT, "-m", "rasa", *arguments], cwd=folder, env={**os.environ, **QUIET}, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
