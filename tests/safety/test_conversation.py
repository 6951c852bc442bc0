"""The reply to a clarifying question, and when words are repeated. Pure functions of plain data."""

from __future__ import annotations

from dataclasses import replace

import pytest

from safety.conversation import Told, after_question, after_told, in_words_for, together, without_guess
from safety.detect import Assessment, Detector, Learned, assess, detect, detector
from safety.questions import questions


def read(text: str) -> Assessment:
    return assess(detect(text), None, detector().states(text))


@pytest.mark.parametrize("question", sorted(questions()))
def test_yes_leads_to_the_tier_of_the_question(question: str) -> None:
    found = after_question(question, "affirm", Assessment())
    assert (found.tier, found.category) == (questions()[question].yes, questions()[question].category)


@pytest.mark.parametrize("question", sorted(questions()))
@pytest.mark.parametrize("reply", ["unsure", "faq", "nlu_fallback", "chitchat"])
def test_not_sure_or_no_answer_goes_up(question: str, reply: str) -> None:
    assert after_question(question, reply, Assessment()).tier == questions()[question].unsure


@pytest.mark.parametrize("reply", ["deny", "mistake", "already_seen"])
def test_no_stands_down(reply: str) -> None:
    found = after_question("bladder", reply, Assessment())
    assert (found.tier, found.key) == ("none", "cleared")


def test_a_second_vague_sign_goes_up_instead_of_being_asked_again() -> None:
    assert after_question("bladder", "faq", read("it just feels weird down there")).tier == "emergency"


def test_no_with_a_new_sign_escalates_for_the_sign() -> None:
    found = after_question("bladder", "deny", read("no but my left foot won't lift"))
    assert (found.tier, found.category) == ("urgent", "limb_weakness")


def test_the_same_again_is_a_reminder_and_anything_new_or_worse_is_told_in_full() -> None:
    first = read("i cant pee")
    told = Told(frozenset(f.rule for f in first.findings), frozenset(first.categories), first.tier)
    assert after_told(read("i still cant pee"), told).key == "reminder"
    assert after_told(read("i cant pee and it is getting worse"), told).key == "cauda_equina_emergency"
    assert after_told(read("now my groin is numb"), told).key == "cauda_equina_emergency"
    assert after_told(read("my chest hurts"), told).category == "heart_stroke_artery"


def test_a_lesser_sign_of_what_was_told_is_no_new_advice() -> None:
    """Who was told to call an ambulance is not told to see a doctor today, because a message says "she is 82"."""
    first = read("my mum fell down the stairs and cant move")
    told = Told(frozenset(f.rule for f in first.findings), frozenset(first.categories), first.tier)
    assert after_told(read("she is 82 and fell, her back is agony"), told).key == "reminder"


def test_in_hospital_already_and_under_eighteen() -> None:
    assert in_words_for(read("I'm in A&E waiting and I can't pee")).key == "in_care"
    assert in_words_for(read("im 15 and i want to die")).key == "crisis_crisis_minor"
    assert in_words_for(read("i want to die")).key == "crisis_crisis"


def test_the_learned_signal_only_raises() -> None:
    learned = Learned("cauda_equina", "emergency")
    assert assess(detect("hello"), learned).key == "clarify_saddle"
    assert assess(detect("my bladder is playing up"), learned).tier == "emergency"
    assert assess(detect("i want to die"), learned).tier == "crisis"
    assert assess(detect("no numbness between my legs"), learned).tier == "none"


def test_the_learned_signal_is_sure_of_a_single_sentence_only() -> None:
    sure = Learned("cauda_equina", "emergency", sure=True)
    assert assess(detect("hello"), sure).tier == "emergency"
    assert assess(detect("hello"), replace(sure, brief=False)).key == "clarify_saddle"
    assert assess(detect("my bladder is playing up"), replace(sure, brief=False)).tier == "emergency"


def test_evidence_is_in_the_patients_own_words() -> None:
    (finding,) = [f for f in detect("Hello. I CAN'T pee, help") if f.rule == "ces.retention"]
    assert finding.evidence == "CAN'T pee"


def test_a_guess_beside_a_plain_topic_is_not_asked_about_whatever_is_said_of_the_decision() -> None:
    guess = Learned("crisis", "crisis")
    said = detect("he wants me to sign today")
    assert any(finding.tier == "decision" for finding in said)
    found = assess(said, guess)
    assert found.tier == "clarify"
    assert without_guess(found, Told(), plain=True).tier == "none"
    assert without_guess(found, Told(), plain=False) == found


def test_no_sign_across_two_messages_is_missed_where_a_look_is_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    phrases = [rule.positive[0] for _, rule in detector().rules if rule.positive]
    pairs = [pair for step in (1, 5, 23) for pair in zip(phrases, phrases[step:])]

    def across() -> list[list[str]]:
        return [[f.rule for f in together(before, said, detect(said), detector())] for before, said in pairs]

    found, saved = across(), [pair for pair in pairs if not detector().may_span(pair)]
    monkeypatch.setattr(Detector, "may_span", lambda *_: True)
    assert found == across() and any(found), "the pairs hold no sign across two messages"
    assert len(saved) > len(pairs) / 4, "hardly a look was saved"
