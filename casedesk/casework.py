"""What staff do with cases and warnings: claim, assign, move on, note, call, acknowledge.

Each function works in the caller's transaction, leaves an entry on the case and a row in the audit, and raises
:class:`NotNow` with words for the person at the desk when the step does not fit.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from casedesk.accounts import Staff
from casedesk.desk import Desk
from casedesk.models import Account, Case, Entry, Escalation, Notice

STATUSES: dict[str, str] = {
    "new": "New",
    "accepted": "Accepted",
    "in_review": "In review",
    "waiting": "Waiting for patient",
    "report_ready": "Report ready",
    "closed": "Closed",
}
STEPS: dict[str, tuple[str, ...]] = {
    "new": ("accepted", "waiting", "closed"),
    "accepted": ("in_review", "waiting", "closed"),
    "in_review": ("report_ready", "waiting", "closed"),
    "waiting": ("accepted", "in_review", "closed"),
    "report_ready": ("closed", "in_review"),
    "closed": ("accepted",),
}
REASONS: dict[str, dict[str, str]] = {
    "waiting": {
        "records": "Records are missing",
        "images": "Images are missing",
        "consent": "Consent is missing",
        "answer": "A question to the patient is open",
        "payment": "Payment is open",
    },
    "closed": {
        "report_delivered": "The report was delivered",
        "withdrawn": "The patient withdrew",
        "sent_to_emergency": "Sent to emergency care",
        "not_suitable": "Not something this clinic reviews",
        "unreachable": "The patient could not be reached",
        "duplicate": "Duplicate of another case",
        "other": "Another reason (write a note)",
    },
}
CALLS: dict[str, str] = {
    "no_answer": "Called, no answer",
    "message_left": "Called, left a message",
    "reached": "Spoke with the patient",
    "reached_carer": "Spoke with the carer",
    "wrong_number": "Wrong number",
}
OUTCOMES: dict[str, str] = {
    "spoke_going": "Spoke with them: going to emergency care",
    "spoke_safe": "Spoke with them: safe, seen already",
    "ambulance_sent": "Ambulance or crisis team sent",
    "no_contact_given": "No contact given: cannot be reached",
    "no_answer": "Called, no answer: will call again",
    "mistake": "Not a warning sign",
}
CALL_AGAIN = "no_answer"
"""The outcome after which a warning is not done with: it stays on top until somebody was reached."""
PATIENT_STATUS: dict[str, str] = {
    "new": "received",
    "accepted": "accepted",
    "in_review": "in_review",
    "waiting": "waiting",
    "report_ready": "report_ready",
    "closed": "closed",
}
"""What the patient is told. "New" is the desk's word."""


class NotNow(Exception):
    """The step does not fit the state of the case. The text is shown to the person at the desk."""


def patient_status(case: Case) -> str:
    return "withdrawn" if case.withdrawn else PATIENT_STATUS[case.status]


def get_case(session: Session, reference: str, *, lock: bool = False) -> Case | None:
    query = select(Case).where(Case.reference == reference)
    return session.scalar(query.with_for_update(of=Case) if lock else query)


def claim(session: Session, desk: Desk, staff: Staff, case: Case) -> None:
    """Take a case nobody has. Taking a new case accepts it."""
    if case.assignee_id == staff.id:
        return
    if case.assignee_id is not None:
        raise NotNow(f"{case.assignee.name if case.assignee else 'Someone'} has this case. Ask them to release it.")
    _hand_to(session, desk, staff, case, staff.id, "claimed")
    if case.status == "new":
        move(session, desk, staff, case, to="accepted", was="new")


def release(session: Session, desk: Desk, staff: Staff, case: Case) -> None:
    if case.assignee_id is None:
        return
    if case.assignee_id != staff.id and staff.role != "admin":
        raise NotNow("Only the person who has the case, or an administrator, can release it.")
    _hand_to(session, desk, staff, case, None, "released")


def assign(session: Session, desk: Desk, staff: Staff, case: Case, account_id: int) -> None:
    account = session.get(Account, account_id)
    if account is None or not account.active:
        raise NotNow("That account no longer exists.")
    _hand_to(session, desk, staff, case, account.id, f"assigned to {account.name}")


def _hand_to(session: Session, desk: Desk, staff: Staff, case: Case, account_id: int | None, words: str) -> None:
    case.assignee_id = account_id
    session.flush()
    session.refresh(case, ["assignee"])
    add_entry(session, desk, staff, case, "hands", words)
    desk.record(session, staff.name, "case " + words, case.reference)


