"""A patient at the chat page and a nurse at the desk, through everything that may become of one case."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.conftest import Stack, start_stack, stop_stack
from tests.explain.test_letters import LETTERS
from tests.gateway.conftest import Patient
from tests.gateway.test_files import pdf, send
from tests.intake.talk import SHORT_PATH

NAME, PROBLEM, PHONE = "Quetzal Zanzibarian", "A marmalade coloured pterodactyl sits on my back", "+12025550177"
ANSWERS = dict(SHORT_PATH) | {"name": NAME, "main_problem": PROBLEM, "phone": "+1 202 555 0177"}
NURSE, PASSWORD = "Nurse Example", "correct horse battery"


class Page:
    """The patient's chat page: says things, picks what is offered, sees what comes unasked."""

    def __init__(self, patient: Patient) -> None:
        self.patient = patient
        self.replies: list[dict[str, Any]] = []

    async def says(self, text: str) -> str:
        self.replies = await self.patient.says(text)
        return self.text

    async def picks(self, title: str) -> str:
        await self.presses(title)
        self.replies = await self.patient.answer(30)
        return self.text

    async def presses(self, title: str) -> None:
        offered = [button for reply in self.replies for button in reply.get("buttons", [])]
        payload = next(each["payload"] for each in offered if each["title"].startswith(title))
        status, data = await self.patient.choose(payload, title)
        assert status == 202, data

    @property
    def text(self) -> str:
        return "\n".join(reply.get("text", "") for reply in self.replies)

    @property
    def slot(self) -> str | None:
        return next((reply["custom"].get("slot") for reply in reversed(self.replies) if reply.get("custom")), None)

    async def told(self, words: str, seconds: float = 10) -> None:
        """Wait for a line nobody asked for."""
        async with asyncio.timeout(seconds):
            while not any(words in event.get("text", "") for event in await self.patient.history()):
                await asyncio.sleep(0.1)

    async def sends_a_case(self) -> str:
        await self.says("I want to send my case to the clinic")
        while (slot := self.slot) != "offer":
            assert slot, self.text
            await self.says(ANSWERS[slot])
        await self.says("check and send")
        found = re.search(r"PS-\w{4}-\w{4}", await self.says("send it"))
        assert found, self.text
        return found.group()


class Nurse:
    """Somebody at the desk with a browser."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self.http, self.url, self.csrf = http, url, ""

    async def opens(self, path: str, status: int = 200) -> str:
        async with self.http.get(self.url + path) as reply:
            page = await reply.text()
            assert reply.status == status, page
        if found := re.search(r'name="csrf" value="([^"]+)"', page):
            self.csrf = found.group(1)
        return page

    async def sends(self, path: str, **form: str) -> str:
        async with self.http.post(self.url + path, data={"csrf": self.csrf, **form}) as reply:
            page = await reply.text()
            assert reply.status == 200, page
            return page

    async def logs_in(self, name: str, password: str) -> None:
        await self.opens("/login")
        await self.sends("/login", name=name, password=password)
        await self.opens("/")

    async def sees(self, path: str, words: str, seconds: float = 10) -> str:
        """Open a page until it says ``words``."""
        async with asyncio.timeout(seconds):
            while True:
                async with self.http.get(self.url + path) as reply:
                    if words in (page := await reply.text()):
                        return page
                await asyncio.sleep(0.1)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An assistant that lets a patient type faster than people do."""
    running = start_stack(tmp_path_factory.mktemp("desk"), PLAINSPOKEN_LIMIT_BURST="1000")
    yield running
    stop_stack(running)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        yield client


@pytest.fixture
async def page(stack: Stack) -> AsyncIterator[Page]:
    async with aiohttp.ClientSession() as client:
        yield Page(await Patient(client, stack.gateway).begin())


@pytest.fixture
async def nurse(stack: Stack, http: aiohttp.ClientSession) -> Nurse:
    """Logged in, with an account that the first administrator made."""
    at_the_desk = Nurse(http, stack.casedesk)
    await at_the_desk.logs_in("admin", (stack.var / "casedesk.password").read_text().strip())
    if NURSE not in await at_the_desk.opens("/accounts"):
        await at_the_desk.sends("/accounts", name=NURSE, role="nurse", password=PASSWORD)
    await at_the_desk.sends("/logout")
    await at_the_desk.logs_in(NURSE, PASSWORD)
    return at_the_desk


