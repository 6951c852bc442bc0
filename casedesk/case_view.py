"""What one case's page shows, as plain data read in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from casedesk import casework
from casedesk.accounts import Staff
from casedesk.deliveries import search_tokens
from casedesk.desk import Desk
from casedesk.files import FileView, files_of
from casedesk.models import Account, Case, Entry, Token, Version
from casedesk.questions import WITHOUT, questions, records_questions
from casedesk.schema import Intake, tier_rank
from casedesk.worklist_view import Row, Warning_, row_of, warnings

NO_CHOICES: Mapping[str, str] = {}
STATUS_WORDS = {"unknown": "does not know", "declined": "does not want to say", "not_asked": "not asked"}


@dataclass(frozen=True)
class AnswerView:
    id: str
    label: str
    status: str
    value: str
    own_words: str
    said_by: str


@dataclass(frozen=True)
class Change:
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class VersionView:
    number: int
    kind: str
    occurred_at: datetime
    received_at: datetime
    changes: list[Change]


@dataclass(frozen=True)
class EntryView:
    at: datetime
    who: str
    kind: str
    words: str
    text: str


@dataclass(frozen=True)
class CaseView:
    row: Row
    subject: dict[str, Any]
    intake: dict[str, Any]
    delivered: dict[str, Any]  # the newest version as it came
    delivered_at: datetime
    groups: list[tuple[str, list[AnswerView]]]
    not_asked: list[str]
    missing: list[str]
    files: list[FileView]
    warnings: list[Warning_]
    versions: list[VersionView]
    entries: list[EntryView]
    duplicates: list[Row]
    accounts: list[tuple[int, str, str]]
    steps: list[tuple[str, str]]
    language: str
    reason: str
    withdrawn: bool
    calls: int
    country: str
    patient_status: str


def case_page(session: Session, desk: Desk, staff: Staff, case: Case) -> CaseView:
    """Return everything one case's page shows."""
    now = datetime.now(UTC)
    contents = [(version, desk.content(case, version)) for version in case.versions]
    newest, latest = next(pair for pair in reversed(contents) if pair[0].kind != "withdrawn")
    intake = Intake.model_validate(latest).model_dump(mode="json")
    intake["red_flags"].sort(key=lambda flag: -tier_rank(flag["tier"]))
    groups = answer_groups(intake["answers"])
    accounts = session.scalars(select(Account).where(Account.active).order_by(Account.name))
    return CaseView(
        row=row_of(desk, staff, case, now),
        subject=intake["subject"],
        intake=intake,
        delivered=latest,
        delivered_at=newest.occurred_at,
        groups=groups,
        not_asked=[answer.label for _, answers in groups for answer in answers if answer.status == "not_asked"],
        missing=missing_records(intake["answers"]),
        files=files_of(session, desk, case),
        warnings=warnings(session, desk, now, sender_id=case.sender_id),
        versions=version_views(contents),
        entries=[_entry(desk, case, entry) for entry in reversed(case.entries)],
        duplicates=[row_of(desk, staff, other, now) for other in duplicates(session, desk, case, intake)],
        accounts=[(account.id, account.name, account.role) for account in accounts],
        steps=_steps(staff, case),
        language=case.language or "",
        reason=casework.REASONS.get(case.status, {}).get(case.reason or "", ""),
        withdrawn=case.withdrawn,
        calls=sum(entry.kind == "call" for entry in case.entries),
        country=case.country,
        patient_status=casework.patient_status(case),
    )


def _steps(staff: Staff, case: Case) -> list[tuple[str, str]]:
    allowed = casework.STEPS[case.status]
    if not staff.may("work"):
        allowed = tuple(step for step in allowed if step in ("in_review", "report_ready"))
    return [(step, casework.STATUSES[step]) for step in allowed]


def answer_groups(answers: dict[str, Any]) -> list[tuple[str, list[AnswerView]]]:
    """Sort answers into the sections of the questionnaire; what it does not know comes last, nothing is hidden."""
    groups: dict[str, list[AnswerView]] = {}
    known = questions()
    for field_id in [*(f for f in known if f in answers), *(f for f in answers if f not in known)]:
        answer = answers[field_id]
        question = known.get(field_id)
        value = show(answer.get("value"), question.choices if question else {})
        text = (answer.get("text") or "").strip()
        groups.setdefault(question.section if question else "Other answers", []).append(
            AnswerView(
                id=field_id,
                label=question.label if question else field_id.replace("_", " ").capitalize(),
                status=answer.get("status", "answered"),
                value=value,
                own_words=text if text.casefold() != value.casefold() else "",
                said_by=answer.get("said_by") or "patient",
            )
        )
    return list(groups.items())


