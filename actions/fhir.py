"""An intake as FHIR R4 resources (https://hl7.org/fhir/R4/): plain dictionaries, the same bytes every time.

The first transaction has exactly eight entries, because a widely used server refuses more in a transaction with
conditional creates; files, transcript and call-back follow in a second one. Every entry is created only if its
identifier is not there yet, so that a delivery made twice is made once and never undoes what a nurse changed.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from knowledge.intake import Field, questionnaire

Resource = dict[str, Any]

NAMESPACE = uuid.UUID("6f1f8c1e-0f0e-5d2b-9a55-2f6f4a6a6b10")
MINUTES = {"stat": 30, "urgent": 8 * 60, "soon": 2 * 24 * 60, "routine": 5 * 24 * 60}
"""Until when somebody should have looked, by priority: a proposal that the receiver's own calendar may overrule."""
FHIR_PRIORITY = {"stat": "stat", "urgent": "urgent", "soon": "asap", "routine": "routine"}
RELATIONS = {
    **dict.fromkeys(("wife", "husband", "spouse", "partner"), "SPS"),
    **dict.fromkeys(("son", "daughter"), "CHILD"),
    **dict.fromkeys(("mother", "father", "mum", "mom", "dad"), "PRN"),
    **dict.fromkeys(("brother", "sister"), "SIB"),
    "friend": "FRND",
}
RELATION_NAMES = {"SPS": "spouse", "CHILD": "child", "PRN": "parent", "SIB": "sibling", "FRND": "unrelated friend"}
ITEM_TYPES = {
    "yes_no": "boolean",
    "number": "integer",
    "date": "date",
    "choice": "choice",
    "multi": "choice",
    "text": "text",
    "name": "string",
    "phone": "string",
    "email": "string",
    "country": "string",
}
NOT_ANSWERED = {"unknown": ("asked-unknown", "Asked But Unknown"), "declined": ("asked-declined", "Asked But Declined")}


@dataclass(frozen=True)
class Names:
    """The clinic's own addresses. ``base`` is the root of its identifier systems; it need not resolve."""

    base: str = "https://clinic.example/fhir"
    bot_version: str = "1.0.0"

    def sid(self, role: str) -> str:
        return f"{self.base}/sid/{role}"

    @property
    def codes(self) -> str:
        return f"{self.base}/CodeSystem/intake"


@dataclass(frozen=True)
class _Case:
    """What every builder below needs to know."""

    data: Mapping[str, Any]
    names: Names
    at: str

    @property
    def key(self) -> str:
        """Of this version: the intake's id, with the version from the second on."""
        version = self.data.get("version", 1)
        return str(self.data["intake_id"]) if version == 1 else f"{self.data['intake_id']}-v{version}"

    @property
    def root(self) -> str:
        return str(self.data["intake_id"])

    @property
    def carer(self) -> bool:
        return bool(self.data.get("informant") == "carer")

    def url(self, role: str) -> str:
        """The same for the same intake and role, so that a bundle built again after a crash is the same bundle."""
        return f"urn:uuid:{uuid.uuid5(NAMESPACE, f'{self.key}/{role}')}"

    def ref(self, role: str) -> dict[str, str]:
        return {"reference": self.url(role)}

    @property
    def device(self) -> Resource:
        identifier = {"system": self.names.sid("device"), "value": "plainspoken"}
        return {"type": "Device", "identifier": identifier, "display": f"Plainspoken {self.names.bot_version}"}

    @property
    def informant(self) -> dict[str, str]:
        return self.ref("caregiver" if self.carer else "patient")

    def due(self) -> str:
        minutes = MINUTES[str(self.data.get("priority", "routine"))]
        return (datetime.fromisoformat(self.at) + timedelta(minutes=minutes)).isoformat()

    def concept(self, code: str, display: str) -> Resource:
        return {"coding": [{"system": self.names.codes, "code": code, "display": display}], "text": display}

    def entry(self, role: str, resource: Resource, identifier: str | None = None) -> Resource:
        """One conditional create. Provenance has no identifier: its tag stands for one."""
        system, value = self.names.sid(f"intake-{role}"), identifier or self.key
        kind = resource["resourceType"]
        tag = {"system": self.names.sid("intake"), "code": self.key}
        resource = {**resource, "meta": {"tag": [tag]}}
        if kind == "Provenance":
            condition = f"_tag={tag['system']}|{tag['code']}"
        else:
            own = {"system": system, "value": value}
            resource["identifier"] = own if kind == "QuestionnaireResponse" else [own]
            condition = f"identifier={system}|{value}"
        request = {"method": "POST", "url": kind, "ifNoneExist": condition}
        return {"fullUrl": self.url(role), "resource": resource, "request": request}


