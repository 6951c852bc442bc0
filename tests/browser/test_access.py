"""For everybody: axe-core in every state, keyboard only, screen readers' live regions, small screens, zoom, RTL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import Chat, violations
from tests.gateway.conftest import Door

Make = Callable[..., BrowserContext]
Act = Callable[[Chat], object]


def fold_emergency(chat: Chat) -> None:
    chat.says("I can't pee")
    chat.find("#fold").click()


def end(chat: Chat) -> None:
    chat.menu("End and delete")
    chat.button("Yes, end and delete").click()
    chat.button("Start a new chat").wait_for()


def ask_to_end(chat: Chat) -> None:
    chat.menu("End and delete")


STATES: dict[str, Act] = {
    "start": lambda chat: None,
    "answer": lambda chat: chat.says("Was my first doctor wrong?"),
    "emergency": lambda chat: chat.says("I can't pee"),
    "emergency folded": fold_emergency,
    "clarify": lambda chat: chat.says("question"),
    "form date": lambda chat: chat.choose("Send us my case"),
    "form number": lambda chat: chat.says("ask a number"),
    "form several": lambda chat: chat.says("ask several"),
    "form phone": lambda chat: chat.says("ask a phone"),
    "comparison": lambda chat: chat.says("compare"),
    "report": lambda chat: chat.says("mri"),
    "case": lambda chat: chat.says("case"),
    "plan": lambda chat: chat.says("plan"),
    "error": lambda chat: chat.says("please fail"),
    "refused": lambda chat: chat.box.press("Enter"),
    "menu": lambda chat: chat.button("Menu").click(),
    "files": lambda chat: chat.button("Add a file").click(),
    "dialog": ask_to_end,
    "ended": end,
}
LOOKS: dict[str, tuple[str, dict[str, Any]]] = {
    "light": ("", {}),
    "dark": ("", {"color_scheme": "dark"}),
    "rtl": ("?dir=rtl", {}),
    "phone": ("", {"viewport": {"width": 320, "height": 568}, "is_mobile": True, "has_touch": True}),
    "forced colours": ("", {"forced_colors": "active"}),
    "accent": ("?accent=%23ffcc00", {}),
}


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_in_any_state(door: Door, make_context: Make, look: str) -> None:
    query, options = LOOKS[look]
    context = make_context(**options)
    found = {}
    for state, act in STATES.items():
        chat = Chat(context.new_page()).open(f"{door.url}/{query}")
        act(chat)
        found[state] = violations(chat.page)
        if look in ("rtl", "phone") and state in ("answer", "emergency", "form several"):
            chat.shot(f"{look}_{state.replace(' ', '_')}")
        chat.page.close()
    assert {state: wrong for state, wrong in found.items() if wrong} == {}


def focused(page: Page) -> str:
    """What has the focus, by its name."""
    node = "const node = document.activeElement; const name = node.getAttribute('aria-label') || node.textContent"
    return str(page.evaluate(f"() => {{ {node}; return (name || node.id).trim(); }}"))


def test_the_whole_chat_by_keyboard(chat: Chat) -> None:
    page = chat.page
    assert page.evaluate("document.activeElement.id") == "text"
    page.keyboard.type("Was my first doctor wrong?")
    page.keyboard.press("Enter")
    expect(chat.button("Tell me more")).to_be_visible()
    page.keyboard.press("Shift+Tab")
    assert focused(page) == "What should I ask?"
    page.keyboard.press("Shift+Tab")
    assert focused(page) == "Tell me more"
    page.keyboard.press("Enter")
    expect(chat.find("#log > .user").last).to_contain_text("Tell me more")
    assert page.evaluate("document.activeElement.id") == "text"
    page.keyboard.press("Tab")
    assert focused(page) == "Add a file"
    page.keyboard.press("Tab")
    assert focused(page) == "Send"
    page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    chat.find("#menu-button").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert focused(page) == "My plan"
    for _ in range(9):
        page.keyboard.press("Tab")
    assert focused(page) == "End and delete"
    page.keyboard.press("Enter")
    assert focused(page) == "Keep it"
    page.keyboard.press("Escape")
    expect(chat.place.get_by_role("dialog")).to_be_hidden()
    expect(chat.box).to_be_visible()


def test_focus_is_always_visible_and_nothing_traps_it(chat: Chat) -> None:
    chat.says("Was my first doctor wrong?")
    page = chat.page
    chat.find(".skip").focus()
    seen = [focused(page)]
    for _ in range(30):
        page.keyboard.press("Tab")
        state = page.evaluate(
            """() => { const node = document.activeElement;
            const style = getComputedStyle(node); const box = node.getBoundingClientRect();
            return [node.id || node.textContent.trim(), style.outlineStyle !== "none" || node.id === "text",
            box.top < innerHeight && box.bottom > 0, node === document.body]; }"""
        )
        if state[3]:
            break
        seen.append(state[0])
        assert state[1] and state[2], state
    assert {"text", "Skip to the message box", "scroll", "Tell me more", "send"} <= set(seen)


def test_each_reply_is_read_once(chat: Chat) -> None:
    chat.page.evaluate(
        """() => { window.read = []; for (const id of ["live", "urgent"]) {
        const listen = (changes) => changes.forEach((change) => change.addedNodes.forEach(
            (node) => window.read.push([id, node.textContent])));
        new MutationObserver(listen).observe(document.getElementById(id), {childList: true}); } }"""
    )
    chat.says("two messages", replies=2)
    chat.says("I can't pee")
    read = chat.page.evaluate("window.read")
    assert [place for place, _ in read] == ["live", "live", "urgent"]
    assert read[0][1] == "One." and read[1][1] == "Two.. Yes"
    assert chat.find("[aria-live], [role=log], [role=status], [role=alert]").evaluate_all(
        "nodes => nodes.map((node) => node.id).sort()"
    ) == ["live", "problem", "status", "urgent"]


def test_history_is_not_read_again_after_a_reload(chat: Chat) -> None:
    chat.says("hello")
    chat.page.reload()
    chat.ready()
    assert chat.find("#live p").count() == 0


SMALL = [(320, 568), (320, 256), (375, 667), (568, 320)]


@pytest.mark.parametrize("size", SMALL, ids=[f"{width}x{height}" for width, height in SMALL])
def test_small_screens_and_400_percent_zoom(door: Door, make_context: Make, size: tuple[int, int]) -> None:
    """A 1280 x 1024 window at 400% shows 320 x 256 CSS pixels."""
    chat = Chat(make_context(viewport={"width": size[0], "height": size[1]}).new_page()).open(door.url)
    for message in ("Was my first doctor wrong?", "I can't pee", "ask several", "compare"):
        chat.says(message)
        assert chat.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), message
        for target in (chat.box, chat.button("Send")):
            target.scroll_into_view_if_needed()
            expect(target).to_be_in_viewport()
    chat.shot(f"small_{size[0]}x{size[1]}")


def in_sight(place: Locator) -> bool:
    """Whether a person sees the lower edge of ``place``: it may be scrolled out of the part of the page it is in."""
    return bool(
        place.evaluate(
            """node => { const box = node.getBoundingClientRect();
            const at = document.elementFromPoint(box.left + box.width / 2, box.bottom - 3);
            return at !== null && (node === at || node.contains(at)); }"""
        )
    )


@pytest.mark.parametrize("size", [(360, 640), (360, 740), (1280, 560)], ids=str)
def test_a_choice_is_seen_only_with_the_words_it_answers(door: Door, make_context: Make, size: tuple[int, int]) -> None:
    """ "Yes" beside the end of another text would be pressed for that text: consent nobody read."""
    chat = Chat(make_context(viewport={"width": size[0], "height": size[1]}).new_page()).open(door.url)
    chat.says("digression, please", replies=2)
    question = chat.replies.last.locator(".bubble")
    assert not in_sight(question)
    assert not in_sight(chat.button("Yes"))
    more = chat.find("#more")
    expect(more).to_be_visible()
    for _ in range(9):
        if more.is_hidden():
            break
        more.click()
        chat.page.wait_for_timeout(600)
    assert in_sight(question) and in_sight(chat.button("Yes")) and in_sight(chat.button("No"))
    chat.choose("Yes")
    assert in_sight(chat.replies.last.locator(".bubble"))
    expect(more).to_be_hidden()


def test_the_emergency_banner_leaves_a_phone_room_for_its_words(door: Door, make_context: Make) -> None:
    chat = Chat(make_context(viewport={"width": 360, "height": 740}).new_page()).open(door.url)
    chat.says("help, anywhere")
    banner = chat.find("#emergency").bounding_box()
    assert banner and banner["height"] <= 125
    assert chat.find("#emergency .calls a").count() == 3
    assert in_sight(chat.button("Calling now"))


@pytest.mark.parametrize(
    "message", ["Was my first doctor wrong?", "I can't pee", "ask a number", "ask several", "please fail"]
)
def test_nothing_to_tap_is_under_24_pixels(door: Door, make_context: Make, message: str) -> None:
    context = make_context(viewport={"width": 320, "height": 568}, is_mobile=True, has_touch=True)
    chat = Chat(context.new_page()).open(door.url)
    chat.says(message)
    chat.button("Menu").click()
    small = chat.page.evaluate(
        """() => [...document.querySelectorAll("button, a, input, textarea, label")].filter((node) => {
        const box = node.getBoundingClientRect(); const inline = node.tagName === "A" && node.closest("p");
        if (!box.width || inline || node.matches(".skip, .unseen, input[type=checkbox]")) return false;
        return box.width < 24 || box.height < 24; })
        .map((node) => node.outerHTML.slice(0, 80))"""
    )
    assert small == []


def test_a_phones_keyboard_does_not_cover_the_box(door: Door, make_context: Make) -> None:
    context = make_context(viewport={"width": 375, "height": 667}, is_mobile=True, has_touch=True)
    chat = Chat(context.new_page()).open(door.url)
    chat.says("Was my first doctor wrong?")
    chat.page.evaluate(
        """() => { Object.defineProperty(visualViewport, "height", {get: () => 360, configurable: true});
        visualViewport.dispatchEvent(new Event("resize")); }"""
    )
    bottom = chat.box.evaluate("node => node.getBoundingClientRect().bottom")
    assert bottom <= 360


def test_right_to_left(door: Door, make_context: Make) -> None:
    chat = Chat(make_context().new_page()).open(f"{door.url}/?dir=rtl")
    answer = chat.says("Was my first doctor wrong?")
    own = chat.find("#log > .user").last.bounding_box()
    theirs = answer.bounding_box()
    assert own and theirs and own["x"] < theirs["x"]
    assert answer.locator("p").first.get_attribute("dir") == "auto"
    chat.shot("rtl")


def test_motion_stops_when_asked(door: Door, make_context: Make) -> None:
    chat = Chat(make_context(reduced_motion="reduce").new_page()).open(door.url)
    chat.box.fill("please be slow 1")
    chat.box.press("Enter")
    expect(chat.find("#typing")).to_be_visible()
    assert chat.page.evaluate("getComputedStyle(document.querySelector('#typing i')).animationName") == "none"
