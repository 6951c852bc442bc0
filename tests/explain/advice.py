"""What the reader takes for a letter's advice, in a form that tables of sentences are compared with."""

from __future__ import annotations

from actions.report.letter import take_apart
from actions.report.recommendation import Recommendation, find_recommendation

OPENING = "Dear colleague, thank you for referring her with pain of the lumbar spine.\n\n"


def advice_in(said: str) -> Recommendation:
    """The advice of a letter that says ``said`` after its opening."""
    return find_recommendation(take_apart(OPENING + said))


def told(advice: Recommendation) -> tuple[str, list[str], list[str]]:
    """The stance, the operations' ids and the levels' names, sorted."""
    operations = sorted(operation.id for operation in advice.operations)
    return advice.stance, operations, sorted(level.name for level in advice.levels)
