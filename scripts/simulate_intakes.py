"""Simulated patients who answer, interrupt, ask, correct, skip and walk away; then a count of what reached the desk.

``python scripts/simulate_intakes.py --count 500 --seed 7`` runs the real conversation, the real store and the real
delivery worker against a real case desk process, and checks that every confirmed intake is there exactly once with
every answer right, and no other. It starts and stops all it needs in a folder of its own.

With ``--whole`` it is two copies of the whole assistant on PostgreSQL, Redis and RabbitMQ instead, patients at the chat
page, and Rasa, action server, gateway, worker and desk killed (``kill -9``) at random moments, one after the other.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from actions.database import make_engine, migrate  # noqa: E402
from actions.intake.apply import Effect  # noqa: E402
from actions.intake.ask import question  # noqa: E402
from actions.intake.decision import Message  # noqa: E402
from actions.intake.turn import IntakeTurn  # noqa: E402
from actions.store import Store  # noqa: E402
from runtime.vault import open_vault  # noqa: E402
from scripts.simulated_answers import ANSWERS, CHANGES, SKIPPABLE, UNKNOWABLE, long_answer  # noqa: E402
from tests.scale.cluster import cluster  # noqa: E402
from tests.scale.talker import intakes  # noqa: E402


@dataclass
class Patient:
    """What one patient did, and so what must be at the desk."""

    sender: str
    expected: dict[str, Any] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    reference: str = ""
    version: int = 0
    turns: int = 0


class Walk:
    """One simulated conversation."""

    def __init__(self, data: Store, dice: random.Random, number: int) -> None:
        self.data, self.dice = data, dice
        self.patient = Patient(f"simulated-{number}-{dice.random()}")
        self.turn = IntakeTurn(data, self.patient.sender)

    async def say(self, text: str, intent: str = "", topic: str = "") -> Any:
        self.patient.turns += 1
        topics = ((topic, 0.95),) if topic else ()
        message = Message(text, intent or ("faq" if topic else ""), 0.95 if intent or topic else 0.0, topics)
        return await self.turn.take(message, [])

    async def slot(self) -> str:
        state = await self.turn.state()
        assert state
        payload = question(state)[-1].custom
        assert payload
        return str(payload["slot"])

    async def walk(self) -> Patient:
        """Go through the intake with all the trouble people make. Ends sent, or abandoned without a reference."""
        await self.turn.begin()
        for _ in range(200):
            slot = await self.slot()
            await self._trouble(slot)
            if self.dice.random() < 0.01:
                return self.patient  # closed the window
            if self.dice.random() < 0.02 and slot not in ("consent_chatbot",):
                await self._move()
            slot = await self.slot()
            if slot == "offer":
                await self.say(self.dice.choice(["answer more", "check and send", "check and send"]))
            elif slot == "review":
                if self.dice.random() < 0.4:
                    await self._change()
                    continue
                return await self._send()
            else:
                await self._answer(slot)
        raise AssertionError("the conversation never ended")

    async def _answer(self, slot: str) -> None:
        throw = self.dice.random()
        if throw < 0.08 and (slot in SKIPPABLE or slot not in ANSWERS):
            self._settled(slot, "declined", None)
            await self.say(self.dice.choice(["skip", "skip this one", "next"]))
            return
        if slot in UNKNOWABLE and throw < 0.16:
            self._settled(slot, "unknown", None)
            await self.say(self.dice.choice(["I don't know", "not sure", "no idea"]))
            return
        text, value = self.dice.choice(ANSWERS.get(slot) or [long_answer(slot, self.dice)])
        self._settled(slot, "answered", text if value is None else value)
        await self.say(text)
        await self._confirm()

    async def _confirm(self) -> None:
        state = await self.turn.state()
        if state and state.pending:
            await self.say("yes, that's right")

    def _settled(self, slot: str, status: str, value: Any) -> None:
        self.patient.statuses[slot] = status
        self.patient.expected[slot] = value
        if slot == "about" and value == "self":
            for gone in ("relation", "carer_name"):
                self.patient.statuses.pop(gone, None)
                self.patient.expected.pop(gone, None)

    async def _trouble(self, slot: str) -> None:
        """Questions, small talk, why, help, nonsense, back: none of it may change an answer."""
        throw = self.dice.random()
        if throw < 0.06:
            await self.say("How much does it cost?", topic="cost")
        elif throw < 0.09:
            await self.say("thanks", intent="chitchat")
        elif throw < 0.12:
            await self.say("why do you ask?")
        elif throw < 0.15:
            await self.say("what do you mean?")
        elif throw < 0.18 and slot in ("pain", "phone", "email", "country", "about"):
            await self.say("hmm, purple")
        elif throw < 0.21 and slot not in ("offer", "review"):
            await self.say("back")  # the question before is asked again, and answered anew by the walk
        elif throw < 0.24 and slot not in ("consent_chatbot", "consent_send"):
            await self._change()

    async def _change(self) -> None:
        given = [name for name in CHANGES if self.patient.statuses.get(name) == "answered"]
        if not given:
            return
        name = self.dice.choice(given)
        text, value = self.dice.choice(CHANGES[name])
        self._settled(name, "answered", value)
        await self.say(text)
        await self._confirm()

    async def _move(self) -> None:
        """Stop, and go on in another channel with the resume code."""
        outcome = await self.say("stop")
        if not outcome or outcome.step.effect is not Effect.STOP or not outcome.code:
            return
        self.patient.sender += "-moved"
        self.turn = IntakeTurn(self.data, self.patient.sender)
        assert self.data.redeem(outcome.code, self.patient.sender)

    async def _send(self) -> Patient:
        state = await self.turn.state()
        assert state
        outcome = await self.say("send")
        if outcome.sent is None:  # no way to reach the patient yet
            await self.say("+1 202 555 0143")
            self._settled("phone", "answered", "+12025550143")
            outcome = await self.say("send it")
        assert outcome.sent, outcome
        self.patient.reference, self.patient.version = outcome.sent.reference, outcome.sent.version
        if self.dice.random() < 0.2:  # the reply was lost: the patient says it again
            assert await self.say("send") is None
        if self.dice.random() < 0.15 and await self.turn.reopen(outcome.sent, []):
            await self.say("change my pain to 2")
            self._settled("pain", "answered", 2)
            await self._confirm()
            again = await self.say("send")
            assert again and again.sent and again.sent.reference == self.patient.reference
            self.patient.version = again.sent.version
        return self.patient


def wrong(patient: Patient, case: dict[str, Any]) -> list[str]:
    """The answers of ``patient`` that the desk has differently."""
    found = []
    for name, status in patient.statuses.items():
        if case["answer_status"].get(name) != status:
            found.append(f"{name}: {case['answer_status'].get(name)}, not {status}")
        elif status == "answered" and case["answers"].get(name) != patient.expected[name]:
            found.append(f"{name}: {case['answers'].get(name)!r}, not {patient.expected[name]!r}")
    if case["version"] != patient.version:
        found.append(f"version {case['version']}, not {patient.version}")
    return found


class Desk:
    """A real case desk and delivery workers as processes, which may be killed at any moment."""

    def __init__(self, var: Path, port: int) -> None:
        self.var, self.port = var, port
        self.environment = {
            **os.environ,
            "PLAINSPOKEN_VAR": str(var),
            "PLAINSPOKEN_CASEDESK_PORT": str(port),
            "PYTHONPATH": str(ROOT),
            "PLAINSPOKEN_LOOK_SECONDS": "0.2",
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, module: str) -> None:
        log = (self.var / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(
            [sys.executable, "-m", module], cwd=ROOT, env=self.environment, stdout=log, stderr=log
        )

    def kill(self, name: str) -> None:
        """End a process as a power cut would."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        self.processes.clear()

    def get(self, path: str) -> Any:
        token = (self.var / "casedesk.token").read_text().strip()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", headers={"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(request, timeout=20) as reply:
            return json.load(reply)

    def wait_until_up(self, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2):
                    return
            except OSError:
                time.sleep(0.2)
        raise AssertionError("the case desk did not start")


