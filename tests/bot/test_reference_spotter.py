"""Messages that are little more than a number, and look-alikes."""

import pytest

from bot.reference_spotter import meaning


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PS-7K3M-Q0XD", "case_status"),
        ("my number is ps 7k3m qoxd", "case_status"),
        ("PS7K3MQ0XD and my phone is 202 555 0143", "case_status"),
        ("continue RC-AB12-CD34", "resume"),
        ("PS-12345", "case_status"),
        ("ps: my back hurts", None),
        ("ps i am 45", None),
        ("perhaps this will help", None),
        ("I had surgery at St Mary's, PS-7K3M-Q0XD was the number, and since then my leg hurts and I wonder why", None),
        ("/restart", None),
    ],
)
def test_meaning(text: str, expected: str) -> None:
    assert meaning(text) == expected
