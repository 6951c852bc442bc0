"""What the tests of the care side share: free ports, and one running assistant for all tests that talk to it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
START_UP_SECONDS = 180


def free_ports(count: int) -> list[int]:
    """``count`` ports of this machine that nothing listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@dataclass(frozen=True)
class Stack:
    """The whole assistant, running: its addresses, its data folder and the process that keeps it together."""

    gateway: str
    rasa: str
    actions: str
    casedesk: str
    var: Path
    runner: subprocess.Popen[bytes]
    environment: dict[str, str]

    @property
    def token(self) -> str:
        return (self.var / "casedesk.token").read_text().strip()

    def log(self, name: str) -> str:
        path = self.var / "log" / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


def start_stack(var: Path, **extra: str) -> Stack:
    """Start every process as ``make run`` does, on free ports with data under ``var``, and wait until all answer."""
    names = ("GATEWAY", "RASA", "ACTIONS", "CASEDESK")
    ports = dict(zip(names, free_ports(4), strict=True))
    environment = {**os.environ, "PLAINSPOKEN_VAR": str(var), "PYTHONPATH": str(ROOT), **extra}
    environment.update({f"PLAINSPOKEN_{name}_PORT": str(port) for name, port in ports.items()})
    var.mkdir(parents=True, exist_ok=True)
    output = (var / "runner.log").open("wb")
    runner = subprocess.Popen(
        [sys.executable, str(ROOT / "scripts" / "run.py")],
        cwd=ROOT,
        env=environment,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    urls = {name.lower(): f"http://127.0.0.1:{port}" for name, port in ports.items()}
    stack = Stack(**urls, var=var, runner=runner, environment=environment)
    wanted = [f"{stack.gateway}/health", f"{stack.casedesk}/health", f"{stack.actions}/health"]
    wanted.append(f"{stack.rasa}/webhooks/web/")
    deadline = time.monotonic() + START_UP_SECONDS
    while not all(map(answers, wanted)):
        if runner.poll() is not None or time.monotonic() > deadline:
            stop_stack(stack)
            raise RuntimeError("The assistant did not start:\n" + (var / "runner.log").read_text(errors="replace"))
        time.sleep(0.3)
    return stack


def stop_stack(stack: Stack) -> None:
    """Stop it as Ctrl-C does; whatever of its process group is left after that is killed."""
    if stack.runner.poll() is None:
        stack.runner.send_signal(signal.SIGINT)
        try:
            stack.runner.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(stack.runner.pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One running assistant for the whole test run."""
    running = start_stack(tmp_path_factory.mktemp("stack"))
    yield running
    stop_stack(running)
