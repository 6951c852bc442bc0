"""Every feature of the chat page, used as a person uses it."""

from __future__ import annotations

import base64
import json
import re
import urllib.request
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest
from fpdf import FPDF
from playwright.sync_api import BrowserContext, Page, expect
from standardwebhooks.webhooks import Webhook

from tests.browser.conftest import Chat
from tests.gateway.conftest import Door

Make = Callable[..., BrowserContext]


def test_the_first_line_says_it_is_a_program(chat: Chat) -> None:
    expect(chat.replies.first).to_contain_text("I am an automated assistant, not a doctor.")
    expect(chat.find("header")).to_contain_text("Automated assistant, not a doctor")
    expect(chat.find("footer")).to_contain_text("In an emergency, call 911")
    chat.shot("start")


def test_an_answer_with_links_lists_sources_and_words(chat: Chat) -> None:
    answer = chat.says("Was my first doctor wrong?")
    expect(answer.locator("li")).to_have_count(2)
    link = answer.get_by_role("link")
    assert link.get_attribute("href") == "https://www.ncbi.nlm.nih.gov/books/"
    assert link.get_attribute("rel") == "noopener noreferrer"
    expect(answer).to_contain_text("Last checked 2026-05-04")
    expect(answer.locator("time")).to_have_text(re.compile(r"\d\d:\d\d"))
    chat.shot("answer")
    expect(chat.choose("Second opinions before spine surgery, 2017")).to_contain_text("This is from a study")
    expect(chat.choose("fusion")).to_contain_text("Fusion joins two bones")


def test_choices_are_offered_and_leave_when_used(chat: Chat) -> None:
    chat.says("Was my first doctor wrong?")
    chat.choose("Tell me more")
    expect(chat.find("#log > .user").last).to_contain_text("Tell me more")
    expect(chat.button("Tell me more")).to_have_count(0)


def test_feedback(chat: Chat, door: Door) -> None:
    chat.says("Was my first doctor wrong?")
    group = chat.place.get_by_role("group", name="Did this help?")
    with chat.page.expect_response("**/api/feedback") as sent:
        group.get_by_role("button", name="No").click()
    assert sent.value.status == 204
    expect(group).to_have_text("Thank you.")


def test_an_emergency_is_pinned_with_numbers_to_tap(chat: Chat) -> None:
    expect(chat.says("I can't pee")).to_have_class(re.compile("escalation"))
    banner = chat.place.get_by_role("region", name="Get help now")
    expect(banner).to_contain_text("Call 911 now, or have someone take you to the emergency room.")
    assert banner.get_by_role("link", name="Call 911").get_attribute("href") == "tel:911"
    chat.shot("emergency")
    chat.says("what is fusion?")
    expect(banner).to_be_visible()
    banner.get_by_role("button", name="Make smaller").click()
    expect(banner.locator("p")).to_be_hidden()
    expect(banner.get_by_role("link", name="Call 911")).to_be_visible()
    chat.page.reload()
    expect(chat.ready().place.get_by_role("region", name="Get help now")).to_be_visible()


def test_the_intake_shows_where_it_is_and_the_right_way_to_answer(chat: Chat) -> None:
    chat.choose("Send us my case")
    expect(chat.find("#progress")).to_contain_text("Question 1 of 9")
    chat.place.get_by_label("Date").fill("1961-05-17")
    chat.shot("intake_date")
    chat.button("Send this").click()
    expect(chat.find("#log > .user").last).to_contain_text("1961-05-17")
    expect(chat.find("#progress")).to_be_hidden()

    chat.says("ask a number")
    chat.shot("intake_number")
    expect(chat.choose("7")).to_contain_text("You said: 7")

    chat.says("ask several")
    chat.place.get_by_label("Exercise").check()
    chat.place.get_by_label("Tablets").check()
    chat.shot("intake_several")
    expect(chat.choose("Send these")).to_contain_text("You said: Exercise, Tablets")

    chat.says("ask a phone")
    assert chat.place.get_by_role("textbox", name="Phone number").get_attribute("type") == "tel"
    chat.says("ask an email")
    assert chat.place.get_by_role("textbox", name="Email address").get_attribute("autocomplete") == "email"
    chat.says("ask yes or no")
    expect(chat.choose("Yes")).to_contain_text("/choose")
    chat.says("ask a phone")
    expect(chat.says("I would rather not")).to_contain_text("You said: I would rather not")


