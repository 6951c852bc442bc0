"""Deliveries as the assistant sends them, about people who do not exist."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from datetime import UTC, datetime
from typing import Any

from casedesk.signed import sign

NOW = "2026-11-20T15:04:00+00:00"
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def reference(number: int, prefix: str = "PS") -> str:
    """Return the ``number``-th reference of the tests."""
    text = "".join(LETTERS[(number >> shift) & 31] for shift in range(35, -1, -5))
    return f"{prefix}-{text[:4]}-{text[4:]}"


def answered(value: Any, text: str | None = None, said_by: str = "patient") -> dict[str, Any]:
    return {"value": value, "status": "answered", "text": text, "said_by": said_by}


def intake(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Return the data of an intake; ``changes`` replace keys, answers and subject are merged."""
    data: dict[str, Any] = {
        "intake_id": f"intake-{number}",
        "version": 1,
        "reference": reference(number),
        "priority": "routine",
        "country": "US",
        "sender_id": f"sender-{number}",
        "subject": {
            "name": "Pat Example",
            "birth_date": "1968-04-02",
            "phone": "+15555550100",
            "email": "pat@example.org",
        },
        "informant": "patient",
        "answers": {
            "main_problem": answered("My left leg burns when I walk", "My left leg burns when I walk"),
            "operation": answered("L4-L5 fusion", "they want to fuse L4 L5"),
            "pain_back": answered(6),
            "medicines": {
                "value": None,
                "status": "unknown",
                "text": "no idea what they are called",
                "said_by": "patient",
            },
            "smoking": {"value": None, "status": "declined", "text": None, "said_by": "patient"},
            "height": {"value": None, "status": "not_asked", "text": None, "said_by": None},
        },
        "red_flags": [],
        "decision_flags": ["pressure"],
        "consent": {"policy_version": "2026-11", "given": {"privacy": True, "not_emergency": True}, "at": NOW},
        "transcript": [
            {"at": NOW, "who": "assistant", "text": "What is the main problem?"},
            {"at": NOW, "who": "patient", "text": "My left leg burns when I walk"},
        ],
        "questionnaire": "https://example.org/intake|1",
        "content_version": "c1",
        "rules_version": "r1",
    }
    data["answers"].update(changes.pop("answers", {}))
    data["subject"].update(changes.pop("subject", {}))
    return {**data, **changes}


def red_flag(
    tier: str = "emergency", category: str = "cauda_equina", evidence: str = "I cannot feel when I pee"
) -> dict:
    return {"category": category, "tier": tier, "evidence": evidence, "rule": "ce-3", "at": NOW}


def escalation(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "escalation_id": f"escalation-{number}",
        "sender_id": f"sender-{number}",
        "reference": reference(number, "ESC"),
        "category": "cauda_equina",
        "tier": "emergency",
        "evidence": "I cannot feel when I pee",
        "rules": ["ce-3"],
        "rules_version": "r1",
        "at": NOW,
        "told": True,
        "confirmed": None,
        "country": "US",
        "contact": {"phone": "+15555550100"},
        "person": "self",
        **changes,
    }


LETTER = b"%PDF-1.7 a letter about a marmalade coloured spine"
NOTE = b"MRI of the lumbar spine: a pterodactyl at L4-L5."


def listed(file_id: str = "letter-1", content: bytes = LETTER, number: int = 1) -> dict[str, Any]:
    """Return a letter as an intake lists it."""
    kind = ("application/pdf", "PDF") if content.startswith(b"%PDF-") else ("text/plain", "text")
    digest = hashlib.sha256(content).hexdigest()
    return {
        "id": file_id,
        "name": f"Letter {number} ({kind[1]})",
        "type": kind[0],
        "size": len(content),
        "sha256": digest,
    }


def letter(file: dict[str, Any], content: bytes = LETTER, number: int = 1, version: int = 1) -> dict[str, Any]:
    """Return the data that brings a letter's content."""
    of = {"intake_id": f"intake-{number}", "reference": reference(number), "version": version}
    return {**of, "file": file, "content": base64.b64encode(content).decode()}


def delivery(kind: str, data: dict[str, Any], key: str | None = None, occurred_at: str = "") -> tuple[str, bytes]:
    """Return key and body of a delivery."""
    key = key or f"key-{uuid.uuid4()}"
    occurred_at = occurred_at or datetime.now(UTC).isoformat()
    return key, json.dumps({"type": kind, "id": key, "occurred_at": occurred_at, "data": data}).encode()


def signed(key: str, body: bytes) -> dict[str, str]:
    return sign("delivery", key, body.decode())
