"""What the safety net decides, turn by turn; the conversation tests show it against a dead action server."""

import pytest

from bot.safety_net_policy import next_action


@pytest.mark.parametrize(
    ("done", "failed", "red_flag", "form", "expected"),
    [
        ([], False, True, False, "words"),
        ([], False, True, True, "words"),
        (["words"], False, True, True, "action_deactivate_loop"),
        (["words", "action_deactivate_loop"], False, True, False, "record"),
        (["words", "record"], True, True, False, "action_listen"),
        (["words", "action_deactivate_loop", "record", "form"], False, True, True, "action_listen"),
        ([], False, False, True, None),
        (["form"], False, False, True, None),
        (["form"], True, False, True, "sorry"),
        (["form", "sorry"], False, False, True, "action_listen"),
        (["quiet"], True, False, False, None),
    ],
)
def test_next_action(done: list, failed: bool, red_flag: bool, form: bool, expected: str) -> None:
    found = next_action(
        done,
        failed=failed,
        red_flag=red_flag,
        form=form,
        speakers=frozenset({"form"}),
        words="words",
        record="record",
        sorry="sorry",
    )
    assert found == expected
