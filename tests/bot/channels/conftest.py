"""The server with the connectors and the stand-in of the providers, as processes of their own on free ports."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.bot.channels.clients import CLIENTS, Client
from tests.bot.channels.standin_provider import (
    APP_SECRET,
    KEY,
    PAGE_TOKEN,
    SID,
    SIGNING_SECRET,
    SLACK_TOKEN,
    TOKEN,
)
from tests.conftest import ROOT, free_ports

PUBLIC = "https://chat.example.org"
SECRET = "5e" * 32
PEOPLE = itertools.count(5_550_001)


def variables(provider: str, var: Path) -> dict[str, str]:
    """The environment of a server whose four channels all speak to the stand-in at ``provider``."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "RASA_TELEMETRY_ENABLED": "false",
        "PLAINSPOKEN_VAR": str(var),
        "PLAINSPOKEN_PUBLIC_URL": PUBLIC,
        "PLAINSPOKEN_SECRET_TELEGRAM": SECRET,
        "PLAINSPOKEN_SECRET_MESSENGER": SECRET,
        "PLAINSPOKEN_SECRET_WEB": SECRET,
        "PLAINSPOKEN_TELEGRAM_TOKEN": TOKEN,
        "PLAINSPOKEN_TELEGRAM_API": provider,
        "PLAINSPOKEN_TWILIO_ACCOUNT_SID": SID,
        "PLAINSPOKEN_TWILIO_AUTH_TOKEN": KEY,
        "PLAINSPOKEN_TWILIO_SMS_NUMBER": "+15550100",
        "PLAINSPOKEN_TWILIO_WHATSAPP_NUMBER": "+15550100",
        "PLAINSPOKEN_TWILIO_API": provider,
        "PLAINSPOKEN_MESSENGER_PAGE_TOKEN": PAGE_TOKEN,
        "PLAINSPOKEN_MESSENGER_APP_SECRET": APP_SECRET,
        "PLAINSPOKEN_MESSENGER_API": f"{provider}/v23.0",
        "PLAINSPOKEN_SLACK_TOKEN": SLACK_TOKEN,
        "PLAINSPOKEN_SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "PLAINSPOKEN_SLACK_API": f"{provider}/api",
    }


def wait_for(condition: Callable[[], Any], seconds: float = 15.0) -> Any:
    """Wait until ``condition`` gives something true, and return that."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.03)
    return found


@dataclass
class Server:
    """Both processes. ``crash`` kills the server as a power cut would; ``start`` brings it up again on its data."""

    var: Path
    provider: str
    url: str
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    log: Any = field(default=None)

    def start(self) -> None:
        self.log = (self.var / "server.log").open("ab")
        command = [sys.executable, "-m", "tests.bot.channels.standin_rasa", self.url.rsplit(":", 1)[1]]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=self.log, stderr=self.log, start_new_session=True
        )
        wait_for(lambda: _up(f"{self.url}/told"), 150)

    def crash(self) -> None:
        assert self.process
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.crash()

    def told(self) -> list[list[str]]:
        return requests.get(f"{self.url}/told", timeout=10).json()

    def mood(self, *moods: str, **more: Any) -> None:
        requests.post(f"{self.provider}/mood", json={"moods": moods, **more}, timeout=10)

    def provider_log(self) -> dict[str, Any]:
        return requests.get(f"{self.provider}/log", timeout=10).json()

    def ready(self, **state: Any) -> None:
        requests.post(f"{self.url}/ready", json=state, timeout=10)


class Patient:
    """One person on one channel, and what they hear."""

    def __init__(self, server: Server, client: Client) -> None:
        self.server = server
        self.client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def heard(self) -> list[dict[str, Any]]:
        messages = self.server.provider_log()["messages"]
        return [one for one in messages if one["to"] == self.client.address and one["channel"] == self.client.channel]

    def hears(self, count: int, seconds: float = 15.0) -> list[dict[str, Any]]:
        """Wait for ``count`` messages in all, make sure that no more come, and return them."""
        wait_for(lambda: len(self.heard()) >= count, seconds)
        time.sleep(0.25)
        found = self.heard()
        assert len(found) == count, found
        return found

    def texts(self, count: int, seconds: float = 15.0) -> list[str]:
        return [one["text"] for one in self.hears(count, seconds)]

    def told(self) -> list[str]:
        """What the assistant was told by this person (the only one in their conversation)."""
        senders = {one[0] for one in self.server.told() if one[0] not in self.server_before}
        return [one[1] for one in self.server.told() if one[0] in senders]

    server_before: frozenset[str] = frozenset()


def _up(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).status_code == 200
    except requests.RequestException:
        return False


def start_both(var: Path) -> tuple[Server, subprocess.Popen[bytes]]:
    ports = free_ports(2)
    provider_url, url = (f"http://127.0.0.1:{port}" for port in ports)
    provider = subprocess.Popen(
        [sys.executable, "-m", "tests.bot.channels.standin_provider", str(ports[0])],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
    )
    wait_for(lambda: _up(f"{provider_url}/log"), 30)
    server = Server(var, provider_url, url, variables(provider_url, var))
    server.start()
    return server, provider


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server, provider = start_both(tmp_path_factory.mktemp("channels"))
    yield server
    server.stop()
    provider.terminate()


@pytest.fixture
def server(shared_server: Server) -> Iterator[Server]:
    """The server with a provider in a good mood that has forgotten everything."""
    shared_server.mood(forget=True)
    yield shared_server
    shared_server.mood()
    shared_server.ready(ready=True, loop=None)


@pytest.fixture(params=CLIENTS, ids=lambda kind: kind.channel)
def patient(request: pytest.FixtureRequest, server: Server) -> Patient:
    """A new person, on each channel in turn."""
    return person_on(request.param, server)


def person_on(kind: type[Client], server: Server) -> Patient:
    found = Patient(server, kind(server.url, PUBLIC, next(PEOPLE), SECRET))
    found.server_before = frozenset(one[0] for one in server.told())
    return found
