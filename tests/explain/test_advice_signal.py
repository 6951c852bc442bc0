"""The learned reader of advice backs or doubts what the rules found; what only looks like two minds is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actions.report.advice_signal import advice_signal, chances_of_advice
from actions.report.letter import take_apart
from actions.report.reader import Reading, read
from actions.report.replies import report_replies
from actions.report.said import Kind, judge
from knowledge.explain import explain_words
from tests.explain.advice import OPENING

READING = read(OPENING + "I recommend an L4/5 decompression and fusion.")


def said(reading: Reading) -> str:
    return "\n".join(reply.text for reply in report_replies(reading, emergency_number="911", phone=""))


def test_the_learned_weights_are_of_kinds_there_are() -> None:
    learned = advice_signal()
    assert set(learned.kinds) <= set(Kind.__members__)
    assert all(len(row) == len(learned.kinds) for row in learned.weights.values())


# None of these stands in a sample letter.
HEARD = [
    ("Our advice to this gentleman is an L4/5 laminotomy.", "ADVISED"),
    ("I see no call for an L5/S1 fusion here.", "REFUSED"),
    ("In 2011 he underwent an L4/5 discectomy in Leeds.", "DONE"),
]


@pytest.mark.parametrize(("sentence", "kind"), HEARD)
def test_it_hears_what_is_said_of_an_operation(sentence: str, kind: str) -> None:
    told = take_apart(OPENING + sentence).sentences[-1]
    named = next(iter(judge(told)))
    assert named.at
    chances = chances_of_advice(told, None, *named.at)
    assert max(chances, key=chances.__getitem__) == kind
    assert sum(chances.values()) == pytest.approx(1)


def test_what_it_backs_is_told_plainly() -> None:
    assert READING.recommendation.sure
    assert explain_words().unsure not in said(READING)


def test_what_it_doubts_is_told_as_unsure() -> None:
    doubted = replace(READING, recommendation=replace(READING.recommendation, sure=False))
    text = said(doubted)
    assert text.index(explain_words().unsure) < text.index("recommends an operation")


def test_an_operation_it_doubts_beside_another_is_told_apart() -> None:
    advice = READING.recommendation
    first, *others = advice.operations
    text = said(replace(READING, recommendation=replace(advice, operations=(first,), doubtful=tuple(others))))
    assert f"The operation: {first.name}" in text
    assert f"It also speaks of: {others[0].name}" in text


TWO_MINDS = [
    ("I do not recommend ACDF at C5/6. He has been listed for ACDF at C5/6.", True),
    ("I recommend L4/5 decompression and fusion. I do not recommend fusion.", True),
    ("I don't recommend a fusion of the lumbar spine. I do recommend a right SI joint fusion.", False),
    ("Short fusion L4 to S1: not advised. Osteotomy at L4 with fusion from T10 to S1: advised.", False),
    ("I would not do a simple decompression. I recommend a decompression and fusion at L3/4.", False),
    ("I do not recommend a fusion today. I recommend a fusion at L4/5 in the spring.", False),
]


@pytest.mark.parametrize(("text", "differ"), TWO_MINDS)
def test_only_what_contradicts_itself_is_said_to(text: str, differ: bool) -> None:
    assert ("advice" in [mismatch.kind for mismatch in read(OPENING + text).mismatches]) == differ
