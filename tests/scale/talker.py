"""Patients who go through an intake while copies of everything are killed under them, and what must be true after."""

from __future__ import annotations

import asyncio
import random
import re
import secrets
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.gateway.conftest import Patient
from tests.intake.talk import SHORT_PATH
from tests.scale.cluster import HEALTH, Cluster

TURN_SECONDS = 60
ANSWERS = dict(SHORT_PATH)
CAUSES = ("How much does it cost?", "what is stenosis?", "thank you")


@dataclass
class Talker:
    """A patient with a page that reconnects, who says again what was honestly said not to be answered."""

    patient: Patient
    said: list[str] = field(default_factory=list)
    trail: list[tuple[str, str, str]] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    seen: int = 0
    reference: str = ""

    async def try_to(self, path: str, data: dict[str, Any]) -> int:
        """Post until a gateway takes it, with the same id, as the page does when a connection breaks."""
        async with asyncio.timeout(TURN_SECONDS):
            while True:
                try:
                    status, _ = await self.patient.post(path, data)
                    if status < 500:
                        return status
                except (aiohttp.ClientError, OSError):
                    pass
                await asyncio.sleep(0.3)

    async def says(self, text: str) -> dict[str, Any]:
        """One turn: returns its custom payload, with the whole text under ``text``."""
        turn = secrets.token_hex(8)
        self.said.append(turn)
        status = await self.try_to("/api/say", {"id": turn, "text": text})
        assert status in (200, 202), status
        replies = await self.replies_to(turn)
        custom: dict[str, Any] = next((reply["custom"] for reply in reversed(replies) if reply.get("custom")), {})
        self.trail.append((text, str(custom.get("kind")), str(custom.get("slot"))))
        if custom.get("kind") == "problem":
            self.troubles.append(str(custom.get("code")))
        return {**custom, "text": "\n".join(reply.get("text", "") for reply in replies)}

    async def replies_to(self, turn: str) -> list[dict[str, Any]]:
        """The bot's lines of ``turn`` once it has ended, from the page's event stream, opened again when it breaks."""

        def ends(event: dict[str, Any]) -> bool:
            return bool(event.get("turn") == turn and event["who"] == "bot" and event.get("last"))

        deadline = time.monotonic() + TURN_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            try:
                events = await self.patient.stream(ends, left, self.seen)
            except (aiohttp.ClientError, OSError):  # a gateway that died; TimeoutError is an OSError
                events = []
            if events and ends(events[-1]):
                self.seen = events[-1]["id"]
                return [event for event in events if event.get("turn") == turn and event["who"] == "bot"]
            await asyncio.sleep(0.3)
        raise AssertionError(f"no end of the turn {self.said[-1]!r} after {self.trail[-3:]}")

    async def begin(self) -> None:
        """Open the page, on whichever gateway lives."""
        while True:
            try:
                await self.patient.begin()
                return
            except (aiohttp.ClientError, OSError):
                await asyncio.sleep(0.3)

    async def events(self) -> list[dict[str, Any]]:
        while True:
            try:
                return await self.patient.history()
            except (aiohttp.ClientError, OSError):
                await asyncio.sleep(0.3)

    async def intake(self) -> None:
        """From the first question to a reference number, with questions in between."""
        found = await self.says("I want to send my case to the clinic")
        for turn in range(60):
            if turn % 5 == 4:
                found = await self.says(CAUSES[turn // 5 % len(CAUSES)])
            if found.get("kind") == "case" or re.search(r"PS-\w{4}-\w{4}", found["text"]):
                match = re.search(r"PS-\w{4}-\w{4}", found["text"])
                assert match, found
                self.reference = match.group()
                return
            if found.get("kind") != "intake":  # the turn failed, or it was small talk: which question is on the table?
                found = await self.says("what do you mean?")
                if found.get("kind") != "intake":  # none: a form whose action fails ends, its answers stay
                    found = await self.says("I want to send my case to the clinic")
                continue
            slot = found["slot"]
            found = await self.says({"offer": "check and send", "review": "send it"}.get(slot) or ANSWERS[slot])
        raise AssertionError(f"the intake never ended: {self.trail[-12:]}")


@dataclass
class Outcome:
    """What a run left: the patients, their conversations, the desk's cases, and what was killed."""

    talkers: list[Talker]
    histories: list[list[dict[str, Any]]]
    cases: list[dict[str, Any]]
    killed: list[str]

    def faults(self) -> list[str]:
        """Every turn that was lost or doubled, every case that is missing, twice or not as it was told."""
        found = []
        for talker, events in zip(self.talkers, self.histories, strict=True):
            for turn in talker.said:
                asked = [event for event in events if event["who"] == "user" and event["turn"] == turn]
                bot = [event for event in events if event["who"] == "bot" and event.get("turn") == turn]
                ended = [event for event in bot if event.get("last")]
                if (len(asked), len(ended)) != (1, 1):
                    found.append(
                        f"{talker.reference}: a turn was asked {len(asked)} times and answered {len(ended)} times"
                    )
        wanted = sorted(talker.reference for talker in self.talkers)
        there = sorted(case["reference"] for case in self.cases)
        if wanted != there or len(set(wanted)) != len(wanted):
            found.append(f"told {wanted}, at the desk {there}")
        # All patients gave the same answers, so the cases must be the same; who met no failure shows how.
        calm = {talker.reference for talker in self.talkers if not talker.troubles}
        right = next((case["answers"] for case in self.cases if case["reference"] in calm), None)
        found += [
            f"{case['reference']}: {name} is {case['answers'].get(name)!r}, not {right.get(name)!r}"
            for case in self.cases
            if right is not None
            for name in {*right, *case["answers"]}
            if case["answers"].get(name) != right.get(name)
        ]
        return found


async def questions(running: Cluster, count: int, meanwhile: Awaitable[None]) -> list[Talker]:
    """Have ``count`` patients ask one question after the other until ``meanwhile`` is over."""
    url = f"http://127.0.0.1:{running.balancers['gateway'].port}"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True)) as http:
        talkers, changing = [Talker(Patient(http, url)) for _ in range(count)], asyncio.ensure_future(meanwhile)

        async def live(talker: Talker) -> None:
            await talker.begin()
            while not changing.done():
                await talker.says(random.choice(CAUSES))
                await asyncio.sleep(0.3)

        await asyncio.gather(*map(live, talkers))
        await changing
        return talkers


