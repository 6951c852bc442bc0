"""The chat page in a real browser (Debian's Chromium), in front of a running gateway and a stand-in for Rasa."""

from __future__ import annotations

import http.server
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Frame, FrameLocator, Locator, Page, expect, sync_playwright

from tests.conftest import free_ports
from tests.gateway.conftest import Door, open_door

SHOTS = Path(__file__).resolve().parent.parent.parent / "results" / "screenshots"
BEST = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
HOST_PAGE = """<!doctype html><html lang="en"><head><title>A clinic</title>
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'self'; script-src {gateway}; connect-src {gateway}; frame-src {gateway}">
</head><body><main><h1>A clinic</h1><p>Some text of the clinic. <a href="#more">A link</a></p></main>
<script src="{gateway}/embed.js" {options}></script></body></html>"""

expect.set_options(timeout=10_000)


def chromium() -> str:
    """The browser to drive. Without one the tests are skipped, but never where they are meant to run."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("PLAINSPOKEN_CHROMIUM") or next(filter(None, map(shutil.which, names)), "")
    if not found:
        if os.environ.get("CI"):
            pytest.fail("no Chromium: apt-get install chromium, or set PLAINSPOKEN_CHROMIUM")
        pytest.skip("no Chromium here: apt-get install chromium, or set PLAINSPOKEN_CHROMIUM")
    return found


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for this folder. Playwright's loop must end with it: tests elsewhere start their own."""
    path = chromium()
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def sites() -> tuple[int, int]:
    """Ports of two foreign sites: one may frame the chat, the other may not."""
    allowed, other = free_ports(2)
    return allowed, other


@pytest.fixture(scope="session")
def door(tmp_path_factory: pytest.TempPathFactory, sites: tuple[int, int]) -> Iterator[Door]:
    opened = open_door(
        tmp_path_factory.mktemp("browser") / "var",
        PLAINSPOKEN_EMBED_SITES=f"http://localhost:{sites[0]}",
        PLAINSPOKEN_LIMIT_BURST="20",
        PLAINSPOKEN_LIMIT_SLOW_AFTER="20",
        PLAINSPOKEN_LIMIT_GIVE_UP_AFTER="30",
    )
    yield opened
    opened.stop()


@pytest.fixture(scope="session")
def foreign(door: Door, sites: tuple[int, int]) -> Iterator[Callable[..., str]]:
    """Gives the address of a foreign page that embeds the chat: ``foreign(options, allowed=True)``."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = HOST_PAGE.format(gateway=door.url, options=pages.get(self.path, "")).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    pages: dict[str, str] = {}
    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler) for port in sites]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def address(options: str = "", *, allowed: bool = True) -> str:
        path = f"/{len(pages)}"
        pages[path] = options
        return f"http://localhost:{sites[0 if allowed else 1]}{path}"

    yield address
    for server in servers:
        server.shutdown()


class Chat:
    """The chat page as a person uses it. ``place`` is the page, or the frame that the chat is in."""

    def __init__(self, page: Page, place: Page | FrameLocator | None = None) -> None:
        self.page = page
        self.place = place or page

    def find(self, selector: str) -> Locator:
        return self.place.locator(selector)

    @property
    def box(self) -> Locator:
        return self.place.get_by_label("Your message")

    @property
    def replies(self) -> Locator:
        return self.find("#log > .bot")

    def open(self, url: str) -> Chat:
        self.page.goto(url)
        return self.ready()

    def ready(self) -> Chat:
        self.find("html[data-ready]").wait_for(state="attached")
        expect(self.replies.first).to_be_visible()
        return self

    def says(self, text: str, replies: int = 1) -> Locator:
        """Type and send; return the last reply once it is there."""
        before = self.replies.count()
        self.box.fill(text)
        self.box.press("Enter")
        expect(self.replies).to_have_count(before + replies)
        expect(self.find("#typing")).to_be_hidden()
        return self.replies.last

    def choose(self, title: str, replies: int = 1) -> Locator:
        before = self.replies.count()
        self.button(title).click()
        expect(self.replies).to_have_count(before + replies)
        return self.replies.last

    def button(self, title: str) -> Locator:
        return self.place.get_by_role("button", name=title, exact=True)

    def menu(self, title: str) -> None:
        self.button("Menu").click()
        self.button(title).click()

    def shot(self, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png")


def violations(place: Page | Frame) -> list[str]:
    """What axe-core finds wrong: WCAG 2.0 to 2.2 A and AA, and its best practices."""
    found = Axe().run(place, options=BEST).response["violations"]
    return [f"{rule['id']}: {node['html'][:200]}: {node['failureSummary']}" for rule in found for node in rule["nodes"]]


@pytest.fixture
def make_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browser contexts and fails the test when a page in one logged an error or broke its own policy."""
    made: list[BrowserContext] = []
    wrong: list[str] = []

    def make(**options: Any) -> BrowserContext:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, **options})
        context.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        context.on("weberror", lambda error: wrong.append(str(error.error)))
        made.append(context)
        return context

    make.wrong = wrong  # type: ignore[attr-defined]
    yield make
    for context in made:
        context.close()
    expected = ("Failed to load resource", "net::ERR_")
    assert [message for message in wrong if not message.startswith(expected)] == []


@pytest.fixture
def chat(door: Door, make_context: Callable[..., BrowserContext]) -> Chat:
    """An open chat page."""
    return Chat(make_context().new_page()).open(door.url)
