"""Cases to send, made by the real conversation."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from actions.intake.case import build_case
from actions.store import Sent, Store
from tests.intake.talk import at

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
WORDS = "Pain shoots down my left leg when I stand"


def case(**changes: Any) -> dict[str, Any]:
    """A finished intake as the store takes it."""
    turns = [{"at": NOW.isoformat(), "who": "patient", "text": WORDS}]
    made = build_case(at("review").state, now=NOW, red_flags=[], decision_flags=[], transcript=turns)
    return {**made, **changes}


def submit(data: Store, sender: str, **changes: Any) -> Sent:
    """Send an intake as ``sender``."""
    draft = data.new_draft(sender, at("review").state.to_json())
    data.save_draft(draft)
    return data.submit(draft, case(**changes))


def correct(data: Store, sender: str, sent: Sent, **changes: Any) -> Sent:
    """Send a correction of ``sent``."""
    draft = data.new_draft(sender, at("review").state.to_json())
    draft.id = sent.id
    data.save_draft(draft)
    return data.submit(draft, case(**changes))


LETTER = b"%PDF-1.7 a letter about a marmalade coloured spine"
NOTE = b"MRI of the lumbar spine: a pterodactyl at L4-L5."


def listed(file_id: str = "0" * 32, content: bytes = LETTER, number: int = 1) -> dict[str, Any]:
    """A letter as a case lists it."""
    kind, said = ("application/pdf", "PDF") if content.startswith(b"%PDF-") else ("text/plain", "text")
    digest = hashlib.sha256(content).hexdigest()
    return {"id": file_id, "name": f"Letter {number} ({said})", "type": kind, "size": len(content), "sha256": digest}


FILE, SECOND = listed(), listed("1" * 32, NOTE, 2)
CONTENTS = {FILE["id"]: LETTER, SECOND["id"]: NOTE}


def with_letters(data: Store, sender: str, *files: dict[str, Any], of: Sent | None = None) -> Sent:
    """Send an intake, or a correction ``of`` one, with ``files``; their content is new."""
    draft = data.new_draft(sender, at("review").state.to_json())
    draft.id = of.id if of else draft.id
    draft.state["files"] = list(files)
    data.save_draft(draft, {file["id"]: CONTENTS[file["id"]] for file in files})
    return data.submit(draft, case(files=list(files)))


def escalation(**changes: Any) -> dict[str, Any]:
    record = {
        "sender_id": "patient-1",
        "category": "cauda_equina",
        "tier": "emergency",
        "evidence": "I can't feel when I pee",
        "rules": ["ces_no_feeling"],
        "rules_version": "1",
        "told": True,
        "confirmed": None,
        "country": "US",
        "contact": None,
        "person": "self",
    }
    return {**record, **changes}