def test_comparison_report_case_and_plan(chat: Chat) -> None:
    compared = chat.says("compare")
    expect(compared.get_by_role("heading", name="Where they differ")).to_be_visible()
    expect(compared.locator(".card").first).to_contain_text(
        "Is surgery needed?First opinionYes, soonSecond opinionNot yet"
    )
    chat.shot("comparison")
    checked = chat.says("here is my mri")
    expect(checked.locator(".found")).to_contain_text("A clear diagnosis")
    expect(checked.locator(".missing")).to_contain_text("You can ask: What else could I try first?")
    chat.shot("report")
    expect(chat.says("case").locator(".reference")).to_have_text("PS-7K2M-Q4XD")
    planned = chat.says("my plan")
    expect(planned.get_by_role("heading", name="Where they agree:")).to_be_visible()
    chat.shot("plan")
    with chat.page.expect_download() as saved:
        planned.get_by_role("button", name="Save my plan (PDF)").click()
    assert Path(saved.value.path()).read_bytes().startswith(b"%PDF-")


def test_a_report_as_a_file(chat: Chat, tmp_path: Path) -> None:
    made = FPDF()
    made.add_page()
    made.set_font("Helvetica", size=12)
    made.multi_cell(0, 8, "MRI of the lumbar spine. Moderate stenosis at L4-L5. Surgery can be discussed.")
    path = tmp_path / "report.pdf"
    made.output(str(path))
    chat.button("Add a file").click()
    chat.place.get_by_label("A report or letter").set_input_files(path)
    expect(chat.replies.last).to_contain_text("In your report")
    expect(chat.find("#log > .user").last).to_contain_text("report.pdf")