async def intakes(running: Cluster, count: int, at_once: int, victims: Sequence[str], *, pause: float) -> Outcome:
    """Have ``count`` patients send their case, ``at_once`` at a time, while ``victims`` are killed one after the other."""
    url = f"http://127.0.0.1:{running.balancers['gateway'].port}"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True)) as http:
        talkers, places = [Talker(Patient(http, url)) for _ in range(count)], asyncio.Semaphore(at_once)

        async def live(talker: Talker) -> None:
            async with places:
                await talker.begin()
                await talker.intake()

        done = asyncio.Event()
        killing = asyncio.create_task(_trouble(running, done, victims, pause))
        await asyncio.gather(*map(live, talkers))
        done.set()
        killed = await killing
        token = (running.var / "casedesk.token").read_text().strip()
        cases = await _at_the_desk(http, running, token, {talker.reference for talker in talkers})
        return Outcome(talkers, [await talker.events() for talker in talkers], cases, killed)


async def _trouble(running: Cluster, done: asyncio.Event, victims: Sequence[str], pause: float) -> list[str]:
    """Kill one copy after the other at random moments, and bring each back, until the patients are done."""
    killed = []
    for name in victims:
        await asyncio.sleep(pause * random.uniform(0.6, 1.4))
        part = name.split("-")[0]
        if part in HEALTH:  # never both of a pair
            await running.up(*(each for each in running.processes if each.startswith(part)))
        if done.is_set():
            break
        running.kill(name)
        killed.append(name)
        await asyncio.sleep(1)
        running.start(name)
    return killed


async def _at_the_desk(
    http: aiohttp.ClientSession, running: Cluster, token: str, wanted: set[str]
) -> list[dict[str, Any]]:
    """The desk's cases, once everything wanted is there."""
    url, headers = f"http://127.0.0.1:{running.ports['casedesk-0']}/api/cases", {"Authorization": f"Bearer {token}"}
    async with asyncio.timeout(120):
        while True:
            async with http.get(f"{url}?limit=1000", headers=headers) as reply:
                listed = [case["reference"] for case in (await reply.json())["cases"]]
            if wanted <= set(listed):
                break
            await asyncio.sleep(0.5)
    cases = []
    for reference in listed:
        async with http.get(f"{url}/{reference}", headers=headers) as reply:
            cases.append(await reply.json())
    return cases