async def test_what_the_desk_does_is_what_the_patient_is_told(page: Page, nurse: Nurse) -> None:
    reference = await page.sends_a_case()
    sent = time.monotonic()
    await nurse.sees("/", NAME, 2)
    print(f"visible at the desk after {time.monotonic() - sent:.2f} s")
    await page.told("The clinic has received your case")
    assert f"The clinic has received your case {reference}." in await page.says("where is my case?")
    await nurse.opens(f"/cases/{reference}")
    await nurse.sends(f"/cases/{reference}/claim")
    await page.told("taken on by the clinic")
    assert "has taken on your case" in await page.says("where is my case?")
    await nurse.sends(f"/cases/{reference}/status", to="in_review", was="accepted")
    assert "being looked at" in await page.says("where is my case?")


async def test_a_correction_is_a_diff_and_a_case_taken_back_is_closed(page: Page, nurse: Nurse) -> None:
    reference = await page.sends_a_case()
    await page.says("I want to send my case to the clinic")
    await page.picks("Change my case")
    assert page.slot == "review"
    await page.says("make the pain 3")
    assert reference in await page.says("send it")
    shown = await nurse.sees(f"/cases/{reference}", "Version 2")
    assert "<del>8" in shown and "<ins>3" in shown
    assert f"take back your case {reference}" in await page.says("I want to withdraw my case")
    assert "is taken back" in await page.picks("Only take it back")
    await nurse.sees(f"/cases/{reference}", "The patient withdrew this intake.")
    assert "You took your case" in await page.says("where is my case?")


async def test_a_warning_is_acknowledged_and_the_patient_is_told(page: Page, nurse: Nurse) -> None:
    await page.sends_a_case()
    await page.says("I can't feel when I pee")
    shown = await nurse.sees("/", "I can&#39;t feel when I pee")
    reference = re.search(r"/escalations/(ESC-[^/]+)/acknowledge", shown)
    assert reference and PHONE in shown, "whom to call stands beside it"
    await nurse.sends(f"/escalations/{reference[1]}/acknowledge", outcome="spoke_going")
    await page.told("has seen your message")


async def test_what_is_deleted_stands_in_no_file_any_more(stack: Stack, page: Page, nurse: Nurse) -> None:
    reference = await page.sends_a_case()
    await nurse.sees(f"/cases/{reference}", NAME)
    await page.says("delete my data")
    await page.presses("Yes, delete")
    await page.told("Your answers are deleted here")
    assert len(await page.patient.history()) == 1, "the chat itself goes as well"
    async with asyncio.timeout(15):
        while reference in await nurse.opens("/?status=all"):
            await asyncio.sleep(0.2)
    await nurse.opens(f"/cases/{reference}", 404)
    words = [NAME, "Zanzibarian", "pterodactyl", PHONE, "2025550177"]
    found = [(path.name, word) for path in files_of(stack.var) for word in words if word.encode() in path.read_bytes()]
    assert found == []


GRAVE = LETTERS["59_cauda"]
MARMALADE = "Dear Dr Green. MRI of the lumbar spine: a marmalade coloured pterodactyl at L4-L5. Fusion was discussed."