def show(value: Any, choices: Mapping[str, str] = NO_CHOICES) -> str:
    """Return an answer's value as a person reads it."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return "; ".join(show(item, choices) for item in value)
    if isinstance(value, dict):
        return ", ".join(
            f"{key.replace('_', ' ')}: {show(item)}" for key, item in value.items() if item not in (None, "")
        )
    return choices.get(str(value), str(value))


def missing_records(answers: dict[str, Any]) -> list[str]:
    """Return what the reviewer needs and the patient has not said to have, with what was said instead."""
    found = []
    for field_id, question in records_questions().items():
        answer = answers.get(field_id) or {"status": "not_asked"}
        value = str(answer.get("value") or "").strip().casefold()
        if answer["status"] != "answered":
            found.append(f"{question.label} ({STATUS_WORDS[answer['status']]})")
        elif value in WITHOUT or not value:
            found.append(f"{question.label} ({show(value, question.choices).lower() or 'empty'})")
    return found


def version_views(contents: list[tuple[Version, dict[str, Any]]]) -> list[VersionView]:
    found: list[VersionView] = []
    before: dict[str, Any] = {}
    for version, content in contents:
        changes = changed(before, content) if before and version.kind != "withdrawn" else []
        found.append(VersionView(version.number, version.kind, version.occurred_at, version.received_at, changes))
        before = content if version.kind != "withdrawn" else before
    return found[::-1]


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    """Return what differs between two versions of an intake: person, answers, priority, red flags."""
    found = []
    for part, labels in (("subject", None), ("answers", questions())):
        old, new = before.get(part) or {}, after.get(part) or {}
        for key in [*old, *(key for key in new if key not in old)]:
            choices = labels[key].choices if labels and key in labels else NO_CHOICES
            was, now = _said(old.get(key), choices), _said(new.get(key), choices)
            if was != now:
                label = labels[key].label if labels and key in labels else key.replace("_", " ").capitalize()
                found.append(Change(label, was or "nothing", now or "nothing"))
    for key, label in (("priority", "Priority"), ("country", "Country"), ("informant", "Who answers")):
        if before.get(key) != after.get(key):
            found.append(Change(label, show(before.get(key)) or "nothing", show(after.get(key)) or "nothing"))
    old_files, new_files = ([file["name"] for file in each.get("files") or []] for each in (before, after))
    if old_files != new_files:
        found.append(Change("Letters", ", ".join(old_files) or "none", ", ".join(new_files) or "none"))
    old_flags = {flag["category"] for flag in before.get("red_flags") or []}
    new_flags = {flag["category"] for flag in after.get("red_flags") or []}
    if old_flags != new_flags:
        found.append(
            Change("Red flags", ", ".join(sorted(old_flags)) or "none", ", ".join(sorted(new_flags)) or "none")
        )
    return found


def _said(answer: Any, choices: Mapping[str, str]) -> str:
    if not isinstance(answer, dict):
        return show(answer)
    if answer.get("status", "answered") != "answered":
        return STATUS_WORDS[answer["status"]]
    value, text = show(answer.get("value"), choices), answer.get("text") or ""
    return text if not value else f"{value} (“{text}”)" if text and text.casefold() != value.casefold() else value


def duplicates(session: Session, desk: Desk, case: Case, intake: dict[str, Any]) -> list[Case]:
    """Return other cases of the same name and birth date. They are pointed out, never merged."""
    subject = intake.get("subject") or {}
    if not (subject.get("name") and subject.get("birth_date")):
        return []
    person = search_tokens(desk, {"name": subject["name"], "birth_date": subject["birth_date"]})
    person -= search_tokens(desk, {"name": subject["name"]}) | search_tokens(
        desk, {"birth_date": subject["birth_date"]}
    )
    same = select(Token.case_id).where(Token.token.in_(person))
    return list(session.scalars(select(Case).where(Case.id.in_(same), Case.id != case.id).limit(10)))


def _entry(desk: Desk, case: Case, entry: Entry) -> EntryView:
    detail, _, reason = (entry.detail or "").partition(":")
    words = {
        "note": "Note",
        "flags": "Warning signs dealt with",
        "hands": (entry.detail or "").capitalize(),
        "call": casework.CALLS.get(detail, ""),
        "status": f"Status: {casework.STATUSES.get(detail, detail)}"
        + (f" – {casework.REASONS.get(detail, {}).get(reason, reason)}" if reason else ""),
        "reopened": "Opened again: the patient corrected the intake",
        "closed": "Closed: the patient withdrew",
    }.get(entry.kind, entry.kind)
    return EntryView(
        entry.at, entry.account.name if entry.account else "Assistant", entry.kind, words, desk.text(case, entry)
    )
