"""Take the pictures of the README from the running program: ``PYTHONPATH=. python scripts/screenshots.py``.

Starts the whole assistant on free ports, talks to it as a patient in Chromium, sends a made-up case, and looks at it in the
case desk as a nurse. Writes ``docs/images/*.png``.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import Chat, chromium
from tests.conftest import ROOT, Stack, start_stack, stop_stack
from tests.conversations.harness import Conversation
from tests.intake.talk import SHORT_PATH

IMAGES = ROOT / "docs" / "images"


def chat(page: Page, stack: Stack) -> None:
    patient = Chat(page).open(stack.gateway + "/")
    patient.says("Does a different second opinion mean my first doctor was wrong?")
    time.sleep(1)
    page.screenshot(path=IMAGES / "chat-answer.png")
    patient.box.fill("I can't feel when I pee")
    patient.box.press("Enter")
    page.get_by_role("button", name="I'm calling now").wait_for()
    time.sleep(1)
    page.screenshot(path=IMAGES / "chat-emergency.png")


def send_cases(stack: Stack) -> None:
    for number in range(3):
        patient = Conversation(stack.rasa).says("I want to send my case to the clinic")
        for _, text in SHORT_PATH:
            patient.says(text)
        patient.says("check and send").says("send it")
        print(number, patient.text[:90])
        if number == 1:
            patient.says("I went numb between my legs today")
    time.sleep(4)


def desk(page: Page, stack: Stack) -> None:
    page.goto(stack.casedesk + "/")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill((stack.var / "casedesk.password").read_text().strip())
    page.get_by_role("button", name="Log in").click()
    page.wait_for_load_state()
    page.screenshot(path=IMAGES / "desk-worklist.png")
    page.locator("a[href*='/cases/PS-']").first.click()
    page.wait_for_load_state()
    page.screenshot(path=IMAGES / "desk-case.png")


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        stack = start_stack(Path(folder))
        try:
            browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
            chat(browser.new_page(viewport={"width": 900, "height": 760}), stack)
            send_cases(stack)
            desk(browser.new_page(viewport={"width": 1200, "height": 800}), stack)
        finally:
            stop_stack(stack)


if __name__ == "__main__":
    main()
