"""Taking in what the assistant delivers: each key once, each intake's versions in order, all of it or nothing."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from casedesk import casework, files, privacy
from casedesk.desk import Desk, seal
from casedesk.models import Case, Delivery, Entry, Escalation, Token, Tombstone, Version
from casedesk.schema import TIERS, Erasure, FileContent, Intake, Raised, Withdrawal, tier_rank
from casedesk.schema import Delivery as Envelope

SENDER = "assistant"
DATA: dict[str, type[BaseModel]] = {
    "intake.submitted": Intake,
    "intake.corrected": Intake,
    "intake.withdrawn": Withdrawal,
    "intake.file": FileContent,
    "escalation.raised": Raised,
    "escalation.updated": Raised,
    "erasure.requested": Erasure,
}
REASON_FIELDS = ("operation", "main_problem")
"""Answers that say why the patient writes; the worklist shows them in this order."""
SHORT_BODY = 1024 * 1024
"""Up to here a body's fingerprint is made of the whole of it, as it always was; of a longer one, of its digest."""


@dataclass(eq=False)  # not frozen: Python writes the traceback onto an exception
class Refused(Exception):
    """A delivery the desk does not take. ``code`` is for programs, ``fields`` says what is wrong where."""

    http: int
    code: str
    fields: tuple[tuple[str, str], ...] = ()


def receive(session: Session, desk: Desk, key: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """Apply one verified delivery.

    Args:
        key: the idempotency key, which is the signed webhook id.
        body: the signed bytes.

    Returns:
        The HTTP status and the answer: 201 the first time; 200 with the same answer for the same key and body again.

    Raises:
        Refused: 409 same key with another body, or a version already there; 422 with the fields that are wrong;
            425 when an earlier version of the same intake is still to come.
    """
    if session.get_bind().dialect.name == "postgresql":
        # The same row sent by two workers at once: the second waits here, then finds the first one's answer.
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext(key))))
    whole = body.hex() if len(body) <= SHORT_BODY else hashlib.sha256(body).hexdigest()
    fingerprint = desk.vault.blind("delivery", whole)
    known = session.get(Delivery, key)
    if known:
        if known.fingerprint != fingerprint:
            raise Refused(409, "key_used_for_another_body")
        return 200, known.answer
    envelope, data = _parse(key, body)
    answer: dict[str, Any]
    if isinstance(data, Erasure):
        subject, answer = key, _erase(session, desk, data)
    elif isinstance(data, Raised):
        subject, answer = data.escalation_id, _escalation(session, desk, envelope, data)
    elif isinstance(data, FileContent):
        subject, answer = data.intake_id, _file(session, desk, data)
    else:
        assert isinstance(data, Intake | Withdrawal)
        subject, answer = data.intake_id, _intake(session, desk, envelope, data)
    session.add(
        Delivery(key=key, fingerprint=fingerprint, subject_id=subject, answer=answer, received_at=datetime.now(UTC))
    )
    session.flush()
    return 201, answer


def _parse(key: str, body: bytes) -> tuple[Envelope, BaseModel]:
    try:
        envelope = Envelope.model_validate_json(body)
        if envelope.id != key:
            raise Refused(422, "invalid", (("id", "differs from the idempotency key"),))
        return envelope, DATA[envelope.type].model_validate(envelope.data)
    except ValidationError as error:
        # The message may quote the input, so only the place and the kind of fault are given back.
        fields = tuple((".".join(map(str, fault["loc"])), fault["type"]) for fault in error.errors())
        raise Refused(422, "invalid", fields) from None


def _intake(session: Session, desk: Desk, envelope: Envelope, data: Intake | Withdrawal) -> dict[str, Any]:
    if session.get(Tombstone, data.intake_id):
        return {"case": data.reference, "status": "erased"}
    case = session.get(Case, data.intake_id, with_for_update={"of": Case})
    have = case.version if case else 0
    if data.version <= have:
        raise Refused(409, "version_already_there")
    if data.version > have + 1:
        raise Refused(425, "earlier_version_missing")
    dropped: list[str] = []
    if isinstance(data, Withdrawal):
        if case is None:
            raise Refused(422, "invalid", (("data.version", "a withdrawal cannot be the first version"),))
        _withdraw(session, desk, case)
        dropped = files.drop(session, case, keep=())
    elif case is None:
        case = _open_case(session, desk, data, min(envelope.occurred_at, datetime.now(UTC)))
    else:
        _correct(session, desk, case, data)
        dropped = files.drop(session, case, keep=[file.id for file in data.files])
    case.version = data.version
    case.updated_at = datetime.now(UTC)
    version = Version(
        id=str(uuid.uuid4()),
        case_id=case.id,
        number=data.version,
        kind=envelope.type.removeprefix("intake."),
        occurred_at=envelope.occurred_at,
        received_at=case.updated_at,
    )
    version.sealed = seal(desk.case_box(case), envelope.data, f"versions:sealed:{version.id}")
    session.add(version)
    desk.record(session, SENDER, envelope.type, case.reference, f"version {data.version}")
    for file_id in dropped:
        desk.record(session, SENDER, "file erased", case.reference, file_id)
    return {"case": case.reference, "status": case.status, **({"erased": dropped} if dropped else {})}


