"""Parts that fail under a running conversation."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from tests.conftest import Stack, start_stack, stop_stack
from tests.conversations.harness import Conversation


@pytest.fixture
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An assistant of its own, that a test may break."""
    running = start_stack(tmp_path_factory.mktemp("fragile"))
    yield running
    stop_stack(running)


def process_of(stack: Stack, module: str) -> int:
    """The id of the process of ``stack`` that runs ``module``; found among the children of its runner only."""
    found = subprocess.run(["ps", "-eo", "pid=,pgid=,args="], capture_output=True, text=True, check=True).stdout
    children: dict[int, str] = {}
    for line in found.splitlines():
        pid, _, rest = line.split(None, 2)
        children[int(pid)] = rest
    for pid, arguments in children.items():
        if f"-m {module}" not in arguments or "sh -c" in arguments:
            continue
        environment = open(f"/proc/{pid}/environ", "rb").read()
        if f"PLAINSPOKEN_VAR={stack.var}".encode() in environment:
            return pid
    raise AssertionError(f"{module} is not running")


def test_with_the_action_server_stopped_the_emergency_words_still_come(fragile: Stack) -> None:
    patient = Conversation(fragile.rasa)
    patient.says("How much does it cost?").answers("cost")
    actions = process_of(fragile, "actions")
    os.kill(actions, signal.SIGSTOP)  # hangs rather than refuses: the harder of the two
    try:
        patient.says("I can't feel when I pee").escalates("emergency", "cauda_equina")
    finally:
        os.kill(actions, signal.SIGCONT)


def test_when_a_process_dies_everything_stops_and_says_why(fragile: Stack) -> None:
    os.kill(process_of(fragile, "actions"), signal.SIGKILL)
    assert fragile.runner.wait(30) != 0
    said = (fragile.var / "runner.log").read_text()
    assert "actions" in said


def test_a_taken_port_is_named_with_the_variable_that_changes_it(stack: Stack) -> None:
    again = subprocess.run(
        [os.path.join(".venv", "care", "bin", "python"), "scripts/run.py"],
        env=stack.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert again.returncode != 0
    assert "PLAINSPOKEN_RASA_PORT" in again.stderr
    assert str(stack.rasa).rsplit(":", 1)[1] in again.stderr
