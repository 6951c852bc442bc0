"""The red-flag component as Rasa runs it: what it sets on a message, with the tracker it is given."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest
import yaml
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, SessionStarted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.training_data.message import Message

import bot.red_flag_component as component_module
from bot import after_emergency
from bot.red_flag_component import RedFlagComponent
from runtime.settings import ROOT
from safety.second_signal import SecondSignal

SLOTS = Domain.from_path(str(ROOT / "domain.yml")).slots


@pytest.fixture(scope="module")
def component() -> RedFlagComponent:
    return RedFlagComponent()


def tracker(*events: Any) -> DialogueStateTracker:
    return DialogueStateTracker.from_events(
        "someone", [SessionStarted(), ActionExecuted("action_listen"), *events], SLOTS
    )


def heard(
    component: RedFlagComponent, text: str, intent: str = "faq", on: DialogueStateTracker | None = None
) -> Message:
    message = Message({"text": text, "intent": {"name": intent, "confidence": 0.9}, "entities": []})
    component.process([message], on)
    return message


def told(component: RedFlagComponent, text: str) -> UserUttered:
    """The event that an earlier message of this session left."""
    data = heard(component, text).as_dict()
    return UserUttered(text, data["intent"], data["entities"], data)


def intent(message: Message) -> str:
    return str(message.get("intent")["name"])


def entities(message: Message) -> dict[str, Any]:
    return {entity["entity"]: entity["value"] for entity in message.get("entities")}


def test_a_red_flag_overrules_every_intent(component: RedFlagComponent) -> None:
    message = heard(component, "how much is a review? also i cant pee")
    assert message.get("intent") == {"name": "red_flag", "confidence": 1.0}
    assert entities(message)["escalation"] == "cauda_equina_emergency"
    assert entities(message)["escalation_categories"] == ["cauda_equina"]
    assert message.get("red_flags")[0]["evidence"] == "cant pee"


def test_an_ordinary_message_keeps_its_intent(component: RedFlagComponent) -> None:
    message = heard(component, "what is a second opinion?")
    assert intent(message) == "faq" and message.get("red_flags") == [] and message.get("decision_flags") == []


def test_a_red_flag_beside_a_decision_flag_is_a_red_flag(component: RedFlagComponent) -> None:
    message = heard(component, "he is rushing me to sign and i cant pee", on=tracker())
    assert entities(message)["escalation"] == "cauda_equina_emergency"
    assert message.get("decision_flags") == ["pressure"]


def test_decision_flags_are_noted_without_an_alarm(component: RedFlagComponent) -> None:
    message = heard(component, "he says fusion is my only option and never examined me")
    assert intent(message) == "faq"
    assert {"scan_only", "no_alternatives"} <= set(message.get("decision_flags"))


@pytest.mark.parametrize(
    ("country", "number"), [("US", "911"), ("GB", "999"), ("DE", "112"), (None, "your local emergency number")]
)
def test_the_number_is_that_of_the_country(component: RedFlagComponent, country: str | None, number: str) -> None:
    message = heard(component, "i cant pee", on=tracker(SlotSet("country", country)))
    assert number in entities(message)["emergency_number"]


def test_free_text_in_a_payload_is_read_and_cannot_be_put_back(component: RedFlagComponent) -> None:
    message = heard(component, '/explain_term{"term": "i want to die tonight"}')
    assert intent(message) == "red_flag"
    assert not message.get("text").startswith("/")  # else Rasa's own handler would restore the payload's intent


def test_a_plain_button_stays_a_button(component: RedFlagComponent) -> None:
    assert heard(component, '/escalation_reply{"choice":"calling"}').get("text").startswith("/")


@pytest.mark.parametrize(
    ("text", "said", "key"),
    [
        ("yes", "affirm", "cauda_equina_emergency"),
        ("/affirm", "", "cauda_equina_emergency"),
        ("not sure", "unsure", "cauda_equina_emergency"),
        ("how much is a review?", "faq", "cauda_equina_emergency"),
        ("no", "deny", "cleared"),
        ("/deny", "", "cleared"),
        ("my chest hurts", "faq", "heart_stroke_artery_emergency"),
    ],
)
def test_the_reply_to_a_question(component: RedFlagComponent, text: str, said: str, key: str) -> None:
    message = heard(component, text, said, tracker(SlotSet("clarify_open", "bladder")))
    assert entities(message)["escalation"] == key
    assert entities(message)["clarify_open"] == "answered"


def test_a_question_is_left_open_once(component: RedFlagComponent) -> None:
    assert entities(heard(component, "my bladder is playing up"))["clarify_open"] == "bladder"
    assert "clarify_open" not in entities(heard(component, "thanks", on=tracker(SlotSet("clarify_open", "answered"))))


def test_the_same_again_is_a_reminder_and_a_new_sign_is_not(component: RedFlagComponent) -> None:
    before = tracker(told(component, "i cant pee"))
    assert entities(heard(component, "i still cant pee", on=before))["escalation"] == "reminder"
    assert entities(heard(component, "now my groin is numb", on=before))["escalation"] == "cauda_equina_emergency"


def test_after_a_mistake_the_words_are_said_in_full_again(component: RedFlagComponent) -> None:
    before = tracker(told(component, "i cant pee"), UserUttered("i meant last year", {"name": "mistake"}))
    assert entities(heard(component, "i cant pee", on=before))["escalation"] == "cauda_equina_emergency"


@pytest.mark.parametrize(
    ("text", "choice"),
    [("ok I'm calling now", "calling"), ("we are going to the hospital", "going"), ("no, I'm not going", "not_going")],
)
def test_a_typed_answer_to_what_will_you_do(component: RedFlagComponent, text: str, choice: str) -> None:
    before = tracker(told(component, "i cant pee"), SlotSet("escalation", "cauda_equina_emergency"))
    message = heard(component, text, on=before)
    assert intent(message) == "escalation_reply" and entities(message)["choice"] == choice


def test_a_letter_is_read_as_a_letter(component: RedFlagComponent) -> None:
    letter = (
        "Dear Dr Example, Clinical history: back pain for one year. Findings: metastasis in L3, no cord compression. "
        "Conclusion: lesion as above. Sagittal and axial T2-weighted images were obtained with a comparison study and "
        "reviewed by the consultant. Yours sincerely, the department of radiology. Power and sensation were normal, and "
        "the examination showed no other finding of note."
    )
    message = heard(component, letter)  # its findings are for the reader to ask about
    assert intent(message) == "letter" and message.get("letter") and message.get("red_flags") == []
    message = heard(component, f"I can't pee since this morning. {letter}")
    assert entities(message)["escalation"] == "cauda_equina_emergency" and message.get("letter")


def test_its_own_failure_costs_nobody_their_turn_nor_the_alarm(
    component: RedFlagComponent, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret words of a patient")

    monkeypatch.setattr(component, "_look", broken)
    before = component_module.failures
    with caplog.at_level(logging.ERROR):
        assert intent(heard(component, "how much is it")) == "faq"
        assert entities(heard(component, "i cant pee"))["escalation"] == "cauda_equina_emergency"
        monkeypatch.setattr(component, "_look_at_words", broken)
        assert intent(heard(component, "i cant pee")) == "faq"
    assert component_module.failures == before + 4
    assert "secret words" not in " ".join(str(record.msg) for record in caplog.records)


def test_a_plain_topic_needs_a_clearer_sign_to_be_asked_about() -> None:
    signal = component_module.second_signal()
    assert signal.threshold < signal.plain_threshold
    between = (signal.threshold + signal.plain_threshold) / 2
    half = SecondSignal.__new__(SecondSignal)
    half.__dict__.update(
        signal.__dict__, labels=["none", "crisis"], thresholds={}, _weights=np.zeros((2, 1)), _concepts={}
    )
    half.__dict__["_bias"] = np.log([1 - between, between])
    assert half([0.0]) and half([0.0], plain=True) is None


def test_a_country_named_some_messages_later_gives_its_number_once(component: RedFlagComponent) -> None:
    events = [told(component, "i cant pee"), UserUttered("ok", {"name": "affirm"}), UserUttered("hm", {"name": "faq"})]
    message = heard(component, "UK", on=tracker(*events))
    assert entities(message)["escalation"] == "reminder" and entities(message)["emergency_number"] == "999"
    assert entities(message)["country"] == "GB"
    again = tracker(
        *events, UserUttered("we are in the UK", {"name": "red_flag"}), UserUttered("ok", {"name": "affirm"})
    )
    assert intent(heard(component, "I'm in the UK", on=again)) == "faq"


def test_the_intakes_own_question_for_the_country_is_answered_in_it(component: RedFlagComponent) -> None:
    """Else whoever begins an intake after emergency words is put out of it, and told the same at every answer."""
    asked = tracker(told(component, "i cant pee"), UserUttered("ok"), UserUttered("hm"), ActiveLoop("intake_form"))
    message = heard(component, "I live in Texas", on=asked)
    assert intent(message) == "faq" and entities(message)["country"] == "US"


def test_a_question_that_no_rule_asked_gives_way_to_a_plain_topic(component: RedFlagComponent) -> None:
    guess = {"assessment": {"rules": [], "category": "crisis", "tier": "clarify", "key": "clarify_coping"}}
    before = tracker(UserUttered("x", {"name": "red_flag"}, [], guess), SlotSet("clarify_open", "coping"))
    message = Message(
        {"text": "what do you need from us", "intent": {"name": "faq", "confidence": 0.9}, "entities": []}
    )
    message.set("topics", [{"id": "what_to_bring", "confidence": 0.9}])
    component.process([message], before)
    assert intent(message) == "faq"
    assert entities(heard(component, "dunno", "unsure", before))["escalation"] == "crisis_crisis"


def test_a_bare_country_means_nothing_where_nothing_was_told(component: RedFlagComponent) -> None:
    assert intent(heard(component, "UK", on=tracker())) == "faq"


@pytest.mark.parametrize(
    ("text", "said", "choice"),
    [
        ("ok the ambulance is coming", "nlu_fallback", "helped"),
        ("he says he wont go", "faq", "not_going"),
        ("ok ill ring the hospital", "faq", "calling"),
        ("what will they do there", "faq", "what_next"),
        ("what should i say to him", "faq", "persuade"),
        ("how do i get her to go", "nlu_fallback", "persuade"),
        ("what do i tell them", "nlu_fallback", "what_to_do"),
        ("what do i say to the nurse", "faq", "what_to_do"),
        ("how do i get there", "nlu_fallback", "ask_them"),
    ],
)
def test_an_answer_still_counts_a_few_messages_later(
    component: RedFlagComponent, text: str, said: str, choice: str
) -> None:
    before = tracker(told(component, "i cant pee"), UserUttered("hm", {"name": "faq"}))
    message = heard(component, text, said, on=before)
    assert intent(message) == "escalation_reply" and entities(message)["choice"] == choice


@pytest.mark.parametrize(
    "text", ["what do i do", "help me", "what now", "so what should I do??", "i dont know what to do"]
)
@pytest.mark.parametrize(
    ("first", "choice"),
    [
        ("i cant pee", "what_to_do"),
        ("i cant wake her up", "what_to_do"),
        ("my wound is leaking pus", "what_to_do_today"),
        ("i want to die", "heard_crisis"),
    ],
)
def test_what_do_i_do_asks_about_the_emergency(component: RedFlagComponent, first: str, choice: str, text: str) -> None:
    message = heard(component, text, "help", on=tracker(told(component, first)))
    assert intent(message) == "escalation_reply" and entities(message)["choice"] == choice


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("will i be paralysed", "faq"),
        ("can i drive there", "faq"),
        ("what hospital", "nlu_fallback"),
        ("how long will it take?", "faq"),
        ("is he going to be ok?", "about_me"),
        ("can i have a cup of tea first", "nlu_fallback"),
    ],
)
def test_a_question_about_the_emergency_is_for_those_on_the_phone(
    component: RedFlagComponent, text: str, said: str
) -> None:
    message = heard(component, text, said, on=tracker(told(component, "i cant pee")))
    assert intent(message) == "escalation_reply" and entities(message)["choice"] == "ask_them"


@pytest.mark.parametrize("text", ["how much is a review", "what is a fusion", "can you read my letter?"])
def test_a_subject_of_its_own_after_emergency_words_is_answered(component: RedFlagComponent, text: str) -> None:
    assert intent(heard(component, text, "faq", on=tracker(told(component, "i cant pee")))) == "faq"


@pytest.mark.parametrize("text", ["his face is funny", "they said 20 minutes"])
def test_a_remark_that_comes_near_a_topic_is_still_a_remark(component: RedFlagComponent, text: str) -> None:
    message = Message({"text": text, "intent": {"name": "faq", "confidence": 0.9}, "entities": []})
    message.set("topics", [{"id": "no_rapport", "confidence": 0.9}])
    component.process([message], tracker(told(component, "i think my dad is having a stroke")))
    assert entities(message)["escalation"].startswith(("reminder", "heart_stroke"))


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        ("one", "cleared"),
        ("just the left", "cleared"),
        ("both", "emergency"),
        ("both of them", "emergency"),
        ("dunno", "urgent"),
    ],
)
def test_the_leg_that_is_numb_is_told_in_a_word(component: RedFlagComponent, text: str, tier: str) -> None:
    asked = told(component, "numb leg")
    message = heard(component, text, "nlu_fallback", on=tracker(asked, SlotSet("clarify_open", "numb_leg")))
    assert (message.get("assessment") or {})["tier" if tier != "cleared" else "key"] == tier


def test_means_at_hand_after_crisis_words_are_an_emergency(component: RedFlagComponent) -> None:
    message = heard(component, "i have tablets", "faq", on=tracker(told(component, "i want to die")))
    assert entities(message)["escalation"] == "crisis_emergency"


def test_a_question_of_its_own_after_the_words_is_answered(component: RedFlagComponent) -> None:
    on = tracker(told(component, "my wound is leaking pus"))
    message = heard(component, "what should i do if two surgeons tell me different things about my back", "faq", on=on)
    assert intent(message) == "faq"


@pytest.mark.parametrize("text", ["is that serious", "can it wait", "should i wait", "how long have i got"])
def test_nobody_who_was_told_to_get_help_hears_that_it_can_wait(component: RedFlagComponent, text: str) -> None:
    message = heard(component, text, on=tracker(told(component, "i cant pee")))
    assert entities(message)["escalation"] == "reminder"


@pytest.mark.parametrize("text", ["its probably just from sitting too much", "since about a week", "been here 5 hours"])
def test_a_remark_right_after_the_words_is_no_question(component: RedFlagComponent, text: str) -> None:
    message = heard(component, text, "nlu_fallback", on=tracker(told(component, "i cant pee")))
    assert entities(message)["escalation"] == "reminder"


def test_two_messages_together_may_hold_a_sign_that_neither_holds(component: RedFlagComponent) -> None:
    before = tracker(UserUttered("I had breast cancer five years ago", {"name": "faq"}))
    assert intent(heard(component, "my back started hurting 3 weeks ago", on=tracker())) == "faq"
    message = heard(component, "my back started hurting 3 weeks ago", on=before)
    assert entities(message)["escalation"] == "cancer_urgent"
    before = tracker(UserUttered("my calf is a bit sore", {"name": "faq"}))
    assert entities(heard(component, "it's swollen, just the left", on=before))["escalation"] == "blood_clot_urgent"


def test_what_is_at_hand_counts_after_crisis_words_alone(component: RedFlagComponent) -> None:
    assert intent(heard(component, "i have a load of morphine at home", on=tracker())) == "faq"
    before = tracker(told(component, "i want to die"))
    assert (
        entities(heard(component, "i have a load of morphine at home", on=before))["escalation"] == "crisis_emergency"
    )
    message = heard(component, "no i dont want to die i just want the pain to stop", on=before)
    assert intent(message) == "escalation_reply" and entities(message)["choice"] == "safe"


def test_who_only_denies_signs_is_thanked(component: RedFlagComponent) -> None:
    message = heard(component, "no fever, no numbness between my legs", "nlu_fallback", on=tracker())
    assert entities(message)["escalation"] == "cleared"
    message = heard(component, "no numbness between my legs", "faq", tracker(SlotSet("clarify_open", "bladder")))
    assert entities(message)["escalation"] == "cleared"


@pytest.mark.parametrize(
    ("first", "text", "said", "choice"),
    [
        ("i cant pee", "ok", "affirm", "heard"),
        ("i cant pee", "yes", "affirm", "helped"),
        ("my foot slaps when i walk", "yes", "affirm", "heard"),
        ("my dad has chest pain", "yes", "affirm", "staying"),
        ("my dad has chest pain", "should i leave him alone", "faq", "staying"),
        ("i want to die", "ok", "affirm", "heard_crisis"),
        ("i want to die", "its just words", "nlu_fallback", "safe"),
        ("i want to die", "leave me alone", "faq", "let_be_crisis"),
        ("i want to die", "i don't want to talk about it", "stop", "let_be_crisis"),
        ("i want to die", "i don't have a plan", "show_plan", "heard_crisis"),
        ("my son says he wants to die", "should i leave him alone", "faq", "stay_crisis"),
        ("my face is drooping", "i have no insurance", "faq", "cost"),
        ("i cant pee", "my gp said its nothing serious", "faq", "disbelief"),
        ("i cant pee", "i dont want to bother them on a sunday", "faq", "bother"),
        ("i cant pee", "it's so embarrassing", "nlu_fallback", "bother"),
        ("my mum cant feel her legs", "she doesnt want to go to hospital", "faq", "not_going"),
        ("my wound is oozing green", "its sunday and nobody answers", "faq", "no_answer"),
    ],
)
def test_what_a_reply_to_the_words_stands_for(
    component: RedFlagComponent, first: str, text: str, said: str, choice: str
) -> None:
    message = heard(component, text, said, on=tracker(told(component, first)))
    assert intent(message) == "escalation_reply" and entities(message)["choice"] == choice


def test_ok_after_the_reminder_is_no_someone_is_with_me(component: RedFlagComponent) -> None:
    first = told(component, "i cant pee")
    serious = heard(component, "is that serious", on=tracker(first))
    again = UserUttered("is that serious", {"name": "red_flag"}, [], {"assessment": serious.get("assessment")})
    message = heard(component, "ok", "affirm", on=tracker(first, again))
    assert entities(message)["choice"] == "heard"


def test_a_remark_about_the_person_is_met_with_the_reminder(component: RedFlagComponent) -> None:
    before = tracker(told(component, "my mum cant feel her legs"), UserUttered("hm", {"name": "faq"}))
    message = Message({"text": "she is 82 and stubborn", "intent": {"name": "faq", "confidence": 0.9}, "entities": []})
    message.set("topics", [{"id": "under_18", "confidence": 0.9}])
    component.process([message], before)
    assert entities(message)["escalation"] == "reminder"


def test_a_no_to_a_later_question_takes_nothing_back(component: RedFlagComponent) -> None:
    before = tracker(told(component, "i took all my tablets"), SlotSet("clarify_open", "coping"))
    assert entities(heard(component, "no", "deny", on=before))["escalation"] == "reminder"


def test_every_reply_has_words() -> None:
    replies = yaml.safe_load((ROOT / "knowledge" / "en" / "escalation_replies.yml").read_text(encoding="utf-8"))[
        "replies"
    ]
    choices = {
        *after_emergency._BARRIERS.values(),
        *after_emergency._REPLIES.values(),
        *after_emergency._AFTER_CRISIS.values(),
    }
    others = {"safe", "fear", "no_answer", "what_to_do_today", "ask_them"}
    assert choices | set(after_emergency._AFTER_CRISIS) | others <= set(replies)


def test_what_was_picked_at_the_safety_screen_was_told(component: RedFlagComponent) -> None:
    screened = [
        UserUttered("yes", {"name": "affirm"}),
        SlotSet("intake_outcome", "escalate"),
        SlotSet("escalation", "crisis_crisis"),
        SlotSet("escalation_tier", "crisis"),
        SlotSet("escalation_categories", ["crisis"]),
    ]
    message = heard(component, "no i would never do that", "deny", on=tracker(*screened))
    assert entities(message)["choice"] == "safe"
    assert intent(heard(component, "no", "deny", on=tracker(*screened, SlotSet("intake_outcome", "ended")))) == "deny"


@pytest.mark.parametrize(
    ("text", "topic", "asked"),
    [
        ("what would you do if you were me", "should_i_have_surgery", False),
        ("I just want it to stop", "should_i_have_surgery", True),
        ("what is wrong with me", "diagnose_me", True),
    ],
)
def test_a_plain_wish_for_advice_is_asked_about_nothing_graver(text: str, topic: str, asked: bool) -> None:
    message = Message({"text": text, "intent": {"name": "faq", "confidence": 0.95}, "topics": [{"id": topic}]})
    assert component_module._is_clear(message, crisis=True) is not asked


def test_grief_is_not_plain_beside_a_crisis() -> None:
    message = Message({"text": "x", "intent": {"name": "chitchat", "confidence": 0.95}, "label": "chitchat/grief"})
    assert not component_module._is_clear(message, crisis=True)
