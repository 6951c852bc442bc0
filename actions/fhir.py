"""An intake as FHIR R4 resources (https://hl7.org/fhir/R4/): plain dictionaries, the same bytes every time.

The first transaction has exactly eight entries, because a widely used server refuses more in a transaction with
conditional creates; files, transcript and call-back follow in a second one. Every entry is created only if its
identifier is not there yet, so that a delivery made twice is made once and never undoes what a nurse changed.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from typing import Any

from actions.fhir_files import taken_back_entry
from actions.fhir_resources import (
    FHIR_PRIORITY,
    ITEM_TYPES,
    NAMESPACE,
    Case,
    Names,
    Resource,
    coded,
    make_consent,
    make_flag,
    make_patient,
    make_related,
    make_request,
    make_response,
    make_task,
    transaction,
)
from knowledge.intake import Field, questionnaire


def intake_bundle(data: Mapping[str, Any], occurred_at: str, names: Names) -> Resource:
    """The first transaction of an intake, submitted or corrected: eight conditional creates.

    Args:
        data: the delivery contract's ``data``.
        occurred_at: ISO time with zone.
    """
    case = Case(data, names, occurred_at)
    roles = ["response", "flag", "request", "task", "consent"]
    provenance = {
        "resourceType": "Provenance",
        "target": [case.ref(role) for role in roles],
        "recorded": case.at,
        "agent": [
            {
                "type": coded("http://terminology.hl7.org/CodeSystem/provenance-participant-type", "assembler"),
                "who": case.device,
            },
            {
                "type": coded("http://terminology.hl7.org/CodeSystem/provenance-participant-type", "informant"),
                "who": case.informant,
            },
        ],
    }
    entries = [
        case.entry("patient", make_patient(case), case.root),
        case.entry("caregiver", make_related(case)),
        case.entry("consent", make_consent(case)),
        case.entry("response", make_response(case)),
        case.entry("flag", make_flag(case)),
        case.entry("request", make_request(case)),
        case.entry("task", make_task(case)),
        case.entry("provenance", provenance),
    ]
    return transaction(case.at, entries)


def attachments_bundle(data: Mapping[str, Any], occurred_at: str, names: Names, made: Mapping[str, str]) -> Resource:
    """The second transaction: transcript, call-back, and a task where letters are taken back.

    Args:
        made: what the first transaction made, resource type to reference (``Patient`` to ``Patient/12``).
    """
    case = Case(data, names, occurred_at)
    patient, request = {"reference": made["Patient"]}, {"reference": made["ServiceRequest"]}
    caller = {"reference": made["RelatedPerson"]} if case.carer else patient
    spoken = "\n".join(f"[{turn['at']}] {turn['who']}: {turn['text']}" for turn in data.get("transcript", []))
    attachment = {
        "contentType": "text/plain; charset=utf-8",
        "data": base64.b64encode((spoken or "No transcript.").encode()).decode(),
        "title": "transcript.txt",
    }
    document = {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": {"text": "Chat transcript"},
        "subject": patient,
        "date": case.at,
        "author": [case.device],
        "context": {"related": [request]},
        "content": [{"attachment": attachment}],
    }
    call = {
        "resourceType": "CommunicationRequest",
        "status": "active",
        "priority": FHIR_PRIORITY[data.get("priority", "routine")],
        "subject": patient,
        "about": [request],
        "medium": [coded("http://terminology.hl7.org/CodeSystem/v3-ParticipationMode", "PHONE")],
        "occurrencePeriod": {"start": case.at, "end": case.due()},
        "authoredOn": case.at,
        "recipient": [caller],
        "payload": [{"contentString": "Call back about the second opinion"}],
    }
    entries = [case.entry("transcript", document), case.entry("callback", call)]
    if data.get("files_taken_back"):
        entries.append(taken_back_entry(case, made))
    return transaction(case.at, entries)


def task_bundle(
    data: Mapping[str, Any], occurred_at: str, names: Names, *, kind: str, made: Mapping[str, str]
) -> Resource:
    """A task for a person, for what conditional creates cannot do: ``withdrawn`` or ``erasure``."""
    subject = str(data.get("intake_id") or data.get("escalation_id"))
    case = Case({**data, "intake_id": subject, "version": data.get("version", 1)}, names, occurred_at)
    words = {
        "withdrawn": ("withdrawn", "The patient takes back this request"),
        "erasure": ("erase", "The patient asks that all their data be erased"),
    }
    code, description = words[kind]
    task: Resource = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "priority": "urgent",
        "code": case.concept(code, description),
        "description": f"{description} ({data.get('reference', '')})",
        "authoredOn": case.at,
        "requester": case.device,
    }
    if made.get("Patient"):
        task["for"] = {"reference": made["Patient"]}
    if made.get("ServiceRequest"):
        task["basedOn"] = [{"reference": made["ServiceRequest"]}]
        task["focus"] = {"reference": made["ServiceRequest"]}
    return transaction(case.at, [case.entry(f"task-{code}", task)])


def escalation_bundle(data: Mapping[str, Any], occurred_at: str, names: Names, *, update: bool) -> Resource:
    """An emergency that was found in the chat: who (pseudonymous), a flag, and a task to be taken at once.

    Its update (what the person says they do now) is a communication: the flag and the task are the nurse's by then.
    """
    key = str(data["escalation_id"])
    case = Case({**data, "intake_id": key, "version": 1, "priority": "stat"}, names, occurred_at)
    patient = case.entry(
        "patient", {"resourceType": "Patient"}, f"sender-{uuid.uuid5(NAMESPACE, str(data['sender_id']))}"
    )
    said = f"{data['category']} ({data['tier']})"
    if update:
        message = {
            "resourceType": "Communication",
            "status": "completed",
            "subject": case.ref("patient"),
            "sent": case.at,
            "payload": [{"contentString": f"{data['reference']}: {said}. The person says: {data.get('confirmed')}"}],
        }
        return transaction(case.at, [patient, case.entry("update", message, f"{key}-{data.get('confirmed')}")])
    flag = {
        "resourceType": "Flag",
        "status": "active",
        "category": [coded("http://terminology.hl7.org/CodeSystem/flag-category", "safety", "Safety")],
        "code": {**case.concept(f"rf-{data['category']}", said), "text": f"{said}: {data.get('evidence', '')}"[:1000]},
        "subject": case.ref("patient"),
        "period": {"start": case.at},
        "author": case.device,
    }
    task = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "priority": "stat",
        "code": case.concept("escalation", "Red flag in the chat"),
        "description": f"{data['reference']}: {said}",
        "focus": case.ref("flag"),
        "for": case.ref("patient"),
        "authoredOn": case.at,
        "requester": case.device,
        "restriction": {"period": {"end": case.due()}},
    }
    return transaction(case.at, [patient, case.entry("flag", flag), case.entry("task", task)])


def questionnaire_resource(names: Names) -> Resource:
    """The intake as a canonical Questionnaire, published once for each version."""
    items = []
    for section in questionnaire().sections:
        fields = [field for field in questionnaire().fields if field.section == section.id]
        items.append(
            {
                "linkId": section.id,
                "text": section.title,
                "type": "group",
                "item": [_question(field, names) for field in fields],
            }
        )
    return {
        "resourceType": "Questionnaire",
        "url": questionnaire().questionnaire_url,
        "version": questionnaire().version,
        "name": "SpineSecondOpinion",
        "title": "Spine surgery second opinion: intake",
        "status": "active",
        "subjectType": ["Patient"],
        "item": items,
    }


def _question(field: Field, names: Names) -> Resource:
    item: Resource = {
        "linkId": field.link,
        "text": questionnaire().say(field.ask, "self"),
        "type": ITEM_TYPES[field.type],
    }
    if field.choices:
        item["answerOption"] = [
            {"valueCoding": {"system": names.codes, "code": f"{field.id}-{choice.value}", "display": choice.label}}
            for choice in field.choices
        ]
    if field.type == "multi":
        item["repeats"] = True
    if field.required:
        item["required"] = True
    return item
