"""The gateway as a real process in front of a stand-in for Rasa, and a patient who talks to it over HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.conftest import free_ports

ROOT = Path(__file__).resolve().parent.parent.parent
WAIT_SECONDS = 60


class Process:
    """One process of ours: started with an environment, waited for, stopped, its log at hand."""

    def __init__(self, module: str, *arguments: str, environment: dict[str, str], log: Path, url: str) -> None:
        self.command = [sys.executable, "-m", module, *arguments]
        self.environment = environment
        self.log = log
        self.url = url
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as file:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env={**os.environ, **self.environment}, stdout=file, stderr=file
            )
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with urllib.request.urlopen(self.url, timeout=1):
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"{self.command} did not start:\n{self.log.read_text()}")

    def stop(self, name: int = signal.SIGTERM) -> None:
        if self.process.poll() is None:
            self.process.send_signal(name)
            self.process.wait(WAIT_SECONDS)


@dataclass
class Door:
    """A running gateway with its stand-in."""

    url: str
    var: Path
    rasa: Process
    gateway: Process
    environment: dict[str, str]
    others: list[Process] = field(default_factory=list)

    @property
    def log(self) -> str:
        return self.gateway.log.read_text()

    @property
    def seen(self) -> list[dict[str, Any]]:
        """The requests the stand-in for Rasa got."""
        with urllib.request.urlopen(self.rasa.url.replace("/webhooks/web/", "/seen"), timeout=5) as answer:
            return list(json.load(answer))

    def secret(self, name: str) -> str:
        return (self.var / "secrets" / name).read_text().strip()

    def replica(self) -> Process:
        """Start a second gateway on the same store."""
        (port,) = free_ports(1)
        other = Process(
            "gateway",
            environment={**self.environment, "PLAINSPOKEN_GATEWAY_PORT": str(port)},
            log=self.var / f"replica{port}.log",
            url=f"http://127.0.0.1:{port}/health",
        )
        self.others.append(other)
        return other

    def stop(self) -> None:
        for process in (*self.others, self.gateway, self.rasa):
            process.stop()


def open_door(var: Path, **settings: str) -> Door:
    """Start the stand-in and a gateway in front of it."""
    gateway_port, rasa_port = free_ports(2)
    var.mkdir(parents=True, exist_ok=True)
    environment = {
        "PLAINSPOKEN_VAR": str(var),
        "PLAINSPOKEN_GATEWAY_PORT": str(gateway_port),
        "PLAINSPOKEN_RASA_PORT": str(rasa_port),
        "PYTHONPATH": str(ROOT),
        **settings,
    }
    rasa = Process(
        "tests.gateway.standin_rasa",
        str(rasa_port),
        environment=environment,
        log=var / "rasa.log",
        url=f"http://127.0.0.1:{rasa_port}/webhooks/web/",
    )
    url = f"http://127.0.0.1:{gateway_port}"
    gateway = Process("gateway", environment=environment, log=var / "gateway.log", url=f"{url}/health")
    return Door(url, var, rasa, gateway, environment)


@pytest.fixture(scope="session")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """The gateway most tests share."""
    opened = open_door(
        tmp_path_factory.mktemp("gateway") / "var",
        PLAINSPOKEN_CHANNELS="telegram,rest",
        PLAINSPOKEN_EMBED_SITES="https://clinic.example",
        PLAINSPOKEN_LIMIT_SLOW_AFTER="1",
        PLAINSPOKEN_LIMIT_GIVE_UP_AFTER="4",
        PLAINSPOKEN_LIMIT_HEADER_SECONDS="2",
        PLAINSPOKEN_LIMIT_BODY_SECONDS="2",
    )
    yield opened
    opened.stop()


class Patient:
    """Talks to the gateway as the page does."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self.http = http
        self.url = url
        self.token = ""
        self.last = 0

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def call(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        headers = {**self.headers, **options.pop("headers", {})}
        async with self.http.request(method, f"{self.url}{path}", headers=headers, **options) as response:
            raw = await response.read()
            return response.status, json.loads(raw) if response.content_type == "application/json" and raw else raw

    async def begin(self) -> Patient:
        status, made = await self.call("POST", "/api/session", json={})
        assert status == 201
        self.token = made["token"]
        return self

    @property
    def session(self) -> str:
        return self.token.split(".")[1]

    async def post(self, path: str, data: Any) -> tuple[int, Any]:
        return await self.call("POST", path, json=data)

    async def try_to_say(self, text: str, **more: Any) -> tuple[int, Any]:
        return await self.post("/api/say", {"id": secrets.token_hex(8), "text": text, **more})

    async def choose(self, payload: str, title: str = "Choice") -> tuple[int, Any]:
        return await self.post("/api/say", {"id": secrets.token_hex(8), "payload": payload, "title": title})

    async def history(self) -> list[dict[str, Any]]:
        status, data = await self.call("GET", "/api/history")
        assert status == 200, data
        return list(data["events"])

    async def answer(self, seconds: float = 15) -> list[dict[str, Any]]:
        """The bot's events of the last turn, once it is complete."""
        async with asyncio.timeout(seconds):
            while True:
                events = await self.history()
                asked = [event for event in events if event["who"] == "user"][-1]
                replies = [event for event in events if event["who"] == "bot" and event.get("turn") == asked["turn"]]
                if replies and replies[-1].get("last"):
                    return replies
                await asyncio.sleep(0.05)

    async def says(self, text: str, **more: Any) -> list[dict[str, Any]]:
        status, data = await self.try_to_say(text, **more)
        assert status == 202, data
        return await self.answer()

    async def stream(self, until: Any, seconds: float = 10, after: int = 0, url: str = "") -> list[dict[str, Any]]:
        """Read the event stream until ``until(event)`` is true of one; control events carry their name as ``event``."""
        found: list[dict[str, Any]] = []
        headers = {**self.headers, "Last-Event-ID": str(after)}
        async with (
            asyncio.timeout(seconds),
            self.http.get(f"{url or self.url}/api/events", headers=headers) as response,
        ):
            assert response.status == 200, await response.text()
            name = ""
            async for raw in response.content:
                line = raw.decode().rstrip("\n")
                if line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: "):
                    found.append({"event": name, **json.loads(line[6:])})
                    name = ""
                    if until(found[-1]):
                        return found
        return found


@dataclass
class Waiting:
    """Patients of one test, with one HTTP client each."""

    url: str
    clients: list[aiohttp.ClientSession] = field(default_factory=list)

    async def patient(self, url: str = "") -> Patient:
        client = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        self.clients.append(client)
        return await Patient(client, url or self.url).begin()


@pytest.fixture
async def room(door: Door) -> AsyncIterator[Waiting]:
    waiting = Waiting(door.url)
    yield waiting
    for client in waiting.clients:
        await client.close()


@pytest.fixture
async def patient(room: Waiting) -> Patient:
    return await room.patient()