async def test_a_letter_goes_along_as_it_was_sent_and_is_gone_when_deleted(
    stack: Stack, page: Page, nurse: Nurse
) -> None:
    raw = pdf(MARMALADE)
    assert (await send(page.patient, raw, "letter.pdf"))[0] == 202
    await page.patient.answer(30)
    await page.says("I want to send my case to the clinic")
    while page.slot != "send_letters":
        assert page.slot, page.text
        await page.says(ANSWERS[page.slot])
    await page.says("yes")
    await page.says("check and send")
    assert "Letters: 1 (PDF, " in page.text
    found = re.search(r"PS-\w{4}-\w{4}", await page.says("send it"))
    assert found, page.text
    reference = found.group()
    shown = await nurse.sees(f"/cases/{reference}", "/files/")
    path = re.search(rf"/cases/{reference}/files/[0-9a-f]+", shown)
    assert path
    async with nurse.http.get(nurse.url + path.group()) as reply:
        assert await reply.read() == raw
        assert reply.headers["Content-Disposition"].startswith("attachment")

    await page.says("I want to send my case to the clinic")
    await page.picks("Change my case")
    note = MARMALADE.replace("marmalade", "chartreuse").encode()
    assert (await send(page.patient, note, "second.txt"))[0] == 202
    page.replies = await page.patient.answer(30)
    assert page.slot == "send_letters", page.text
    assert "Letters: 2 (PDF" in await page.says("yes")
    assert "Letters: 1 (text" in await page.says("remove letter 1")
    await page.says("send it")
    await nurse.sees(f"/cases/{reference}", "Letter 1 (text)</a>")
    await nurse.opens(path.group(), 404)

    await page.says("delete my data")
    await page.presses("Yes, delete")
    await page.told("Your answers are deleted here")
    async with asyncio.timeout(15):
        while reference in await nurse.opens("/?status=all"):
            await asyncio.sleep(0.2)
    kept = [raw[100:160], raw[-160:-100], note[:60], b"chartreuse", b"pterodactyl"]
    assert [path.name for path in files_of(stack.var) for part in kept if part in path.read_bytes()] == []
    for name, table in (("gateway", "chat_letter"), ("intake", "draft_files"), ("casedesk", "files")):
        with closing(sqlite3.connect(f"file:{stack.var}/{name}.db?mode=ro", uri=True)) as database:
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), name


async def test_a_letter_that_is_not_agreed_to_stays_in_the_chat(page: Page, nurse: Nurse) -> None:
    assert (await send(page.patient, MARMALADE.encode(), "letter.txt"))[0] == 202
    await page.patient.answer(30)
    await page.says("I want to send my case to the clinic")
    while page.slot != "offer":
        assert page.slot, page.text
        await page.says({**ANSWERS, "send_letters": "no"}[page.slot])
    assert "Letters: not sent" in await page.says("check and send")
    found = re.search(r"PS-\w{4}-\w{4}", await page.says("send it"))
    assert found, page.text
    assert "No letters came with this intake" in await nurse.sees(f"/cases/{found.group()}", "Files")


async def test_a_letter_is_taken_back_after_it_was_sent_and_sent_again(page: Page, nurse: Nurse) -> None:
    assert (await send(page.patient, pdf(MARMALADE), "letter.pdf"))[0] == 202
    await page.patient.answer(30)
    assert "I have sent nothing" in await page.says("do not send the letter")
    await page.says("I want to send my case to the clinic")
    while page.slot != "offer":
        await page.says({**ANSWERS, "send_letters": "yes"}[str(page.slot)])
    await page.says("check and send")
    found = re.search(r"PS-\w{4}-\w{4}", await page.says("send it"))
    assert found, page.text
    path = f"/cases/{found.group()}"
    await nurse.sees(path, "Letter 1 (PDF)</a>")
    assert "Letters: 1 (PDF" in await page.says("what did you send to the clinic?")
    assert "Letters: not sent" in await page.says("do not send the letter"), page.text
    await page.says("send it")
    await nurse.sees(path, "No letters came with this intake")
    assert "Letters: 1 (PDF" in await page.says("add this letter to my case"), page.text
    await page.says("send it")
    await nurse.sees(path, "Letter 1 (PDF)</a>")
    shown = await page.says("remove the letter from my case")
    assert "No letter goes to the clinic" in shown and page.slot == "review", shown
    await page.says("send it")
    await nurse.sees(path, "No letters came with this intake")


async def test_a_grave_finding_in_a_letter_goes_before_the_case(page: Page) -> None:
    await page.says("I want to send my case to the clinic")
    while page.slot != "where":
        await page.says(ANSWERS[str(page.slot)])
    assert (await send(page.patient, GRAVE.letter.encode(), "mri.txt"))[0] == 202
    page.replies = await page.patient.answer(30)
    assert "Is it new, or getting worse?" in page.text and page.slot is None, page.text
    await page.picks("No")
    await page.says("carry on")
    assert page.slot == "send_letters", page.text
    await page.says("no")
    assert page.slot == "where", "the question that was on the table"


def files_of(var: Path) -> list[Path]:
    """Every file the assistant wrote: databases, their write-ahead logs, its logs."""
    return [path for path in var.rglob("*") if path.is_file()]
