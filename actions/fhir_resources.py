"""The single FHIR R4 resources of an intake, each a pure function of the case. :mod:`actions.fhir` puts them into bundles."""

from __future__ import annotations

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
class Case:
    """An intake on its way to FHIR: what every builder needs to know."""

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


def make_patient(case: Case) -> Resource:
    """The person the case is about: name, birth date, ways to reach them."""
    subject = case.data.get("subject") or {}
    patient: Resource = {"resourceType": "Patient"}
    if subject.get("name"):
        patient["name"] = [make_human_name(subject["name"])]
    telecom = [{"system": system, "value": subject[system]} for system in ("phone", "email") if subject.get(system)]
    if telecom:
        patient["telecom"] = telecom
    if subject.get("birth_date"):
        patient["birthDate"] = subject["birth_date"]
    if case.data.get("country"):
        patient["address"] = [{"country": case.data["country"]}]
    return patient


def make_human_name(name: str) -> Resource:
    """A name as it was given: the last word is the family name."""
    given, _, family = name.rpartition(" ")
    return {"use": "usual", "text": name, "family": family, **({"given": given.split()} if given else {})}


def make_related(case: Case) -> Resource:
    """Who answered. For a patient who answers alone it says so: the eight entries stay the same eight."""
    answers = case.data["answers"]
    relation = str((answers.get("relation") or {}).get("value") or "")
    name = str((answers.get("carer_name") or {}).get("value") or "")
    code = RELATIONS.get(relation.casefold().strip()) if case.carer else "ONESELF"
    related: Resource = {"resourceType": "RelatedPerson", "patient": case.ref("patient")}
    if code:
        display = RELATION_NAMES.get(code, "self")
        related["relationship"] = [coded("http://terminology.hl7.org/CodeSystem/v3-RoleCode", code, display)]
    elif relation:
        related["relationship"] = [{"text": relation}]
    if case.carer and name:
        related["name"] = [make_human_name(name)]
    return related


def make_consent(case: Case) -> Resource:
    """What the patient agreed to, in separate provisions, and when."""
    consent = case.data["consent"]
    start = datetime.fromisoformat(consent["at"])
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": coded("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
        "category": [coded("http://loinc.org", "59284-0", "Consent Document")],
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


def make_response(case: Case) -> Resource:
    """All questions with their answers, what was not known or declined said apart."""
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


def make_flag(case: Case) -> Resource:
    """The danger signs of the case; one that says so when there are none."""
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
        "category": [coded("http://terminology.hl7.org/CodeSystem/flag-category", "safety", "Safety")],
        "code": {"coding": codings, "text": words or "No red flag was found"},
        "subject": case.ref("patient"),
        "period": {"start": case.at},
        "author": case.device,
    }


def make_request(case: Case) -> Resource:
    """The second opinion that is asked for."""
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


def make_task(case: Case) -> Resource:
    """What somebody at the clinic has to do, and until when."""
    corrected = case.data.get("version", 1) > 1
    new = case.concept("corrected", "Corrected by the patient") if corrected else case.concept("new", "New")
    return {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "priority": FHIR_PRIORITY[case.data.get("priority", "routine")],
        "code": coded("http://hl7.org/fhir/CodeSystem/task-code", "fulfill"),
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


def transaction(at: str, entries: list[Resource]) -> Resource:
    """The entries as one transaction, all or nothing."""
    return {"resourceType": "Bundle", "type": "transaction", "timestamp": at, "entry": entries}


def coded(system: str, code: str, display: str | None = None) -> Resource:
    """A concept with one coding."""
    return {"coding": [{"system": system, "code": code, **({"display": display} if display else {})}]}
