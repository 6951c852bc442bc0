"""What a short message means after what was said before it."""

from __future__ import annotations

from typing import Any

import pytest
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, BotUttered, SessionStarted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.training_data.message import Message

from bot.context_reader import ContextReader, picked
from runtime.settings import ROOT

SLOTS = Domain.from_path(str(ROOT / "domain.yml")).slots
CHOICES = [
    {"title": "How much does it cost?", "payload": '/faq{"topic":"cost"}'},
    {"title": "How long does it take?", "payload": '/faq{"topic":"how_long"}'},
    {"title": "Talk to a person", "payload": "/human"},
]


def read(
    text: str, intent: str, *events: Any, topics: list[dict[str, Any]] | None = None, sure: float | None = None
) -> Message:
    data = {"text": text, "intent": {"name": intent, "confidence": sure or 0.9}, "entities": [], "topics": topics or []}
    if sure is not None:
        data["understanding"] = {"level": "sure"}
    tracker = DialogueStateTracker.from_events(
        "someone", [SessionStarted(), ActionExecuted("action_listen"), *events], SLOTS
    )
    message = Message(data)
    ContextReader().process([message], tracker)
    return message


def offer(kind: str | None) -> list[Any]:
    custom = {"custom": {"kind": kind}} if kind else {}
    return [UserUttered("hm", {"name": "faq"}), BotUttered("Which one?", {"buttons": CHOICES, **custom})]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("the second one", 1),
        ("2", 1),
        ("first", 0),
        ("ok the last one please", 2),
        ("number 3", 2),
        ("option 4", None),
        ("the second opinion", None),
        ("second opinion?", None),
        ("I have had 2 operations", None),
        ("", None),
    ],
)
def test_the_place_of_a_choice(text: str, place: int | None) -> None:
    assert picked(text, 3) == place


def test_a_choice_that_was_offered_is_taken() -> None:
    message = read("the second one", "faq", *offer("fallback"))
    assert message.get("intent")["name"] == "faq"
    assert [(e["entity"], e["value"]) for e in message.get("entities")] == [("topic", "how_long")]
    assert read("the last one", "faq", *offer(None)).get("intent")["name"] == "human"


def test_the_ways_on_from_an_answer_are_no_list_to_choose_from() -> None:
    assert read("the second one", "faq", *offer("answer")).get("entities") == []


def test_nothing_is_taken_back_that_was_not_said() -> None:
    events = (UserUttered("could the screws be loose", {"name": "faq"}),)
    likely = [{"id": "which_scan", "confidence": 0.09}]
    assert read("how would they check", "already_seen", *events, topics=likely).get("label") == "faq/which_scan"
    assert read("its been like that for months", "mistake", *events).get("intent")["name"] == "nlu_fallback"


def test_what_was_told_can_be_taken_back() -> None:
    told = {"assessment": {"rules": ["ces.retention"], "category": "cauda_equina", "tier": "emergency", "key": "x"}}
    event = UserUttered("i cant pee", {"name": "red_flag"}, [], told)
    assert read("that was a mistake", "mistake", event).get("intent")["name"] == "mistake"


EXPLAINED = [UserUttered("what is spondylolisthesis", {"name": "explain_term"}), BotUttered("One bone has slipped.")]


@pytest.mark.parametrize(
    "text",
    [
        "is it dangerous",
        "and is that serious?",
        "can it get better on its own",
        "how often does it go away?",
        "will this get worse over time",
        "ok but can it be fixed",
        "should i be worried about it",
    ],
)
def test_whether_what_was_explained_is_bad_asks_about_the_person(text: str) -> None:
    assert read(text, "faq", *EXPLAINED).get("intent")["name"] == "about_me"
    assert read(text, "faq", *offer("answer")).get("intent")["name"] == "faq"


@pytest.mark.parametrize(
    "text",
    ["is it better to wait for a second opinion first before signing", "does it cost more", "is a fusion dangerous"],
)
def test_what_names_its_own_subject_after_a_word_is_left_alone(text: str) -> None:
    assert read(text, "faq", *EXPLAINED).get("intent")["name"] == "faq"