def test_a_file_that_is_not_read_says_why(chat: Chat, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("<!doctype html><script>alert(1)</script>")
    chat.button("Add a file").click()
    chat.place.get_by_label("A report or letter").set_input_files(path)
    expect(chat.find("#problem")).to_contain_text("I do not open web pages.")


def test_what_was_deleted_is_gone_from_the_page_too(chat: Chat) -> None:
    chat.says("a marmalade coloured pterodactyl sits on my back")
    chat.box.fill("erase it all")
    chat.box.press("Enter")
    expect(chat.replies).to_have_count(1)
    expect(chat.replies.last).to_contain_text("deleted")
    expect(chat.find("body")).not_to_contain_text("marmalade")
    with chat.page.expect_download() as saved:
        chat.menu("Save this chat as text")
    assert "marmalade" not in Path(saved.value.path()).read_text()
    chat.says("hello")


def test_of_scans_only_a_list_is_sent(chat: Chat, tmp_path: Path) -> None:
    paths = [tmp_path / "a.dcm", tmp_path / "b.dcm"]
    for path in paths:
        path.write_bytes(b"\0" * 200_000)
    chat.button("Add a file").click()
    chat.place.get_by_label("A list of my scans").set_input_files(paths)
    expect(chat.find("#log > .user").last).to_contain_text("a.dcm (0.2 MB), b.dcm (0.2 MB)")


def test_history_comes_back_after_a_reload_and_the_back_button(chat: Chat, door: Door) -> None:
    chat.says("Was my first doctor wrong?")
    chat.page.reload()
    chat.ready()
    expect(chat.find("#log > li")).to_have_count(3)
    expect(chat.button("Tell me more")).to_be_visible()
    chat.page.goto(f"{door.url}/health")
    chat.page.go_back()
    chat.ready()
    expect(chat.find("#log > li")).to_have_count(3)
    expect(chat.says("hello again")).to_contain_text("You said: hello again")


def test_a_draft_survives_a_reload(chat: Chat) -> None:
    chat.box.fill("half a sent")
    chat.page.reload()
    expect(chat.ready().box).to_have_value("half a sent")


def test_start_over(chat: Chat) -> None:
    chat.says("something private")
    chat.menu("Start over")
    chat.button("Keep it").click()
    expect(chat.find("#log")).to_contain_text("something private")
    chat.menu("Start over")
    chat.place.get_by_role("dialog").get_by_role("button", name="Start over").click()
    expect(chat.find("#log > li")).to_have_count(1)
    expect(chat.says("hello")).to_contain_text("You said: hello")


def test_end_and_delete(chat: Chat) -> None:
    chat.says("something private")
    chat.menu("End and delete")
    chat.shot("end")
    chat.button("Yes, end and delete").click()
    expect(chat.replies.last).to_contain_text("This chat has ended.")
    expect(chat.find("#log")).not_to_contain_text("something private")
    expect(chat.box).to_be_hidden()
    assert chat.page.evaluate("sessionStorage.getItem('plainspoken.token')") is None
    chat.button("Start a new chat").click()
    expect(chat.replies.first).to_contain_text("automated assistant")


def test_save_as_text(chat: Chat) -> None:
    chat.says("Was my first doctor wrong?")
    with chat.page.expect_download() as saved:
        chat.menu("Save this chat as text")
    text = Path(saved.value.path()).read_text()
    assert "You:\nWas my first doctor wrong?" in text and "No. A different view" in text and "[Tell me more]" in text


def test_print(chat: Chat) -> None:
    chat.says("Was my first doctor wrong?")
    chat.page.evaluate("window.print = () => { window.printed = true; }")
    chat.menu("Print")
    assert chat.page.evaluate("window.printed")
    chat.page.emulate_media(media="print")
    for hidden in ("#write", "nav", ".about", "#quick"):
        expect(chat.find(hidden)).to_be_hidden()
    expect(chat.replies.last).to_be_visible()
    chat.shot("print")


def test_larger_text_and_dark_colours_are_kept(chat: Chat) -> None:
    before = chat.replies.first.locator("p").evaluate("node => parseFloat(getComputedStyle(node).fontSize)")
    chat.menu("Larger text")
    chat.button("Dark colours").click()
    chat.page.reload()
    chat.ready()
    after = chat.replies.first.locator("p").evaluate("node => parseFloat(getComputedStyle(node).fontSize)")
    assert after >= before * 1.2
    assert chat.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(17, 24, 27)"
    chat.shot("dark_large")


def test_nothing_typed_becomes_markup(chat: Chat) -> None:
    attack = (
        "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script> javascript:alert(1)"
    )
    expect(chat.says(attack)).to_contain_text("<img src=x")
    assert chat.find("#log img, #log script, #log a").count() == 0
    assert "broken" not in chat.page.title()


def test_an_empty_message_and_one_too_long(chat: Chat) -> None:
    chat.box.press("Enter")
    expect(chat.find("#problem")).to_contain_text("Your message was empty.")
    chat.box.fill("x" * 900)
    expect(chat.find("#count")).to_have_text("900 of 1000 letters")
    chat.box.fill("word " * 300)
    chat.button("Send").click()
    chat.button("No, I will shorten it").click()
    expect(chat.box).not_to_be_empty()
    chat.box.fill("my mri " + "word " * 300)
    chat.button("Send").click()
    chat.button("Yes, explain it").click()
    expect(chat.replies.last).to_contain_text("In your report")


def test_a_choice_that_is_no_longer_open(chat: Chat, door: Door) -> None:
    chat.says("Was my first doctor wrong?")
    chat.page.route(
        "**/api/say", lambda route: route.continue_(post_data=route.request.post_data.replace("/tell_more", "/restart"))
    )
    chat.button("Tell me more").click()
    expect(chat.find("#problem")).to_contain_text("That choice is no longer open.")


def test_sending_too_fast_keeps_the_message(chat: Chat) -> None:
    for number in range(20):
        chat.says(f"message {number}")
    chat.box.fill("one too many")
    chat.box.press("Enter")
    failed = chat.find("#log > .user").last
    expect(failed).to_contain_text("Not sent")
    expect(chat.find("#problem")).to_contain_text("You are sending faster than I can read.")
    chat.page.wait_for_timeout(10_500)
    failed.get_by_role("button", name="Try again").click()
    expect(chat.replies.last).to_contain_text("You said: one too many")


def test_two_tabs_are_two_chats_and_a_copied_tab_is_the_same(door: Door, make_context: Make) -> None:
    context = make_context()
    first = Chat(context.new_page()).open(door.url)
    second = Chat(context.new_page()).open(door.url)
    first.says("only here")
    expect(second.find("#log")).not_to_contain_text("only here")
    with context.expect_page() as opened:
        first.page.evaluate("window.open(location.href)")
    copied = Chat(opened.value).ready()
    expect(copied.find("#log")).to_contain_text("only here")
    copied.says("from the copy")
    expect(first.replies.last).to_contain_text("You said: from the copy")


@pytest.mark.parametrize("code", ["please fail", "please say nothing"])
def test_an_honest_error(chat: Chat, code: str) -> None:
    problem = chat.says(code)
    expect(problem).to_have_class(re.compile("problem"))
    expect(problem.get_by_role("link", name="Call 911")).to_be_visible()
    chat.shot("error")


def test_news_is_pushed_and_leaves_open_choices_alone(chat: Chat, door: Door) -> None:
    chat.says("Was my first doctor wrong?")
    session = chat.page.evaluate("sessionStorage.getItem('plainspoken.token')").split(".")[1]
    body = json.dumps(
        {"id": session, "sender_id": f"web-{session}", "kind": "case.received", "reference": "PS-7K2M-Q4XD"}
    )
    now = datetime.now(timezone.utc)
    signature = Webhook(base64.b64encode(bytes.fromhex(door.secret("notices"))).decode()).sign("n", now, body)
    headers = {"webhook-id": "n", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}
    urllib.request.urlopen(urllib.request.Request(f"{door.url}/internal/notices", body.encode(), headers), timeout=5)
    expect(chat.replies.last).to_contain_text("The clinic has received your case. Your reference is PS-7K2M-Q4XD.")
    expect(chat.button("Tell me more")).to_be_visible()


def test_nothing_is_loaded_from_anywhere_else(door: Door, make_context: Make) -> None:
    page: Page = make_context().new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    chat = Chat(page).open(door.url)
    chat.says("Was my first doctor wrong?")
    assert [url for url in asked if not url.startswith((door.url, "data:", "blob:"))] == []
    assert page.context.cookies() == []
