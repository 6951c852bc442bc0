"""Short lines of letters with what they advise (``advice_lines.yml``): who advises, refusals, conditions, answers, levels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from knowledge.loader import load
from tests.explain.advice import advice_in, told


@dataclass(frozen=True)
class Lines:
    """Under each stance the lines that have it: what is said, the operations and the levels."""

    lines: dict[str, tuple[tuple[str, str, str], ...]]


FILE = Path(__file__).parent / "advice_lines.yml"
CASES = [
    (stance, said, stance, operations, levels)
    for stance, cases in load(FILE, Lines).lines.items()
    for said, operations, levels in cases
]


@pytest.mark.parametrize(("about", "said", "stance", "operations", "levels"), CASES)
def test_what_a_line_advises(about: str, said: str, stance: str, operations: str, levels: str) -> None:
    assert told(advice_in(said)) == (stance, sorted(operations.split()), sorted(levels.split())), about
