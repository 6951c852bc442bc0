"""Measure the gateway and its page: send-to-rendered time, bytes on the wire, 200 patients at once.

``python -m scripts.bench_gateway [--patients 200] [--seconds 30]``. Rasa is the tests' stand-in, which answers at once, so
the times are the gateway's and the browser's own.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import random
import statistics
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.sync_api import sync_playwright

from tests.browser.conftest import chromium
from tests.gateway.conftest import Door, Patient, open_door

SENDS = 30
EVERY_SECONDS = 10.0
FILES = ("/embed.js", "/", "/static/chat.css", "/static/chat.js")
CLOCK = """(text) => new Promise((resolve) => { const log = document.getElementById("log"); const start = performance.now();
new MutationObserver((_, watch) => { if (log.lastElementChild.textContent.includes("You said: " + text)) {
watch.disconnect(); requestAnimationFrame(() => resolve(performance.now() - start)); } }).observe(log, {childList: true});
document.getElementById("text").value = text; document.getElementById("write").requestSubmit(); })"""


def wire(door: Door) -> list[tuple[str, int, int]]:
    """The files a website's visitor loads: name, body and header bytes, compressed as a browser asks for."""
    rows = []
    for path in FILES:
        asked = urllib.request.Request(door.url + path, headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(asked, timeout=10) as answer:
            body = answer.read()
            assert gzip.decompress(body)
            rows.append((path, len(body), len(str(answer.headers).encode()) + len("HTTP/1.1 200 OK\r\n")))
    return rows


def rendered(door: Door) -> list[float]:
    """Milliseconds from pressing Send to the answer's next frame, in the browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(door.url)
        page.locator("html[data-ready]").wait_for(state="attached")
        times = []
        for number in range(SENDS):
            times.append(float(page.evaluate(CLOCK, f"message {number} of the bench")))
            page.wait_for_timeout(200)
        browser.close()
    return times


async def crowd(door: Door, patients: int, seconds: float) -> tuple[list[float], list[str]]:
    """``patients`` chats with an open stream each and a message every ten seconds: times to the answer, errors."""
    times: list[float] = []
    errors: list[str] = []

    async def live(http: aiohttp.ClientSession) -> None:
        patient, answered = await Patient(http, door.url).begin(), asyncio.Event()

        def heard(event: dict[str, Any]) -> bool:
            if event.get("last"):
                answered.set()
            return False

        hearing = asyncio.create_task(patient.stream(heard, seconds + 60))
        stop = time.monotonic() + seconds
        await asyncio.sleep(random.uniform(0, EVERY_SECONDS))
        while time.monotonic() < stop:
            answered.clear()
            began = time.monotonic()
            status, _ = await patient.try_to_say("hello from the crowd")
            if status != 202:
                errors.append(str(status))
                continue
            await asyncio.wait_for(answered.wait(), 20)
            times.append((time.monotonic() - began) * 1000)
            await asyncio.sleep(max(0.0, EVERY_SECONDS - (time.monotonic() - began)))
        hearing.cancel()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        outcomes: list[Any] = await asyncio.gather(*(live(http) for _ in range(patients)), return_exceptions=True)
    errors += [type(outcome).__name__ for outcome in outcomes if isinstance(outcome, BaseException)]
    return times, errors


def spread(times: list[float]) -> str:
    ordered = sorted(times)
    return f"median {statistics.median(ordered):6.1f} ms   95% {ordered[int(len(ordered) * 0.95)]:6.1f} ms   n {len(ordered)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        door = open_door(Path(folder) / "var", PLAINSPOKEN_LIMIT_BURST="100")
        try:
            rows = wire(door)
            for path, body, head in rows:
                print(f"{path:20} {body:7} bytes + {head:4} of headers")
            print(f"{'all':20} {sum(row[1] for row in rows):7} bytes + {sum(row[2] for row in rows):4} of headers")
            try:
                print(f"{'send to rendered':20} {spread(rendered(door))}")
            except pytest.skip.Exception as absent:
                print(f"{'send to rendered':20} not measured: {absent.msg}")
            times, errors = asyncio.run(crowd(door, given.patients, given.seconds))
            print(f"{f'{given.patients} patients':20} {spread(times)}   errors {len(errors)} {sorted(set(errors))}")
        finally:
            door.stop()


if __name__ == "__main__":
    main()