def _file(session: Session, desk: Desk, data: FileContent) -> dict[str, Any]:
    """Keep a letter, unless the patient took it back while it was on its way."""
    if session.get(Tombstone, data.intake_id):
        return {"case": data.reference, "status": "erased"}
    if fault := files.fault(data):
        raise Refused(422, "invalid", (fault,))
    case = session.get(Case, data.intake_id, with_for_update={"of": Case})
    if case is None or case.version < data.version:
        raise Refused(425, "earlier_version_missing")
    if files.keep(session, desk, case, data):
        desk.record(session, SENDER, "intake.file", case.reference, data.file.id)
    return {"case": case.reference, "status": case.status}


def _open_case(session: Session, desk: Desk, data: Intake, sent_at: datetime) -> Case:
    if session.scalar(select(Case.id).where(Case.reference == data.reference)):
        raise Refused(409, "reference_of_another_intake")
    now = datetime.now(UTC)
    case = Case(
        id=data.intake_id,
        reference=data.reference,
        sender_id=data.sender_id,
        wrapped_key=desk.vault.new_key(f"case:{data.intake_id}"),
        status="new",
        received_at=now,
        updated_at=now,
        version=0,
        calls_unanswered=0,
        # Counted from when the patient sent it: an hour in the outbox is an hour the patient waited.
        deadline=desk.calendar.deadline(data.priority, "first_look", sent_at),
    )
    _describe(desk, case, data)
    case.flag_rank = tier_rank(case.tier)
    session.add(case)
    session.flush()
    _index(session, desk, case, data)
    # Warnings go ahead of intakes: one of this chat may be here already.
    here = select(Escalation).where(Escalation.sender_id == case.sender_id, casework.is_open())
    for warning in session.scalars(here):
        _flag(desk, case, warning.tier, warning.category, desk.escalation(warning).get("evidence"))
    return case


def _correct(session: Session, desk: Desk, case: Case, data: Intake) -> None:
    before = tier_rank(case.tier)
    was = case.priority
    _describe(desk, case, data)
    _index(session, desk, case, data)
    case.changed = True
    case.withdrawn = False
    if tier_rank(case.tier) > before:
        case.flag_rank = tier_rank(case.tier)  # a worse sign has to be dealt with anew
    if case.status == "closed":
        case.status, case.reason, case.closed_at = "new", None, None
        _log(session, case, "reopened", "corrected")
    if case.priority != was or case.deadline is None:
        _renew_deadline(desk, case)


def _renew_deadline(desk: Desk, case: Case) -> None:
    if case.status in ("new", "accepted", "in_review"):
        # A case the patient reopened or made more urgent is due as if it had arrived now, unless it is due earlier.
        fresh = desk.calendar.deadline(
            case.priority, "first_look" if case.status == "new" else "report", datetime.now(UTC)
        )
        case.deadline = min(case.deadline, fresh) if case.deadline else fresh


def _withdraw(session: Session, desk: Desk, case: Case) -> None:
    case.withdrawn, case.changed = True, True
    case.status, case.reason, case.closed_at = "closed", "withdrawn", datetime.now(UTC)
    case.deadline = case.paused_at = case.held_deadline = None
    case.flag_rank = 0
    _log(session, case, "closed", "withdrawn")


def _describe(desk: Desk, case: Case, data: Intake) -> None:
    """Write what the worklist shows and sorts by."""
    case.priority, case.country, case.informant = data.priority, data.country or "", data.informant
    worst = max(data.red_flags, key=lambda flag: TIERS.index(flag.tier), default=None)
    case.tier = worst.tier if worst else None
    language = data.answers.get("language")
    case.language = str(language.value)[:40] if language and language.value else None
    given = (data.answers.get(field) for field in REASON_FIELDS)
    why = ": ".join(answer.text or str(answer.value) for answer in given if answer and answer.status == "answered")
    summary = {
        **data.subject.model_dump(),
        "why": why[:300],
        "evidence": (worst.evidence or "")[:300] if worst else "",
        "category": worst.category if worst else None,
    }
    case.sealed = seal(desk.case_box(case), summary, f"cases:sealed:{case.id}")


