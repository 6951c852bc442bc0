"""What the worklist shows, as plain data read in one transaction; templates get nothing from the database itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from casedesk import casework
from casedesk.accounts import Staff
from casedesk.deadlines import in_words
from casedesk.deliveries import digits
from casedesk.desk import Desk
from casedesk.models import Case, Escalation, Token
from casedesk.numbers import whole_number

PAGE = 50
PINNED = 20
SOON = timedelta(hours=2)


@dataclass(frozen=True)
class Due:
    """A deadline in words; ``state`` is for the colour, never the only sign."""

    state: str  # overdue, soon, later, stopped, none
    words: str
    at: datetime | None = None


def due(deadline: datetime | None, now: datetime, *, stopped: bool = False) -> Due:
    if stopped:
        return Due("stopped", "Clock stopped")
    if deadline is None:
        return Due("none", "No deadline")
    if deadline <= now:
        return Due("overdue", f"Overdue by {in_words(now - deadline)}", deadline)
    return Due("soon" if deadline - now <= SOON else "later", f"Due in {in_words(deadline - now)}", deadline)


@dataclass(frozen=True)
class Filters:
    """What the worklist is narrowed to, as typed in the address bar."""

    status: str = "open"
    priority: str = ""
    whose: str = ""
    only: str = ""
    q: str = ""
    page: int = 1

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Filters:
        status, priority, whose, only = (query.get(name, "") for name in ("status", "priority", "whose", "only"))
        return cls(
            status=status if status in ("open", "all", *casework.STATUSES) else "open",
            priority=priority if priority in ("stat", "urgent", "soon", "routine") else "",
            whose=whose if whose in ("mine", "nobody") else "",
            only=only if only in ("overdue", "flagged", "changed") else "",
            q=query.get("q", "").strip()[:100],
            page=whole_number(query.get("page", "")) or 1,
        )

    @property
    def narrowed(self) -> bool:
        return (self.status, self.priority, self.whose, self.only, self.q) != ("open", "", "", "", "")


@dataclass(frozen=True)
class Row:
    reference: str
    name: str
    why: str
    tier: str | None
    flagged: bool
    priority: str
    status: str
    due: Due
    received_at: datetime
    age: str
    assignee: str
    mine: bool
    calls_unanswered: int
    changed: bool
    carer: bool


@dataclass(frozen=True)
class Warning_:
    """An escalation as shown. (The bare name is taken by Python.)"""

    reference: str
    category: str
    tier: str
    evidence: str
    rules: list[str]
    rules_version: str
    raised_at: datetime
    age: str
    due: Due
    told: bool
    confirmed: str | None
    country: str
    contact: str
    person: str
    case: str | None
    is_open: bool
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    outcome: str = ""


@dataclass(frozen=True)
class Worklist:
    warnings: list[Warning_]
    rows: list[Row]
    filters: Filters
    total: int
    pages: int
    counts: dict[str, int]
    waiting: int  # warnings to acknowledge, shown or not


def worklist(session: Session, desk: Desk, staff: Staff, filters: Filters) -> Worklist:
    """Return the page of the worklist that ``filters`` asks for: red flag, then deadline, then age."""
    now = datetime.now(UTC)
    total = session.scalar(_narrowed(select(func.count()).select_from(Case), desk, staff, filters, now)) or 0
    # Only ids are sorted: whole rows, with what is sealed in them, would be moved about ten thousand at a time.
    ordered = _narrowed(select(Case.id), desk, staff, filters, now).order_by(
        Case.flag_rank.desc(), Case.deadline.asc().nulls_last(), Case.received_at, Case.id
    )
    ids = session.scalars(ordered.limit(PAGE).offset((filters.page - 1) * PAGE)).all()
    found = {case.id: case for case in session.scalars(select(Case).where(Case.id.in_(ids)))}
    return Worklist(
        warnings=warnings(session, desk, now),
        rows=[row_of(desk, staff, found[case_id], now) for case_id in ids],
        filters=filters,
        total=total,
        pages=max(1, -(-total // PAGE)),
        counts=_counts(session, staff, now),
        waiting=session.scalar(select(func.count()).select_from(Escalation).where(casework.is_open())) or 0,
    )


def _narrowed(query: Select[Any], desk: Desk, staff: Staff, filters: Filters, now: datetime) -> Select[Any]:
    if filters.q:
        query = query.where(_search(desk, filters.q))
    elif filters.status == "open":  # a search looks everywhere; otherwise finding a closed case takes two tries
        query = query.where(Case.status != "closed")
    if filters.status in casework.STATUSES:
        query = query.where(Case.status == filters.status)
    if filters.priority:
        query = query.where(Case.priority == filters.priority)
    if filters.whose == "mine":
        query = query.where(Case.assignee_id == staff.id)
    elif filters.whose == "nobody":
        query = query.where(Case.assignee_id.is_(None))
    if filters.only == "overdue":
        query = query.where(Case.deadline < now)
    elif filters.only == "flagged":
        query = query.where(Case.flag_rank > 0)
    elif filters.only == "changed":
        query = query.where(Case.changed)
    return query


def _search(desk: Desk, q: str) -> Any:
    """Find by reference, whole words of the name, telephone number or date of birth (all but the first are blind)."""
    reference = q.upper().replace(" ", "-")
    hits = [Case.reference == reference, Case.reference == f"PS-{reference}"]
    if number := digits(q) if len([letter for letter in q if letter.isdigit()]) >= 7 else "":
        hits.append(Case.id.in_(select(Token.case_id).where(Token.token == desk.vault.blind("phone", number))))
    hits.append(Case.id.in_(select(Token.case_id).where(Token.token == desk.vault.blind("born", q))))
    words = [desk.vault.blind("word", word) for word in q.replace(",", " ").split()]
    if words:
        every = select(Token.case_id).where(Token.token.in_(words)).group_by(Token.case_id)
        hits.append(Case.id.in_(every.having(func.count() == len(set(words)))))
    return or_(*hits)


def _counts(session: Session, staff: Staff, now: datetime) -> dict[str, int]:
    is_open = Case.status != "closed"
    row = session.execute(
        select(
            func.count(),
            func.count().filter(Case.status == "new"),
            func.count().filter(Case.assignee_id == staff.id),
            func.count().filter(Case.deadline < now),
            func.count().filter(Case.flag_rank > 0),
            func.count().filter(Case.changed),
        ).where(is_open)
    ).one()
    return dict(zip(("open", "new", "mine", "overdue", "flagged", "changed"), map(int, row), strict=True))


def row_of(desk: Desk, staff: Staff, case: Case, now: datetime) -> Row:
    summary = desk.summary(case)
    return Row(
        reference=case.reference,
        name=summary.get("name") or "Name not given",
        why=(case.flag_rank and summary.get("evidence")) or summary.get("why", ""),
        tier=case.tier,
        flagged=case.flag_rank > 0,
        priority=case.priority,
        status=case.status,
        due=due(case.deadline, now, stopped=case.paused_at is not None),
        received_at=case.received_at,
        age=in_words(now - case.received_at),
        assignee=case.assignee.name if case.assignee else "",
        mine=case.assignee_id == staff.id,
        calls_unanswered=case.calls_unanswered,
        changed=case.changed,
        carer=case.informant == "carer",
    )


def warnings(session: Session, desk: Desk, now: datetime, *, sender_id: str = "") -> list[Warning_]:
    """Return the worst warnings that are still open, or all of one chat."""
    query = select(Escalation).where(Escalation.sender_id == sender_id if sender_id else casework.is_open())
    found = session.scalars(query.order_by(Escalation.tier_rank.desc(), Escalation.deadline).limit(PINNED)).all()
    senders = [escalation.sender_id for escalation in found]
    rows = session.scalars(select(Case).where(Case.sender_id.in_(senders)).order_by(Case.received_at))
    cases = {case.sender_id: case for case in rows}
    return [_warning(desk, escalation, cases.get(escalation.sender_id), now) for escalation in found]


def _warning(desk: Desk, escalation: Escalation, case: Case | None, now: datetime) -> Warning_:
    content = desk.escalation(escalation)
    contact = content.get("contact")
    if not contact and case:  # the chat had no number yet, or the intake has it
        contact = {name: desk.summary(case).get(name) for name in ("phone", "email")}
    return Warning_(
        reference=escalation.reference,
        category=escalation.category,
        tier=escalation.tier,
        evidence=content.get("evidence", ""),
        rules=list(map(str, content.get("rules") or [])),
        rules_version=content.get("rules_version") or "",
        raised_at=escalation.raised_at,
        age=in_words(now - escalation.raised_at),
        due=due(escalation.deadline, now),
        told=escalation.told,
        confirmed=escalation.confirmed,
        country=escalation.country,
        contact=", ".join(str(value) for value in contact.values() if value)
        if isinstance(contact, dict)
        else str(contact or ""),
        person=content.get("person", "self"),
        case=case.reference if case else None,
        is_open=escalation.acknowledged_at is None or escalation.outcome == casework.CALL_AGAIN,
        acknowledged_at=escalation.acknowledged_at,
        acknowledged_by=escalation.acknowledged_by.name if escalation.acknowledged_by else "",
        outcome=casework.OUTCOMES.get(escalation.outcome or "", ""),
    )
