"""Where a person says they are, and the numbers that follow."""

from __future__ import annotations

import pytest

from safety.numbers import country_named, country_said, numbers_for


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        (["I'm in Australia"], "AU"),
        (["we live in the UK and my dad can't walk"], "GB"),
        (["im in the us"], "US"),
        (["i am in Lyon, France, I can't pee"], "FR"),
        (["currently living in New Zealand"], "NZ"),
        (["I'm on holiday in Spain"], "ES"),
        (["writing from Canada"], "CA"),
        (["I live in India", "I'm in Ireland now"], "IE"),
        (["he lives in Northern Ireland"], "GB"),
        (["do you work in Australia?"], None),
        (["I'm not in Australia"], None),
        (["it hurts us in the back"], None),
        (["turkey sandwiches"], None),
        (["im in dublin"], "IE"),
        (["we live in Texas"], "US"),
        (["my surgeon is from London"], None),
        (["the hospital is in Boston"], None),
        ([], None),
    ],
)
def test_where_they_say_they_are(texts: list[str], code: str | None) -> None:
    assert country_said(texts) == code


def test_the_number_follows() -> None:
    assert numbers_for(country_said(["I'm in Germany"])).emergency == "112"
    assert numbers_for(country_said(["I'm in Australia"])).emergency == "000"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("UK", "GB"),
        ("actually canada", "CA"),
        ("us", "US"),
        ("texas", "US"),
        ("germany.", "DE"),
        ("tell us", None),
        ("", None),
    ],
)
def test_a_message_that_is_only_a_place(text: str, code: str | None) -> None:
    assert country_named(text) == code