def _index(session: Session, desk: Desk, case: Case, data: Intake) -> None:
    """Write what the search and the notice of duplicates look up."""
    session.execute(delete(Token).where(Token.case_id == case.id))
    for token in sorted(search_tokens(desk, data.subject.model_dump())):
        session.add(Token(case_id=case.id, token=token))
    session.flush()


def search_tokens(desk: Desk, subject: dict[str, Any]) -> set[str]:
    """Return the blind indexes of a person: each word of the name, the telephone number, the birth date, and both."""
    found = set()
    name, birth_date = subject.get("name") or "", subject.get("birth_date") or ""
    found |= {desk.vault.blind("word", word) for word in name.replace(",", " ").split()}
    if phone := digits(subject.get("phone") or ""):
        found.add(desk.vault.blind("phone", phone))
    if birth_date:
        found.add(desk.vault.blind("born", birth_date))
    if name and birth_date:
        found.add(desk.vault.blind("person", f"{' '.join(sorted(name.casefold().split()))}|{birth_date}"))
    return found


def digits(phone: str) -> str:
    """Return the last nine digits, so that a number is found with and without its country code."""
    return "".join(letter for letter in phone if letter.isdigit())[-9:]


def _log(session: Session, case: Case, kind: str, detail: str) -> None:
    session.add(
        Entry(case_id=case.id, at=datetime.now(UTC), kind=kind, detail=detail, place=f"entries:sealed:{uuid.uuid4()}")
    )


def _escalation(session: Session, desk: Desk, envelope: Envelope, data: Raised) -> dict[str, Any]:
    if session.get(Tombstone, data.escalation_id):
        return {"escalation": data.reference, "status": "erased"}
    now = datetime.now(UTC)
    found = session.get(Escalation, data.escalation_id, with_for_update={"of": Escalation})
    if found is None:
        found = Escalation(
            id=data.escalation_id,
            reference=data.reference,
            sender_id=data.sender_id,
            wrapped_key=desk.vault.new_key(f"escalation:{data.escalation_id}"),
            tier_rank=0,
            received_at=now,
            raised_at=data.at,
            acknowledged_at=None,
        )
    elif envelope.occurred_at < found.updated_at:
        return {"escalation": found.reference, "status": "acknowledged" if found.acknowledged_at else "open"}
    rank = tier_rank(data.tier)
    if rank > found.tier_rank:  # new, or worse than what a person has seen
        found.deadline = desk.calendar.escalation_deadline(data.tier, min(envelope.occurred_at, now))
        found.acknowledged_at = found.acknowledged_by_id = found.outcome = None
        _flag_cases(session, desk, data)
    found.category, found.tier, found.tier_rank = data.category, data.tier, rank
    found.country, found.told, found.confirmed = data.country or "", data.told, data.confirmed
    found.updated_at = envelope.occurred_at
    content = data.model_dump(mode="json", include={"evidence", "rules", "rules_version", "contact", "person"})
    found.sealed = seal(desk.escalation_box(found), content, f"escalations:sealed:{found.id}")
    session.add(found)
    session.flush()
    desk.record(session, SENDER, envelope.type, found.reference, data.tier)
    return {"escalation": found.reference, "status": "acknowledged" if found.acknowledged_at else "open"}


def _flag_cases(session: Session, desk: Desk, data: Raised) -> None:
    """A sign seen after the intake was sent stands on top of the worklist too, and in the case."""
    open_ones = select(Case).where(Case.sender_id == data.sender_id, Case.status != "closed")
    for case in session.scalars(open_ones.with_for_update(of=Case)):
        _flag(desk, case, data.tier, data.category, data.evidence)


def _flag(desk: Desk, case: Case, tier: str, category: str, evidence: str | None) -> None:
    """Put ``case`` as high as a sign of ``tier`` belongs, unless it stands there already."""
    rank = tier_rank(tier)
    if rank > case.flag_rank:
        case.flag_rank = rank
        case.tier = tier if rank > tier_rank(case.tier) else case.tier
        summary = {**desk.summary(case), "evidence": (evidence or "")[:300], "category": category}
        case.sealed = seal(desk.case_box(case), summary, f"cases:sealed:{case.id}")


def _erase(session: Session, desk: Desk, data: Erasure) -> dict[str, Any]:
    subject_id = data.intake_id or data.escalation_id
    if not (data.sender_id or subject_id or data.reference):
        raise Refused(422, "invalid", (("data", "needs sender_id, intake_id, escalation_id or reference"),))
    one = subject_id or data.reference
    erased = privacy.erase(
        session,
        desk,
        who=SENDER,
        why=data.why,
        sender_id=None if one else data.sender_id,
        subject_id=subject_id,
        reference=data.reference,
    )
    return {"erased": erased, "status": "erased"}