@dataclass
class Report:
    """What a run found."""

    confirmed: int
    abandoned: int
    turns: int
    lost: list[str]
    not_wanted: list[str]
    wrong: dict[str, list[str]]
    seconds: float

    @property
    def good(self) -> bool:
        return not (self.lost or self.not_wanted or self.wrong)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def run(count: int, seed: int, var: Path, *, kills: int = 0) -> Report:
    """Simulate ``count`` patients; kill worker or desk ``kills`` times at random moments on the way."""
    os.environ["PLAINSPOKEN_VAR"] = str(var)
    var.mkdir(parents=True, exist_ok=True)
    desk = Desk(var, free_port())
    engine = make_engine(f"sqlite:///{var}/intake.db")
    migrate(engine)
    data = Store(engine, open_vault())
    dice = random.Random(seed)
    modules = {"desk": "casedesk", "worker": "actions.delivery"}
    started = time.monotonic()
    try:
        for name, module in modules.items():
            desk.start(name, module)
        desk.wait_until_up()
        moments = Counter(dice.randrange(count) for _ in range(kills))
        patients = []
        for number in range(count):
            patients.append(await Walk(data, dice, number).walk())
            for _ in range(moments[number]):
                victim = dice.choice(list(modules))
                desk.kill(victim)
                desk.start(victim, modules[victim])
        desk.wait_until_up()
        sent = [patient for patient in patients if patient.reference]
        await _delivered(data, 180)
        return _judge(patients, sent, desk, time.monotonic() - started)
    finally:
        desk.stop()
        engine.dispose()