def test_the_next_word_is_explained_too() -> None:
    assert read("and stenosis", "nlu_fallback", *EXPLAINED).get("intent")["name"] == "explain_term"
    assert read("what about facet joints?", "nlu_fallback", *EXPLAINED).get("intent")["name"] == "explain_term"
    assert read("and stenosis", "faq", *EXPLAINED, sure=0.48).get("intent")["name"] == "explain_term"
    assert read("and the cost?", "faq", *EXPLAINED, sure=0.84).get("intent")["name"] == "faq"
    assert read("and what now?", "nlu_fallback", *EXPLAINED).get("intent")["name"] == "nlu_fallback"
    assert read("and stenosis", "nlu_fallback", *offer("answer")).get("intent")["name"] == "nlu_fallback"


REPORT = [
    UserUttered("/start_report", {"name": "letter"}),
    BotUttered(
        "I have read it.",
        {
            "buttons": [
                {"title": "Questions to ask", "payload": "/ask_questions_list"},
                {"title": "Keep for my plan", "payload": '/letter{"choice":"keep"}'},
                {"title": "Compare 2 opinions", "payload": "/start_compare"},
            ],
            "custom": {"kind": "report_check"},
        },
    ),
]


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("keep it", "letter"),
        ("ok, compare", "start_compare"),
        ("questions please", "ask_questions_list"),
        ("what should I keep in mind", "faq"),
        ("how do the opinions compare", "faq"),
    ],
)
def test_a_button_under_a_letter_is_named_in_a_word(text: str, intent: str) -> None:
    assert read(text, "faq", *REPORT).get("intent")["name"] == intent


@pytest.mark.parametrize(("text", "intent"), [("add: can I swim afterwards", "edit_questions"), ("can I swim", "faq")])
def test_after_the_list_of_questions_what_is_added_is_no_question_to_us(text: str, intent: str) -> None:
    listed = UserUttered("make my list", {"name": "ask_questions_list"})
    assert read(text, "faq", listed).get("intent")["name"] == intent


def test_who_is_in_hospital_tells_what_happens_there() -> None:
    events = (UserUttered("I'm in hospital", {"name": "already_seen"}),)
    assert read("they are doing a scan", "already_seen", *events).get("intent")["name"] == "already_seen"


def test_the_second_of_several_questions_is_asked_about_again() -> None:
    parts = {"parts": [{"topic": "formats"}, {"topic": "cost"}]}
    event = UserUttered("does she have to travel? what does it cost?", {"name": "faq"}, [], parts)
    assert [e["value"] for e in read("and the second one?", "faq", event).get("entities")] == ["cost"]


@pytest.mark.parametrize(
    ("topic", "text", "intent", "about"),
    [
        ("reherniation", "is that common", "tell_more", None),
        ("surgery_risks", "how common is that?", "tell_more", None),
        ("why_differ", "is it normal", "faq", "how_often_differ"),
        ("why_differ", "does that happen a lot?", "faq", "how_often_differ"),
        ("cost", "is that normal", "nlu_fallback", None),
        ("reherniation", "is that common knowledge among surgeons", "nlu_fallback", None),
    ],
)
def test_how_common_that_is_depends_on_what_was_spoken_of(
    topic: str, text: str, intent: str, about: str | None
) -> None:
    asked = UserUttered("what about it", {"name": "faq"})
    message = read(text, "nlu_fallback", asked, SlotSet("last_topic", topic))
    assert message.get("intent")["name"] == intent
    assert [e["value"] for e in message.get("entities")] == ([about] if about else [])


@pytest.mark.parametrize(
    ("word", "text", "intent"),
    [
        ("what's a laminectomy", "and is it dangerous", "faq"),
        ("what's a fusion", "is that safe?", "faq"),
        ("what's stenosis", "is it dangerous", "about_me"),
        ("what's a laminectomy", "is it common", "about_me"),
    ],
)
def test_whether_an_operation_is_dangerous_is_a_question_about_risks(word: str, text: str, intent: str) -> None:
    explained = UserUttered(word, {"name": "explain_term"})
    assert read(text, "nlu_fallback", explained).get("intent")["name"] == intent


@pytest.mark.parametrize(
    ("text", "intent"),
    [("what is that", "ask_why"), ("ok, what\u2019s that?", "ask_why"), ("what is that based on", "nlu_fallback")],
)
def test_what_is_that_points_at_what_was_just_said(text: str, intent: str) -> None:
    told = UserUttered("i have been told i need an acdf", {"name": "faq"})
    assert read(text, "nlu_fallback", told).get("intent")["name"] == intent
