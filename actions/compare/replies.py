"""From a comparison to the messages a patient sees. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from actions.base import Button, Reply
from actions.compare.compare import Comparison
from knowledge.explain import compare_words


def comparison_replies(found: Comparison, *, emergency_number: str) -> list[Reply]:
    """What cannot wait, where they agree and differ, why, the evidence, what would settle it, whom to ask what."""
    texts, buttons = compare_words().texts, compare_words().buttons
    if not any(point.kind == "need" for point in found.points):
        return [Reply(texts["too_little"])]
    agree = [point.text for point in found.points if point.verdict == "agree"]
    differ = [point.text for point in found.points if point.verdict == "differ"]
    unclear = [point.text for point in found.points if point.verdict == "unclear"]
    custom = {"kind": "comparison", "differences": list(found.differences)}
    first = [texts["urgent_first"].format(emergency_number=emergency_number)]
    if agree:
        first.append(texts["agree"].format(lines=_lines(agree)))
    first.append(
        texts["differ"].format(lines=_lines(differ + unclear)) if differ or unclear else texts["no_difference"]
    )
    replies = [Reply("\n".join(first), custom=custom)]
    for name, lines in (
        ("reasons", found.reasons),
        ("evidence", tuple(remark.text for remark in found.evidence)),
        ("settle", found.settle),
        ("ask", found.ask),
    ):
        if lines:
            replies.append(Reply(texts[name].format(lines=_lines(lines))))
    offers = (Button(buttons["questions"], "/ask_questions_list"), Button(buttons["plan"], "/show_plan"))
    replies.append(Reply(texts["side"] if differ else texts["same_side"], offers))
    return replies


def _lines(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)
