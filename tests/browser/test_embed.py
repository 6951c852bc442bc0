"""One line on a foreign website, on another port, with a strict policy of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Chat, violations
from tests.gateway.conftest import Door

Make = Callable[..., BrowserContext]
Foreign = Callable[..., str]


@pytest.fixture
def page(make_context: Make) -> Page:
    return make_context().new_page()


def launcher(page: Page) -> Chat:
    """Open the chat from the launcher and wait for it."""
    page.get_by_role("button", name="Ask about a second opinion").click()
    return Chat(page, page.frame_locator("iframe")).ready()


def test_one_line_gives_a_launcher_and_a_chat(page: Page, foreign: Foreign, door: Door) -> None:
    page.goto(foreign())
    button = page.get_by_role("button", name="Ask about a second opinion")
    expect(button).to_be_visible()
    assert violations(page) == []
    Chat(page).shot("embed_closed")
    chat = launcher(page)
    expect(chat.says("Was my first doctor wrong?")).to_contain_text("No. A different view")
    chat.shot("embed_open")
    assert violations(page) == []
    assert violations(page.frames[1]) == []
    chat.button("Close").click()
    expect(button).to_be_focused()
    button.click()
    expect(chat.replies).to_have_count(2)


def test_by_keyboard_alone(page: Page, foreign: Foreign) -> None:
    page.goto(foreign())
    page.get_by_role("link", name="A link").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    chat = Chat(page, page.frame_locator("iframe")).ready()
    expect(chat.box).to_be_focused()
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    expect(chat.replies.last).to_contain_text("You said: hello")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Ask about a second opinion")).to_be_focused()


def test_the_website_cannot_read_the_chat(make_context: Make, foreign: Foreign, door: Door) -> None:
    page = make_context().new_page()
    page.goto(foreign())
    launcher(page).says("something private")
    assert (
        page.evaluate("document.querySelector('div[lang]').shadowRoot.querySelector('iframe').contentDocument") is None
    )
    asking = "{method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{}'}"
    ask = f"fetch('{door.url}/api/session', {asking})"
    told = page.evaluate(f"{ask}.then(() => 'read', () => 'refused')")
    assert told == "refused"
    assert any("CORS" in message for message in make_context.wrong)  # type: ignore[attr-defined]
    make_context.wrong.clear()  # type: ignore[attr-defined]


def test_a_site_that_is_not_listed_cannot_frame_it(make_context: Make, foreign: Foreign) -> None:
    page = make_context().new_page()
    page.goto(foreign(allowed=False))
    page.get_by_role("button", name="Ask about a second opinion").click()
    page.wait_for_timeout(1_500)
    assert page.frames[1].url.startswith("chrome-error:")
    blocked = [message for message in make_context.wrong if "frame-ancestors" in message]  # type: ignore[attr-defined]
    assert blocked
    make_context.wrong.clear()  # type: ignore[attr-defined]


def test_options(page: Page, foreign: Foreign) -> None:
    options = (
        'data-position="left" data-colour="#7a1fa2" data-greeting="Two opinions? We can help." data-label="Ask us"'
    )
    options += ' data-dir="rtl"'
    page.goto(foreign(options))
    button = page.get_by_role("button", name="Ask us")
    box = button.bounding_box()
    assert box and box["x"] < 100
    assert button.evaluate("node => getComputedStyle(node).backgroundColor") == "rgb(122, 31, 162)"
    expect(page.get_by_text("Two opinions? We can help.")).to_be_visible()
    assert violations(page) == []
    Chat(page).shot("embed_options")
    button.click()
    chat = Chat(page, page.frame_locator("iframe")).ready()
    assert chat.find("html").get_attribute("dir") == "rtl"
    assert chat.find("#send").evaluate("node => getComputedStyle(node).backgroundColor") == "rgb(122, 31, 162)"


def test_odd_options_do_no_harm(page: Page, foreign: Foreign) -> None:
    page.goto(
        foreign(
            'data-colour="red;}*{display:none" data-greeting="&lt;img src=x onerror=alert(1)&gt;" data-position="up"'
        )
    )
    expect(page.get_by_role("button", name="Ask about a second opinion")).to_be_visible()
    expect(page.get_by_text("<img src=x onerror=alert(1)>")).to_be_visible()


def test_on_a_phone_the_chat_fills_the_screen(make_context: Make, foreign: Foreign) -> None:
    page = make_context(viewport={"width": 375, "height": 667}, is_mobile=True, has_touch=True).new_page()
    page.goto(foreign())
    launcher(page).shot("embed_phone")
    assert page.locator("iframe").bounding_box() == {"x": 0, "y": 0, "width": 375, "height": 667}


def test_no_cookie_and_nothing_from_a_third_place(page: Page, foreign: Foreign, door: Door) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    address = foreign()
    page.goto(address)
    launcher(page).says("hello")
    host = address.rsplit("/", 1)[0]
    assert [url for url in asked if not url.startswith((door.url, host, "data:"))] == []
    assert page.context.cookies() == []