def intake_bundle(data: Mapping[str, Any], occurred_at: str, names: Names) -> Resource:
    """The first transaction of an intake, submitted or corrected: eight conditional creates.

    Args:
        data: the delivery contract's ``data``.
        occurred_at: ISO time with zone.
    """
    case = _Case(data, names, occurred_at)
    roles = ["response", "flag", "request", "task", "consent"]
    provenance = {
        "resourceType": "Provenance",
        "target": [case.ref(role) for role in roles],
        "recorded": case.at,
        "agent": [
            {
                "type": _coded("http://terminology.hl7.org/CodeSystem/provenance-participant-type", "assembler"),
                "who": case.device,
            },
            {
                "type": _coded("http://terminology.hl7.org/CodeSystem/provenance-participant-type", "informant"),
                "who": case.informant,
            },
        ],
    }
    entries = [
        case.entry("patient", _patient(case), case.root),
        case.entry("caregiver", _related(case)),
        case.entry("consent", _consent(case)),
        case.entry("response", _response(case)),
        case.entry("flag", _flag(case)),
        case.entry("request", _service_request(case)),
        case.entry("task", _task(case)),
        case.entry("provenance", provenance),
    ]
    return _transaction(case.at, entries)


def attachments_bundle(data: Mapping[str, Any], occurred_at: str, names: Names, made: Mapping[str, str]) -> Resource:
    """The second transaction: transcript and call-back.

    Args:
        made: what the first transaction made, resource type to reference (``Patient`` to ``Patient/12``).
    """
    case = _Case(data, names, occurred_at)
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
        "medium": [_coded("http://terminology.hl7.org/CodeSystem/v3-ParticipationMode", "PHONE")],
        "occurrencePeriod": {"start": case.at, "end": case.due()},
        "authoredOn": case.at,
        "recipient": [caller],
        "payload": [{"contentString": "Call back about the second opinion"}],
    }
    return _transaction(case.at, [case.entry("transcript", document), case.entry("callback", call)])


def task_bundle(
    data: Mapping[str, Any], occurred_at: str, names: Names, *, kind: str, made: Mapping[str, str]
) -> Resource:
    """A task for a person, for what conditional creates cannot do: ``withdrawn`` or ``erasure``."""
    subject = str(data.get("intake_id") or data.get("escalation_id"))
    case = _Case({**data, "intake_id": subject, "version": data.get("version", 1)}, names, occurred_at)
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
    return _transaction(case.at, [case.entry(f"task-{code}", task)])


