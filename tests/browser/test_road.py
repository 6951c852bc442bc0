"""The whole road in a browser, with nothing stood in for: chat page, gateway, Rasa, actions."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import Chat
from tests.conftest import Stack


def test_a_patient_asks_and_is_told_at_once_to_get_help(
    stack: Stack, make_context: Callable[..., BrowserContext]
) -> None:
    page = make_context().new_page()
    patient = Chat(page).open(stack.gateway + "/")
    answer = patient.says("Does a different second opinion mean my first doctor was wrong?")
    expect(answer).to_contain_text("does not have to mean that someone was wrong")
    patient.box.fill("I can't feel when I pee")
    patient.box.press("Enter")
    expect(page.get_by_role("button", name="I'm calling now")).to_be_visible()
    expect(page.locator("#log")).to_contain_text("Call 911")
