"""The renderer against its limits: by example, and for whatever texts and choices there may be."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.choices import Choices
from bot.channels.renderer import LIMITS, Limits, plain, render
from knowledge.content import content
from tests.conftest import ROOT

BUTTONS = st.lists(
    st.fixed_dictionaries({"title": st.text(min_size=1, max_size=60), "payload": st.text(min_size=1, max_size=80)}),
    max_size=14,
)
KINDS = pytest.mark.parametrize("kind", LIMITS)


def said(text: str, buttons: Any = (), custom: Any = None) -> dict[str, Any]:
    return {"text": text, "buttons": list(buttons), "custom": custom}


def test_the_table_in_the_documentation_is_true() -> None:
    rows = re.findall(r"^\| (\w+) \| ([\d ()|]+) \|$", Path(ROOT / "docs" / "channels.md").read_text(), re.MULTILINE)
    written = {}
    for kind, cells in rows:
        numbers = [int(number) for number in re.findall(r"\d+", cells)]
        unicode_text = numbers.pop(1) if "(" in cells else 0
        written[kind] = Limits(*numbers, unicode_text=unicode_text)
    assert written == LIMITS
    assert len(dataclasses.fields(Limits)) == 9


@KINDS
@given(text=st.text(max_size=6_000), buttons=BUTTONS, urgent=st.booleans())
def test_no_channel_is_given_more_than_it_takes(kind: str, text: str, buttons: Any, urgent: bool) -> None:
    limits = LIMITS[kind]
    custom = {"kind": "escalation"} if urgent else None
    shown = render(said(text, buttons, custom), kind)
    for bubble in shown.bubbles:
        assert len(bubble.text) <= limits.whole
        assert len(bubble.buttons) <= limits.buttons
        for title, option in bubble.buttons:
            assert 0 < len(title) <= limits.title and len(option.encode()) <= limits.payload
            assert len(bubble.text) <= limits.button_text
    if urgent:
        assert shown.rest == ""


@KINDS
def test_nothing_of_a_long_text_is_lost(kind: str) -> None:
    text = " ".join(f"Sentence number {number} stands here." for number in range(900))
    heard, rest = "", text
    while rest:
        shown = render(said(rest), kind)
        heard += " ".join(bubble.text for bubble in shown.bubbles).replace("\nReply MORE to read on.", "") + " "
        rest = shown.rest
    assert heard.split() == text.split()


@KINDS
def test_every_answer_and_its_choices_can_be_shown(kind: str) -> None:
    for answer in content().answers.values():
        related = [{"title": content().answers[t].ask, "payload": f'/faq{{"topic":"{t}"}}'} for t in answer.related[:2]]
        shown = render(said(answer.short, [{"title": "Tell me more", "payload": "/tell_more"}, *related]), kind)
        if kind == "messenger" and len(related) < 3:
            assert shown.bubbles[-1].buttons, answer.id  # every topic's label fits on a button
        for number, option in enumerate(shown.options, 1):
            assert Choices().after(shown, first=True).picked(str(number)) == option.payload


@pytest.mark.parametrize(
    ("marked", "shown"),
    [
        ("**bold** and __bold__ and *it* and _it_", "bold and bold and it and it"),
        ("[a page](https://example.org/a)", "a page (https://example.org/a)"),
        ("# Head\ntext", "Head\ntext"),
        ("- one\n* two", "• one\n• two"),
        ("`code` and ~~gone~~", "code and gone"),
        ("2 * 3 * 4, C5-C6, L4_L5, snake_case_name", "2 * 3 * 4, C5-C6, L4_L5, snake_case_name"),
        ("less than <4 mm> & more", "less than <4 mm> & more"),
    ],
)
def test_no_markdown(marked: str, shown: str) -> None:
    assert plain(marked) == shown


def test_sources_are_short_and_not_said_twice() -> None:
    sources = [{"id": "a", "title": "A guideline on " + "very " * 40 + "much"}, {"id": "b", "title": "A trial"}]
    shown = render(said("An answer. A trial", custom={"kind": "answer", "sources": sources}), "telegram")
    (line,) = shown.bubbles[0].text.splitlines()[1:]
    assert line.startswith("Source: A guideline") and line.endswith("…") and len(line) <= 100
    assert "Source" not in render(said("x", custom={"kind": "answer", "sources": sources}), "sms").bubbles[0].text


def test_an_sms_keeps_to_the_sms_alphabet() -> None:
    (bubble,) = render(said("Don’t wait – “ask” …"), "sms").bubbles
    assert bubble.text == 'Don\'t wait - "ask" ...'
    assert all(len(bubble.text) <= 201 for bubble in render(said("ж" * 150 + " " + "ж" * 500), "sms").bubbles)


def test_a_choice_of_an_sms_is_named_by_its_topic_only_where_that_is_shorter() -> None:
    buttons = [
        {"title": "Ask a question", "payload": '/faq{"topic":"what_is_second_opinion"}'},
        {"title": "Can it be done online or do I have to go in?", "payload": '/faq{"topic":"formats"}'},
    ]
    (bubble,) = render(said("What would you like?", buttons=buttons), "sms").bubbles
    assert "1. Ask a question" in bubble.text and "2. Online or in person?" in bubble.text
