"""The line is cut, slow, or the server restarts: nothing is lost, and the page says what is going on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Route, expect

from tests.browser.conftest import Chat
from tests.gateway.conftest import Door, open_door

Make = Callable[..., BrowserContext]


@pytest.fixture
def own_door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    opened = open_door(tmp_path_factory.mktemp("cut") / "var", PLAINSPOKEN_LIMIT_TOKEN_MINUTES="600")
    yield opened
    opened.stop()


def test_a_message_written_offline_is_sent_once_later(chat: Chat) -> None:
    chat.page.context.set_offline(True)
    expect(chat.find("#status")).to_contain_text("You are offline.")
    chat.box.fill("written offline")
    chat.box.press("Enter")
    expect(chat.find("#log > .user").last).to_contain_text("Not sent")
    chat.shot("offline")
    chat.page.context.set_offline(False)
    expect(chat.replies.last).to_contain_text("You said: written offline")
    expect(chat.find("#log > .user")).to_have_count(1)
    expect(chat.find("#log > .user").last).not_to_contain_text("Not sent")


def test_an_unsent_message_survives_a_reload(chat: Chat) -> None:
    chat.page.route("**/api/say", lambda route: route.abort())
    chat.box.fill("not lost")
    chat.box.press("Enter")
    expect(chat.find("#log > .user").last).to_contain_text("Not sent")
    chat.page.unroute("**/api/say")
    chat.page.reload()
    chat.ready()
    expect(chat.replies.last).to_contain_text("You said: not lost")
    expect(chat.find("#log > .user")).to_have_count(1)


def test_trying_again_by_hand(chat: Chat) -> None:
    chat.page.route("**/api/say", lambda route: route.abort())
    chat.box.fill("again please")
    chat.box.press("Enter")
    chat.page.unroute("**/api/say")
    chat.button("Try again").click()
    expect(chat.replies.last).to_contain_text("You said: again please")


def test_the_answer_to_a_message_that_arrived_without_its_receipt_comes_once(chat: Chat) -> None:
    """The request reached the server, the response did not come back: the page asks again with the same id."""
    lost: list[bool] = []

    def lose_first(route: Route) -> None:
        route.fetch()
        if lost:
            route.continue_()
        else:
            lost.append(True)
            route.abort()

    chat.page.route("**/api/say", lose_first)
    chat.box.fill("only once")
    chat.box.press("Enter")
    expect(chat.replies.last).to_contain_text("You said: only once")
    chat.page.wait_for_timeout(500)
    expect(chat.find("#log > .user")).to_have_count(1)
    expect(chat.replies).to_have_count(2)


def test_the_server_restarts_in_the_middle(own_door: Door, make_context: Make) -> None:
    chat = Chat(make_context().new_page()).open(own_door.url)
    chat.says("before")
    own_door.gateway.stop()
    expect(chat.find("#status")).to_contain_text("Connecting again…")
    chat.box.fill("during")
    chat.box.press("Enter")
    expect(chat.find("#log > .user").last).to_contain_text("Not sent")
    chat.shot("reconnecting")
    own_door.gateway.start()
    expect(chat.replies.last).to_contain_text("You said: during", timeout=30_000)
    expect(chat.find("#log > li")).to_have_count(5)


def test_the_stream_is_closed_by_the_server_and_nothing_is_missed(own_door: Door, make_context: Make) -> None:
    context = make_context()
    chat = Chat(context.new_page()).open(own_door.url)
    token = chat.page.evaluate("sessionStorage.getItem('plainspoken.token')")
    own_door.gateway.stop()
    own_door.gateway.start()
    said = chat.page.evaluate(
        """async (token) => (await fetch("api/say", {
        method: "POST", body: JSON.stringify({id: "elsewhere1", text: "missed?"}),
        headers: {"Authorization": `Bearer ${token}`, "Content-Type": "application/json"}})).status""",
        token,
    )
    assert said == 202
    expect(chat.replies.last).to_contain_text("You said: missed?", timeout=30_000)
    expect(chat.find("#log > li")).to_have_count(3)


def test_an_expired_chat_says_so_and_keeps_what_was_typed(chat: Chat) -> None:
    chat.says("before")
    chat.page.evaluate("sessionStorage.setItem('plainspoken.token', 'v1.' + '0'.repeat(32) + '.1.' + '0'.repeat(64))")
    chat.page.evaluate("sessionStorage.setItem('plainspoken.draft', 'my words')")
    chat.page.reload()
    expect(chat.replies.last).to_contain_text("This chat was closed to keep it private.")
    chat.shot("expired")
    chat.button("Start a new chat").click()
    expect(chat.replies.first).to_contain_text("automated assistant")


def test_slow_3g(door: Door, make_context: Make) -> None:
    context = make_context(viewport={"width": 375, "height": 667}, has_touch=True, is_mobile=True)
    page = context.new_page()
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    slow = {"offline": False, "latency": 2_000, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
    line.send("Network.emulateNetworkConditions", slow)
    chat = Chat(page).open(door.url)
    # The reply comes over a stream that is already open, so it must be slower than the line to be waited for at all.
    chat.box.fill("please be slow 6")
    chat.box.press("Enter")
    expect(chat.find("#typing")).to_be_visible()
    expect(chat.replies.last).to_contain_text("You said: please be slow 6", timeout=20_000)


def test_waiting_is_shown_and_told(chat: Chat) -> None:
    chat.box.fill("please be slow 1")
    chat.box.press("Enter")
    expect(chat.find("#typing")).to_be_visible()
    expect(chat.find("#status")).to_have_text("The assistant is typing")
    expect(chat.replies.last).to_contain_text("You said")
    expect(chat.find("#typing")).to_be_hidden()
    expect(chat.find("#status")).to_have_text("")


def test_a_dead_rasa(own_door: Door, make_context: Make) -> None:
    chat = Chat(make_context().new_page()).open(own_door.url)
    own_door.rasa.stop()
    reply = chat.says("I can't pee and I am numb between my legs", replies=2)
    expect(reply).to_have_class(re.compile("problem"))
    expect(chat.place.get_by_role("region", name="Get help now").get_by_role("link", name="Call 911")).to_be_visible()
