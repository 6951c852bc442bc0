"""A case to take along: JSON (all of it), CSV (one answer a line), FHIR R4 (the Bundle the assistant would send)."""

from __future__ import annotations

import csv
import io
import os
from typing import Any

from actions.fhir import intake_bundle
from actions.fhir_resources import Names
from casedesk.case_view import CaseView

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_json(view: CaseView) -> dict[str, Any]:
    """Return the newest version of the intake with what the desk added."""
    return {
        "reference": view.row.reference,
        "status": view.row.status,
        "priority": view.row.priority,
        "received_at": view.row.received_at.isoformat(),
        "assignee": view.row.assignee,
        "withdrawn": view.withdrawn,
        "intake": view.intake,
        "warnings": [
            {
                "reference": warning.reference,
                "category": warning.category,
                "tier": warning.tier,
                "evidence": warning.evidence,
                "raised_at": warning.raised_at.isoformat(),
                "acknowledged_by": warning.acknowledged_by,
                "outcome": warning.outcome,
            }
            for warning in view.warnings
        ],
        "history": [
            {"at": entry.at.isoformat(), "who": entry.who, "what": entry.words, "text": entry.text}
            for entry in view.entries
        ],
    }


def as_csv(view: CaseView) -> str:
    """Return the answers as CSV. A cell that a spreadsheet would run as a formula is quoted with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["section", "field", "question", "status", "answer", "own words", "said by"])
    for section, answers in view.groups:
        for answer in answers:
            cells = (section, answer.id, answer.label, answer.status, answer.value, answer.own_words, answer.said_by)
            writer.writerow([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in cells])
    return out.getvalue()


def as_fhir(view: CaseView) -> dict[str, Any]:
    """Return the newest version as a FHIR R4 transaction Bundle, as it would go to a FHIR server."""
    names = Names(os.environ.get("PLAINSPOKEN_FHIR_NAMES", Names().base))
    return intake_bundle(view.delivered, view.delivered_at.isoformat(), names)
