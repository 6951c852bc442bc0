"""Two of everything on real PostgreSQL, Redis and RabbitMQ, with a balancer before each pair, as a data centre has it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.conftest import ROOT, answers, free_ports

POSTGRES = os.environ.get("PLAINSPOKEN_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
REDIS = os.environ.get("PLAINSPOKEN_TEST_REDIS", "redis://127.0.0.1:6379/9")
RABBITMQ = os.environ.get("PLAINSPOKEN_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672/")
START_UP_SECONDS = 120
HEALTH = {"rasa": "/webhooks/web/ready", "actions": "/ready", "gateway": "/health", "casedesk": "/health"}
MODULES = {"rasa": "bot.server", "actions": "actions", "gateway": "gateway", "casedesk": "casedesk"}


def missing() -> list[str]:
    """Which of the three servers do not answer."""
    found = []
    for name, url, port in (("PostgreSQL", POSTGRES, 5432), ("Redis", REDIS, 6379), ("RabbitMQ", RABBITMQ, 5672)):
        address = urlsplit(url)
        try:
            socket.create_connection((address.hostname or "127.0.0.1", address.port or port), 2).close()
        except OSError:
            found.append(name)
    return found


class Balancer:
    """Hands every connection to the next backend that takes it."""

    def __init__(self, backends: list[int]) -> None:
        self.backends = backends
        self.port = 0
        self._next = 0
        self._open: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._begin, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in self.backends:
            self._next += 1
            try:
                there = await asyncio.open_connection("127.0.0.1", self.backends[self._next % len(self.backends)])
            except OSError:
                continue
            await asyncio.gather(_copy(reader, there[1]), _copy(there[0], writer), return_exceptions=True)
            break
        writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()


@dataclass
class Cluster:
    """The running copies by name (``rasa-0``), their ports, and how to kill one and bring it back."""

    var: Path
    environment: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    balancers: dict[str, Balancer] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Start a copy; ``rasa-0`` is the first of the Rasas."""
        part = name.split("-")[0]
        module = "actions.delivery" if part == "delivery" else MODULES[part]
        python = ROOT / ".venv" / ("bot" if part == "rasa" else "care") / "bin" / "python"
        own = {f"PLAINSPOKEN_{part.upper()}_PORT": str(self.ports[name])}
        with (self.var / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [str(python), "-m", module],
                cwd=ROOT,
                env={**os.environ, **self.environment, **own},
                stdout=log,
                stderr=log,
            )

    def kill(self, name: str) -> None:
        """End a copy as a power cut would."""
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait()

    async def swap(self, name: str, **settings: str) -> None:
        """Replace a copy as an upgrade does: it may end its turns, then the new one (another model, say) comes up."""
        self.processes[name].terminate()
        await asyncio.to_thread(self.processes[name].wait, 30)
        self.environment |= settings
        self.start(name)
        await self.up(name)

    async def up(self, *names: str) -> None:
        deadline = time.monotonic() + START_UP_SECONDS
        for name in names:
            url = f"http://127.0.0.1:{self.ports[name]}{HEALTH[name.split('-')[0]]}"
            while not await asyncio.to_thread(answers, url):
                log = (self.var / f"{name}.log").read_text(errors="replace")[-2000:]
                assert self.processes[name].poll() is None and time.monotonic() < deadline, f"{name}:\n{log}"
                await asyncio.sleep(0.3)

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


@contextlib.asynccontextmanager
async def cluster(var: Path, **settings: str) -> AsyncIterator[Cluster]:
    """Make databases of their own, start everything, and take all of it away at the end."""
    mark = secrets.token_hex(4)
    names = {part: f"scale_{part}_{mark}" for part in ("intake", "casedesk", "gateway", "tracker")}
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        for name in names.values():
            connection.execute(f"CREATE DATABASE {name}")
    root = POSTGRES.rsplit("/", 1)[0]
    made = Cluster(var)
    copies = ["rasa-0", "rasa-1", "actions-0", "actions-1", "gateway-0", "gateway-1", "casedesk-0", "delivery-0"]
    made.ports = dict(zip(copies, free_ports(len(copies)), strict=True))
    for part in ("rasa", "actions", "gateway"):
        made.balancers[part] = Balancer([made.ports[f"{part}-{number}"] for number in range(2)])
        await made.balancers[part].start()
    made.environment = {
        "PLAINSPOKEN_VAR": str(var),
        "PYTHONPATH": str(ROOT),
        "PLAINSPOKEN_MODEL": str(ROOT / "models" / "plainspoken.tar.gz"),
        "PLAINSPOKEN_DATABASE_URL": f"{root}/{names['intake']}",
        "PLAINSPOKEN_CASEDESK_DATABASE_URL": f"{root}/{names['casedesk']}",
        "PLAINSPOKEN_GATEWAY_DATABASE_URL": f"{root}/{names['gateway']}",
        "PLAINSPOKEN_TRACKER_DATABASE_URL": f"{root}/{names['tracker']}",
        "PLAINSPOKEN_REDIS_URL": REDIS,
        "PLAINSPOKEN_RABBITMQ_URL": RABBITMQ,
        "PLAINSPOKEN_RASA_URL": f"http://127.0.0.1:{made.balancers['rasa'].port}",
        "PLAINSPOKEN_ACTIONS_URL": f"http://127.0.0.1:{made.balancers['actions'].port}",
        "PLAINSPOKEN_GATEWAY_URL": f"http://127.0.0.1:{made.balancers['gateway'].port}",
        "PLAINSPOKEN_CASEDESK_URL": f"http://127.0.0.1:{made.ports['casedesk-0']}",
        **settings,
    }
    try:
        for name in copies:
            made.start(name)
        await made.up(*(name for name in copies if name != "delivery-0"))
        yield made
    finally:
        made.stop()
        for balancer in made.balancers.values():
            await balancer.stop()
        with psycopg.connect(POSTGRES, autocommit=True) as connection:
            for name in names.values():
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
