"""A finished conversation as the case that is delivered. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from actions.intake.dates import bounds
from actions.intake.letters import FIELD, named
from actions.intake.state import Answer, Letter, State
from knowledge.intake import questionnaire
from runtime.settings import KNOWLEDGE
from safety.rules import RULES_VERSION

PRIORITY_OF_TIER = {"emergency": "stat", "crisis": "stat", "urgent": "urgent", "soon": "soon", "clarify": "soon"}
PRIORITIES = ("routine", "soon", "urgent", "stat")
SOON_DAYS, URGENT_DAYS = 21, 7
LONGEST_TRANSCRIPT = 400


def build_case(
    state: State,
    *,
    now: datetime,
    red_flags: Sequence[Mapping[str, Any]],
    decision_flags: Sequence[str],
    transcript: Sequence[Mapping[str, str]],
) -> dict[str, Any]:
    """Return the delivery contract's ``data`` of an intake, without the keys that the store fills in.

    Args:
        red_flags: what was escalated during the conversation, besides what the safety screen found.
    """
    flags = [*red_flags]
    known = {(flag["category"], flag.get("rule")) for flag in flags}
    flags += [flag for flag in state.red_flags if (flag["category"], flag["rule"]) not in known]
    return {
        "priority": priority([flag["tier"] for flag in flags], _deadlines(state), now.date()),
        "country": state.value("country") or "",
        "subject": {
            "name": state.value("name"),
            "birth_date": state.value("birth_date"),
            "phone": state.value("phone"),
            "email": state.value("email"),
        },
        "informant": state.said_by,
        "answers": {field.id: _answer(state, field.id) for field in questionnaire().fields},
        "red_flags": [dict(flag) for flag in flags],
        "decision_flags": list(dict.fromkeys(decision_flags)),
        "consent": {
            "policy_version": questionnaire().policy_version,
            "given": {
                field.id.removeprefix("consent_"): state.value(field.id) == "yes"
                for field in questionnaire().fields
                if field.path == "consent"
            }
            | ({"letters": bool(state.files)} if FIELD in state.answers else {}),
            "at": state.consent_at,
            **({"letters_at": state.letters_at} if state.files else {}),
        },
        "files": [
            {"id": file.id, "name": name, "type": file.type, "size": file.size, "sha256": file.sha256}
            for file, name in zip(state.files, named(state.files), strict=True)
        ],
        "transcript": [dict(turn) for turn in transcript[-LONGEST_TRANSCRIPT:]],
        "questionnaire": f"{questionnaire().questionnaire_url}|{questionnaire().version}",
        "content_version": content_version(),
        "rules_version": RULES_VERSION,
    }


def priority(tiers: Sequence[str], deadlines: Sequence[str], today: date) -> str:
    """Return how soon a person should look: by the worst sign, else by the nearest date the patient named."""
    found = [PRIORITY_OF_TIER[tier] for tier in tiers]
    for iso in deadlines:
        if bounds(iso)[0] <= today + timedelta(days=URGENT_DAYS):
            found.append("urgent")
        elif bounds(iso)[0] <= today + timedelta(days=SOON_DAYS):
            found.append("soon")
    return max(found, key=PRIORITIES.index, default="routine")


def transcript(events: Sequence[Mapping[str, Any]], since: float) -> list[dict[str, str]]:
    """Return who said what since ``since``, from Rasa's events. Buttons pressed appear with their own words only."""
    turns = []
    for event in events:
        text, at = event.get("text"), event.get("timestamp") or 0.0
        if event.get("event") not in ("user", "bot") or not text or at < since or text.startswith("/"):
            continue
        who = "patient" if event["event"] == "user" else "assistant"
        turns.append({"at": datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds"), "who": who, "text": text})
    return turns


def _deadlines(state: State) -> list[str]:
    return [iso for field_id in ("decide_by", "operation_date") if (iso := state.value(field_id))]


def _answer(state: State, field_id: str) -> dict[str, Any]:
    given = state.answers.get(field_id)
    if given is None:
        return {"value": None, "status": "not_asked", "shown": None, "text": None, "said_by": None}
    words = {"shown": given.shown or None, "text": given.text or None, "said_by": given.said_by}
    return {"value": given.value, "status": given.status, **words}


def state_of(case: Mapping[str, Any]) -> State:
    """The conversation at its read-back, from a case that was sent, so that it can be corrected."""
    answers = {
        field_id: Answer(
            given["status"], given["value"], given["shown"] or "", given["text"] or "", given["said_by"] or "patient"
        )
        for field_id, given in case["answers"].items()
        if given["status"] != "not_asked"
    }
    files = tuple(
        Letter(file["id"], case["sender_id"], file["type"], file["size"], file["sha256"])
        for file in case.get("files") or []
    )
    return State(
        stage="review",
        field=None,
        answers=answers,
        trail=tuple(answers),
        longer=True,
        red_flags=tuple(flag for flag in case["red_flags"] if str(flag.get("rule")).startswith("intake.")),
        consent_at=case["consent"]["at"],
        reference=case["reference"],
        letters=files,
        files=files,
        letters_at=case["consent"].get("letters_at", ""),
    )


@cache
def content_version() -> str:
    """A fingerprint of all the words and rules this process uses."""
    digest = hashlib.sha256()
    for path in sorted(KNOWLEDGE.rglob("*.yml")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