def move(
    session: Session, desk: Desk, staff: Staff, case: Case, *, to: str, was: str, reason: str = "", note: str = ""
) -> None:
    """Change the status. ``was`` is the status the person saw: when it is another by now, nothing is changed."""
    if case.status != was:
        raise NotNow(f"This case is “{STATUSES[case.status]}” by now. Look again before you change it.")
    if to not in STEPS[case.status]:
        raise NotNow(f"A case cannot go from “{STATUSES[case.status]}” to that status.")
    if to in REASONS and reason not in REASONS[to]:
        raise NotNow(f"Choose a reason for “{STATUSES[to]}”.")
    if reason == "other" and not note.strip():
        raise NotNow("Write a note that says the other reason.")
    if not staff.may("work") and to not in ("in_review", "report_ready"):
        raise NotNow("Your role may set “In review” and “Report ready” only.")
    before = patient_status(case)
    now = datetime.now(UTC)
    _set_clock(desk, case, to, now)
    case.status, case.reason = to, reason if to in REASONS else None
    case.closed_at = now if to == "closed" else None
    if to == "closed":
        case.flag_rank = 0
    case.withdrawn = case.withdrawn and to == "closed"
    case.updated_at = now
    add_entry(session, desk, staff, case, "status", f"{to}:{reason}" if reason else to, note)
    desk.record(session, staff.name, f"status {to}", case.reference, reason)
    if patient_status(case) != before:
        notify(session, case.sender_id, "case.status", case.reference, patient_status(case))


def _set_clock(desk: Desk, case: Case, to: str, now: datetime) -> None:
    """Set the deadline for the status to come."""
    if to == "waiting":
        case.paused_at, case.held_deadline, case.deadline = now, case.deadline, None
    elif to in ("report_ready", "closed"):
        case.deadline = case.paused_at = case.held_deadline = None
    elif case.status == "waiting" and case.paused_at and case.held_deadline:
        due = case.held_deadline
        if not _was_looked_at(case):  # it went to waiting straight from new: from now on the report is what is due
            due = desk.calendar.deadline(case.priority, "report", case.received_at)
        case.deadline = desk.calendar.shifted(due, case.priority, case.paused_at, now)
        case.paused_at = case.held_deadline = None
    elif case.status == "new":
        case.deadline = desk.calendar.deadline(case.priority, "report", case.received_at)
    elif case.status in ("closed", "report_ready"):  # opened again: it is due as if it had come today
        case.deadline = desk.calendar.deadline(case.priority, "report", now)


def _was_looked_at(case: Case) -> bool:
    return any(entry.kind == "status" and entry.detail in ("accepted", "in_review") for entry in case.entries)


def note(session: Session, desk: Desk, staff: Staff, case: Case, text: str) -> None:
    if not text.strip():
        raise NotNow("The note is empty.")
    add_entry(session, desk, staff, case, "note", None, text.strip())
    desk.record(session, staff.name, "note added", case.reference)


def call(session: Session, desk: Desk, staff: Staff, case: Case, outcome: str, text: str = "") -> None:
    """Log a call. Unanswered calls are counted until somebody is reached."""
    if outcome not in CALLS:
        raise NotNow("Choose what came of the call.")
    if outcome.startswith("reached"):
        case.calls_unanswered = 0
    else:
        case.calls_unanswered += 1
    add_entry(session, desk, staff, case, "call", outcome, text.strip())
    desk.record(session, staff.name, f"call {outcome}", case.reference)


def flags_dealt_with(session: Session, desk: Desk, staff: Staff, case: Case, text: str) -> None:
    """Take a case off the top of the list once a person has dealt with its red flags; how is asked for."""
    if not text.strip():
        raise NotNow("Write in a few words how the warning signs were dealt with.")
    case.flag_rank = 0
    add_entry(session, desk, staff, case, "flags", None, text.strip())
    desk.record(session, staff.name, "red flags dealt with", case.reference)


def is_open() -> ColumnElement[bool]:
    """Whether a warning still needs somebody at the desk."""
    return or_(Escalation.acknowledged_at.is_(None), Escalation.outcome == CALL_AGAIN)


def acknowledge(session: Session, desk: Desk, staff: Staff, escalation: Escalation, outcome: str) -> None:
    """Take charge of a warning. The patient is told that a person has seen it."""
    if outcome not in OUTCOMES:
        raise NotNow("Choose what came of it.")
    if escalation.acknowledged_at is None:
        notify(session, escalation.sender_id, "escalation.acknowledged", escalation.reference, "acknowledged")
    escalation.acknowledged_at = escalation.acknowledged_at or datetime.now(UTC)
    escalation.acknowledged_by_id = staff.id
    escalation.outcome = outcome
    session.flush()
    desk.record(session, staff.name, "escalation acknowledged", escalation.reference, outcome)


def add_entry(
    session: Session, desk: Desk, staff: Staff, case: Case, kind: str, detail: str | None, text: str = ""
) -> None:
    place = f"entries:sealed:{uuid.uuid4()}"
    sealed = desk.case_box(case).seal(text, place) if text else None
    session.add(
        Entry(
            case_id=case.id,
            at=datetime.now(UTC),
            kind=kind,
            detail=detail,
            account_id=staff.id,
            place=place,
            sealed=sealed,
        )
    )
    session.flush()


def notify(session: Session, sender_id: str, kind: str, reference: str, status: str) -> None:
    """Put a notice to the patient into the desk's outbox, in the same transaction as what it tells."""
    now = datetime.now(UTC)
    session.add(
        Notice(
            id=f"desk-{uuid.uuid4()}",
            sender_id=sender_id,
            kind=kind,
            reference=reference,
            status=status,
            created_at=now,
            due_at=now,
            tries=0,
        )
    )
