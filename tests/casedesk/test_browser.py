"""The desk in a real browser: accessible, by keyboard, without JavaScript, on a narrow screen, asking nobody else."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from casedesk import accounts
from casedesk.db import Database
from casedesk.desk import Desk
from tests.casedesk.conftest import PASSWORD, Clinic, opened
from tests.casedesk.samples import answered, escalation, intake, red_flag, reference

CASE = reference(1)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = ("/", f"/cases/{CASE}", f"/cases/{CASE}/print", "/health-page", "/audit", "/accounts", "/me", "/nowhere")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium must be installed when CI=true")
        pytest.skip("no Chromium on this machine")
    async with async_playwright() as play:
        found = await play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield found
        await found.close()


@pytest.fixture
async def busy(sqlite: Database, desk: Desk) -> AsyncIterator[Clinic]:
    """A desk with something on every page."""
    async for clinic in opened(sqlite, desk, send_notices=False):
        answers = {"tried": answered(["tablets"], "pills", "carer")}
        await clinic.delivers(
            "intake.submitted", intake(1, informant="carer", red_flags=[red_flag()], priority="stat", answers=answers)
        )
        await clinic.delivers("intake.corrected", intake(1, version=2, red_flags=[red_flag()], priority="stat"))
        await clinic.delivers("intake.submitted", intake(2), occurred_at="2026-01-05T10:00:00+00:00")
        for number, tier in enumerate(("emergency", "crisis", "urgent", "soon"), start=1):
            await clinic.delivers("escalation.raised", escalation(number, tier=tier))
        with clinic.database.transaction() as session:
            accounts.add(session, "Alex Testcase", "admin", PASSWORD)
        yield clinic


def address(clinic: Clinic, path: str) -> str:
    return str(clinic.server.make_url("")).rstrip("/") + path


async def logged_in(clinic: Clinic, context: BrowserContext) -> Page:
    """Log in with the keyboard alone."""
    page = await context.new_page()
    await page.goto(address(clinic, "/"))
    await expect(page.get_by_label("Name")).to_be_focused(timeout=15_000)
    await page.keyboard.type("Alex Testcase")
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url(address(clinic, "/"))
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_page_has_an_accessibility_fault_and_none_asks_elsewhere(
    busy: Clinic, browser: Browser, scheme: str
) -> None:
    context = await browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    asked: list[str] = []
    complaints: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    context.on(
        "console", lambda message: complaints.append(message.text) if "Content Security" in message.text else None
    )
    page = await context.new_page()
    await page.goto(address(busy, "/login"))
    faults = await faults_of(page)
    page = await logged_in(busy, context)
    for path in PAGES:
        await page.goto(address(busy, path))
        faults += await faults_of(page)
    assert faults == []
    assert [url for url in asked if not url.startswith(address(busy, ""))] == []
    assert complaints == []


async def faults_of(page: Page) -> list[str]:
    # axe is put in by the test's own hand, so the page's policy has to let it be for the moment.
    found = await Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
    return [
        f"{page.url}: {fault['id']}: {fault['help']}: {[node['html'][:120] for node in fault['nodes'][:3]]}"
        for fault in found.response["violations"]
    ]


async def test_a_nurse_works_a_case_without_javascript(busy: Clinic, browser: Browser) -> None:
    page = await logged_in(busy, await browser.new_context(java_script_enabled=False))
    await page.click(f"a[href='/cases/{CASE}'] >> nth=-1")
    await page.click("text=Take this case")
    assert await page.inner_text(".done") == "Saved."
    await page.fill("#text", "Called the daughter back")
    await page.click("text=Add note >> nth=-1")
    assert "Called the daughter back" in await page.inner_text(".history")
    await page.check("#to-in_review")
    await page.click("text=Set status")
    assert "In review" in await page.inner_text(".badges")
    await page.goto(address(busy, "/"))
    await page.select_option(".warning select >> nth=0", "spoke_going")
    await page.click(".warning button >> nth=0")
    assert "3 warnings" in await page.inner_text("#warnings-title")


async def test_the_list_is_walked_with_the_arrow_keys(busy: Clinic, browser: Browser) -> None:
    page = await logged_in(busy, await browser.new_context())
    await page.focus(".worklist th a >> nth=0")
    await page.keyboard.press("ArrowDown")
    assert await page.evaluate("document.activeElement.getAttribute('href')") == f"/cases/{reference(2)}"
    await page.keyboard.press("Enter")
    await page.wait_for_url(address(busy, f"/cases/{reference(2)}"))


async def test_an_open_list_says_when_something_arrives(busy: Clinic, browser: Browser) -> None:
    context = await browser.new_context()
    await context.add_init_script("const s = setInterval; window.setInterval = (work) => s(work, 200);")
    page = await logged_in(busy, context)
    await busy.delivers("escalation.raised", escalation(9))
    await page.wait_for_selector("#news:not([hidden])")
    assert await page.inner_text("#news") == "1 more warning. Show"
    assert (await page.title()).startswith("● 1 more warning")


@pytest.mark.parametrize("path", PAGES)
async def test_nothing_needs_sideways_scrolling_at_320_pixels(busy: Clinic, browser: Browser, path: str) -> None:
    context = await browser.new_context(viewport={"width": 320, "height": 640})
    page = await logged_in(busy, context)
    await page.goto(address(busy, path))
    wide = await page.evaluate(
        """() => [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > 321
             && !e.closest('table:not(.worklist), thead, .hidden, .skip'))
             .map(e => e.tagName + '.' + e.className).slice(0, 5)"""
    )
    assert wide == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