async def _delivered(data: Store, seconds: float) -> None:
    """Wait until the outbox is empty."""
    from actions.outbox import Outbox

    queue = Outbox(data.engine, data.vault, clock=time.time)
    async with asyncio.timeout(seconds):
        while queue.health().pending:  # noqa: ASYNC110  the rows are settled by another process
            await asyncio.sleep(0.3)


def _judge(patients: list[Patient], sent: list[Patient], desk: Desk, seconds: float) -> Report:
    listed = [case["reference"] for case in desk.get("/api/cases?limit=1000")["cases"]]
    there = Counter(listed)
    faults = {}
    for patient in sent:
        if there[patient.reference]:
            found = wrong(patient, desk.get(f"/api/cases/{patient.reference}"))
            if found:
                faults[patient.reference] = found
    known = {patient.reference for patient in sent}
    return Report(
        confirmed=len(sent),
        abandoned=len(patients) - len(sent),
        turns=sum(patient.turns for patient in patients),
        lost=[patient.reference for patient in sent if not there[patient.reference]],
        not_wanted=[reference for reference, number in there.items() if reference not in known or number > 1],
        wrong=faults,
        seconds=seconds,
    )


async def run_whole(count: int, seed: int, var: Path, kills: int) -> int:
    """Returns 0 when every patient's case is at the desk once, as told, and no turn was lost or doubled."""
    random.seed(seed)
    victims = [
        random.choice(("rasa-0", "rasa-1", "actions-0", "gateway-0", "delivery-0", "casedesk-0")) for _ in range(kills)
    ]
    begun = time.monotonic()
    settings = {"PLAINSPOKEN_LIMIT_GIVE_UP_AFTER": "12", "PLAINSPOKEN_LIMIT_BURST": "1000"}
    async with cluster(var, **settings) as running:
        outcome = await intakes(running, count, 8, victims, pause=10)
    turns, troubles = (
        sum(len(each.said) for each in outcome.talkers),
        sum(len(each.troubles) for each in outcome.talkers),
    )
    print(f"{count} intakes, {turns} turns, {troubles} honest failures in {time.monotonic() - begun:.0f} s.")
    print(f"Killed {len(outcome.killed)}: {dict(Counter(outcome.killed))}")
    faults = outcome.faults()
    print(f"{len(faults)} faults", *faults[:20], sep="\n")
    return int(bool(faults))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--kills", type=int, help="processes killed on the way; default: none, with --whole a third of count"
    )
    parser.add_argument("--whole", action="store_true", help="the whole assistant, everything killed in turn")
    arguments = parser.parse_args()
    if arguments.whole:
        kills = arguments.count // 3 if arguments.kills is None else arguments.kills
        with tempfile.TemporaryDirectory() as folder:
            raise SystemExit(asyncio.run(run_whole(arguments.count, arguments.seed, Path(folder), kills)))
    with tempfile.TemporaryDirectory() as folder:
        report = asyncio.run(run(arguments.count, arguments.seed, Path(folder), kills=arguments.kills or 0))
    print(
        f"{report.confirmed} confirmed, {report.abandoned} abandoned, {report.turns} turns in "
        f"{report.seconds:.0f} s; {len(report.lost)} lost, {len(report.not_wanted)} not wanted or twice, {len(report.wrong)} with a wrong answer."
    )
    for reference, faults in list(report.wrong.items())[:10]:
        print(reference, "; ".join(faults))
    raise SystemExit(0 if report.good else 1)


if __name__ == "__main__":
    main()
