"""Parts that fail under a running conversation."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import Stack, start_stack, stop_stack
from tests.conversations.harness import Conversation
from tests.conversations.test_intake import at_the_desk, reference_in, up_to
from tests.conversations.test_red_flags import warnings_at_the_desk


@pytest.fixture
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An assistant of its own, that a test may break."""
    running = start_stack(tmp_path_factory.mktemp("fragile"))
    yield running
    stop_stack(running)


def processes_of(stack: Stack) -> dict[int, str]:
    """Every process of ``stack`` with its command, found by its data folder."""
    found = subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout
    running = {int(pid): arguments for pid, arguments in (line.split(None, 1) for line in found.splitlines())}
    return {pid: arguments for pid, arguments in running.items() if belongs_to(stack, pid)}


def belongs_to(stack: Stack, pid: int) -> bool:
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:  # it has ended meanwhile
        return False
    return f"PLAINSPOKEN_VAR={stack.var}\0".encode() in environment


def process_of(stack: Stack, module: str) -> int:
    """The id of the process of ``stack`` that runs ``module``."""
    for pid, arguments in processes_of(stack).items():
        if f"-m {module}" in arguments and "sh -c" not in arguments:
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


def test_a_red_flag_gets_its_words_whatever_stands_still(fragile: Stack) -> None:
    """After the hand-off, with the store locked by somebody else, with the desk hanging: and the desk hears of it after."""
    patient = Conversation(fragile.rasa)
    up_to(patient, "offer").says("check and send").asks("review")
    at_the_desk(fragile, reference_in(patient.says("send it")))
    patient.says("I can't feel when I pee").escalates("emergency", "cauda_equina").replies_with("Call 911")

    locked = Conversation(fragile.rasa)
    locked.says("How much does it cost?").answers("cost")
    with closing(sqlite3.connect(fragile.var / "intake.db", isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        locked.says("my dad's face is drooping on one side").escalates("emergency", "heart_stroke_artery")
        holder.execute("ROLLBACK")

    desk = process_of(fragile, "casedesk")
    os.kill(desk, signal.SIGSTOP)
    try:
        unheard = Conversation(fragile.rasa)
        unheard.says("I have been sick all night since the quince pie and I want to die").escalates("crisis", "crisis")
    finally:
        os.kill(desk, signal.SIGCONT)
    warnings_at_the_desk(fragile, "quince pie", 30.0)


def test_a_sign_outlives_a_crash_of_everything_before_it_was_recorded(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    stack = start_stack(tmp_path_factory.mktemp("crash"))
    os.kill(process_of(stack, "actions"), signal.SIGSTOP)
    Conversation(stack.rasa).says("since the quince pie I can't feel when I pee").escalates("emergency")
    for pid in processes_of(stack):
        os.kill(pid, signal.SIGKILL)
    stack.runner.wait(30)
    again = start_stack(stack.var)
    try:
        warnings_at_the_desk(again, "quince pie", 30.0)
    finally:
        stop_stack(again)


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