def escalation_bundle(data: Mapping[str, Any], occurred_at: str, names: Names, *, update: bool) -> Resource:
    """An emergency that was found in the chat: who (pseudonymous), a flag, and a task to be taken at once.

    Its update (what the person says they do now) is a communication: the flag and the task are the nurse's by then.
    """
    key = str(data["escalation_id"])
    case = _Case({**data, "intake_id": key, "version": 1, "priority": "stat"}, names, occurred_at)
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
        return _transaction(case.at, [patient, case.entry("update", message, f"{key}-{data.get('confirmed')}")])
    flag = {
        "resourceType": "Flag",
        "status": "active",
        "category": [_coded("http://terminology.hl7.org/CodeSystem/flag-category", "safety", "Safety")],
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
    return _transaction(case.at, [patient, case.entry("flag", flag), case.entry("task", task)])


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


def _patient(case: _Case) -> Resource:
    subject = case.data.get("subject") or {}
    patient: Resource = {"resourceType": "Patient"}
    if subject.get("name"):
        patient["name"] = [_human_name(subject["name"])]
    telecom = [{"system": system, "value": subject[system]} for system in ("phone", "email") if subject.get(system)]
    if telecom:
        patient["telecom"] = telecom
    if subject.get("birth_date"):
        patient["birthDate"] = subject["birth_date"]
    if case.data.get("country"):
        patient["address"] = [{"country": case.data["country"]}]
    return patient


def _human_name(name: str) -> Resource:
    given, _, family = name.rpartition(" ")
    return {"use": "usual", "text": name, "family": family, **({"given": given.split()} if given else {})}


def _related(case: _Case) -> Resource:
    """Who answered. For a patient who answers alone it says so: the eight entries stay the same eight."""
    answers = case.data["answers"]
    relation = str((answers.get("relation") or {}).get("value") or "")
    name = str((answers.get("carer_name") or {}).get("value") or "")
    code = RELATIONS.get(relation.casefold().strip()) if case.carer else "ONESELF"
    related: Resource = {"resourceType": "RelatedPerson", "patient": case.ref("patient")}
    if code:
        display = RELATION_NAMES.get(code, "self")
        related["relationship"] = [_coded("http://terminology.hl7.org/CodeSystem/v3-RoleCode", code, display)]
    elif relation:
        related["relationship"] = [{"text": relation}]
    if case.carer and name:
        related["name"] = [_human_name(name)]
    return related


def _consent(case: _Case) -> Resource:
    consent = case.data["consent"]
    start = datetime.fromisoformat(consent["at"])
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": _coded("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
        "category": [_coded("http://loinc.org", "59284-0", "Consent Document")],
        "patient": case.ref("patient"),
        "dateTime": consent["at"],
        "performer": [case.informant],
        "policy": [{"uri": f"{case.names.base}/policy/intake-privacy/{consent['policy_version']}"}],
        "provision": {
            "type": "permit",
            "period": {"start": start.date().isoformat(), "end": (start + timedelta(days=365)).date().isoformat()},
            "purpose": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT"}],
        },
    }


def _response(case: _Case) -> Resource:
    items = []
    for section in questionnaire().sections:
        inside = [
            item
            for field in questionnaire().fields
            if field.section == section.id and (item := _item(field, case.data["answers"].get(field.id), case.names))
        ]
        if inside:
            items.append({"linkId": section.id, "text": section.title, "item": inside})
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": case.data.get("questionnaire") or questionnaire().questionnaire_url,
        "status": "completed" if case.data.get("version", 1) == 1 else "amended",
        "subject": case.ref("patient"),
        "authored": case.at,
        "author": case.device,
        "source": case.informant,
        "item": items,
    }


def _item(field: Field, answer: Mapping[str, Any] | None, names: Names) -> Resource | None:
    if not answer or answer["status"] == "not_asked":
        return None
    item: Resource = {"linkId": field.link, "text": field.label}
    if answer["status"] in NOT_ANSWERED:
        code, display = NOT_ANSWERED[answer["status"]]
        # "Does not know" and "would not say" are answers a nurse has to be able to tell apart.
        item["extension"] = [
            {
                "url": "http://hl7.org/fhir/StructureDefinition/questionnaireresponse-reason",
                "valueCodeableConcept": {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/data-absent-reason",
                            "code": code,
                            "display": display,
                        }
                    ]
                },
            }
        ]
        return item
    item["answer"] = _answers(field, answer, names)
    return item


