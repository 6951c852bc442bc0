"""The letters of an intake as FHIR R4 DocumentReferences, each in a transaction of its own; one taken back is a task. Pure.

The content stands in the attachment itself: a server stores both or neither, and no reader needs a second request.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from actions.fhir_resources import Case, Names, Resource, transaction


def file_bundle(data: Mapping[str, Any], occurred_at: str, names: Names, made: Mapping[str, str]) -> Resource:
    """One letter: one conditional create.

    Args:
        data: of an ``intake.file``.
        made: what the intake made, resource type to reference (``Patient`` to ``Patient/12``).
    """
    case = Case(data, names, occurred_at)
    return transaction(case.at, [file_entry(case, data["file"], base64.b64decode(data["content"]), made)])


def file_entry(case: Case, file: Mapping[str, Any], content: bytes, made: Mapping[str, str]) -> Resource:
    """The entry of one letter. It has an identifier of its own, so that it is made once in all versions of the case."""
    digest = hashlib.sha1(content, usedforsecurity=False).digest()  # which R4 asks for here
    attachment = {
        "contentType": file["type"],
        "data": base64.b64encode(content).decode(),
        "size": file["size"],
        "hash": base64.b64encode(digest).decode(),
        "title": file["name"],
    }
    document: Resource = {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": {"text": "Letter or report sent by the patient"},
        "subject": {"reference": made["Patient"]},
        "date": case.at,
        "content": [{"attachment": attachment}],
    }
    if made.get("ServiceRequest"):
        document["context"] = {"related": [{"reference": made["ServiceRequest"]}]}
    entry = case.entry("letter", document, f"{case.root}-{file['id']}")
    return {**entry, "fullUrl": case.url(f"letter/{file['id']}")}


def taken_back_entry(case: Case, made: Mapping[str, str]) -> Resource:
    """A task for a person to remove the letters that this version takes back: a conditional create can remove nothing."""
    description = "The patient takes back a letter: remove it from the record"
    inputs = [
        {
            "type": case.concept("letter", "Identifier of the letter"),
            "valueIdentifier": {"system": case.names.sid("intake-letter"), "value": f"{case.root}-{file['id']}"},
        }
        for file in case.data["files_taken_back"]
    ]
    task: Resource = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "priority": "urgent",
        "code": case.concept("remove-letter", description),
        "description": f"{description} ({case.data['reference']})",
        "for": {"reference": made["Patient"]},
        "authoredOn": case.at,
        "requester": case.device,
        "input": inputs,
    }
    return case.entry("task-remove-letter", task)
