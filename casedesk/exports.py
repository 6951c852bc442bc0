"""A case to take along: JSON (all of it), CSV (one answer a line), FHIR R4 (the Bundle the assistant would send).

JSON and FHIR hold the letters that came with the case, as base64; CSV their number.
"""

from __future__ import annotations

import base64
import csv
import io
import os
from collections.abc import Mapping
from typing import Any

from actions.fhir import intake_bundle
from actions.fhir_files import file_entry
from actions.fhir_resources import Case, Names
from casedesk.case_view import CaseView

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_json(view: CaseView, letters: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the newest version of the intake with what the desk added, and the ``letters`` (by file id) in it."""
    return {
        "reference": view.row.reference,
        "status": view.row.status,
        "priority": view.row.priority,
        "received_at": view.row.received_at.isoformat(),
        "assignee": view.row.assignee,
        "withdrawn": view.withdrawn,
        "intake": view.intake,
        "files": [
            {
                "name": file.name,
                "type": file.type,
                "size": file.size,
                "sha256": file.sha256,
                "content": base64.b64encode(letters[file.id]).decode() if file.id in letters else None,
            }
            for file in view.files
        ],
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
    writer.writerow(["", "files", "Letters", "answered", len(view.files), "", ""])
    return out.getvalue()


def as_fhir(view: CaseView, letters: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the newest version as a FHIR R4 transaction Bundle: as it would go to a FHIR server, letters and all.

    A server gets the letters in transactions of their own (:mod:`actions.fhir_files`); a file on a disk needs no such care.
    """
    names = Names(os.environ.get("PLAINSPOKEN_FHIR_NAMES", Names().base))
    at = view.delivered_at.isoformat()
    bundle, case = intake_bundle(view.delivered, at, names), Case(view.delivered, names, at)
    listed = {file["id"]: file for file in view.delivered.get("files") or []}
    made = {kind: case.url(role) for kind, role in (("Patient", "patient"), ("ServiceRequest", "request"))}
    bundle["entry"] += [file_entry(case, listed[file_id], content, made) for file_id, content in letters.items()]
    return bundle