def _answers(field: Field, answer: Mapping[str, Any], names: Names) -> list[Resource]:
    value, words = answer["value"], str(answer.get("text") or answer.get("shown") or "")
    match field.type:
        case "yes_no" if value in ("yes", "no"):
            return [{"valueBoolean": value == "yes"}]
        case "number" if isinstance(value, int):
            return [{"valueInteger": value}]
        case "date" if value:
            return [{"valueDate": value}]
        case "choice" | "multi":
            values = value if isinstance(value, list) else [value]
            return [
                {"valueCoding": {"system": names.codes, "code": f"{field.id}-{each}", "display": choice.label}}
                if (choice := field.choice(each))
                else {"valueString": str(each)}
                for each in values
            ]
    shown = [str(value)] if value not in (None, words) else []
    return [{"valueString": text} for text in dict.fromkeys([*shown, words]) if text] or [{"valueString": "yes"}]


def _flag(case: _Case) -> Resource:
    flags: Sequence[Mapping[str, Any]] = case.data.get("red_flags") or []
    codings = [
        {
            "system": case.names.codes,
            "code": f"rf-{flag['category']}",
            "display": f"{flag['category']} ({flag['tier']})",
        }
        for flag in {flag["category"]: flag for flag in flags}.values()
    ] or [{"system": case.names.codes, "code": "rf-none", "display": "No red flag was found"}]
    words = "; ".join(f"{flag['category']}: {flag['evidence']}" for flag in flags)[:1000]
    priority = "PH" if case.data.get("priority") in ("stat", "urgent") else "PN"
    display = "High priority" if priority == "PH" else "No alarm"
    return {
        "resourceType": "Flag",
        "extension": [
            {"url": "http://hl7.org/fhir/StructureDefinition/flag-detail", "valueReference": case.ref("response")},
            {
                "url": "http://hl7.org/fhir/StructureDefinition/flag-priority",
                "valueCodeableConcept": {
                    "coding": [
                        {"system": "http://hl7.org/fhir/flag-priority-code", "code": priority, "display": display}
                    ]
                },
            },
        ],
        "status": "active" if flags else "inactive",
        "category": [_coded("http://terminology.hl7.org/CodeSystem/flag-category", "safety", "Safety")],
        "code": {"coding": codings, "text": words or "No red flag was found"},
        "subject": case.ref("patient"),
        "period": {"start": case.at},
        "author": case.device,
    }


def _service_request(case: _Case) -> Resource:
    operation = case.data["answers"].get("operation") or {}
    reason = str(operation.get("value") or operation.get("text") or "Second opinion before spine surgery")
    return {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "proposal",  # a program may propose; it may not order
        "priority": FHIR_PRIORITY[case.data.get("priority", "routine")],
        "category": [case.concept("second-opinion", "Second opinion")],
        "code": case.concept("spine-surgery-second-opinion", "Spine surgery second opinion"),
        "subject": case.ref("patient"),
        "authoredOn": case.at,
        "requester": case.informant,
        "reasonCode": [{"text": reason[:500]}],
        "supportingInfo": [case.ref("response"), case.ref("flag"), case.ref("consent")],
    }


def _task(case: _Case) -> Resource:
    corrected = case.data.get("version", 1) > 1
    new = case.concept("corrected", "Corrected by the patient") if corrected else case.concept("new", "New")
    return {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "priority": FHIR_PRIORITY[case.data.get("priority", "routine")],
        "code": _coded("http://hl7.org/fhir/CodeSystem/task-code", "fulfill"),
        "businessStatus": new,
        "description": f"Review second-opinion intake {case.data['reference']}",
        "basedOn": [case.ref("request")],
        "focus": case.ref("request"),
        "for": case.ref("patient"),
        "authoredOn": case.at,
        "lastModified": case.at,
        "requester": case.device,
        "performerType": [case.concept("intake-nurse", "Intake nurse")],
        "restriction": {"period": {"end": case.due()}},
        "input": [{"type": case.concept("response", "Questionnaire response"), "valueReference": case.ref("response")}],
    }


def _coded(system: str, code: str, display: str | None = None) -> Resource:
    return {"coding": [{"system": system, "code": code, **({"display": display} if display else {})}]}


def _transaction(at: str, entries: list[Resource]) -> Resource:
    return {"resourceType": "Bundle", "type": "transaction", "timestamp": at, "entry": entries}
