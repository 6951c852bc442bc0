"""The desk's tables.

What identifies a person or is free text stands only in ``sealed`` columns (see :mod:`runtime.vault`); the rest is ids,
states and times, which sorting and filtering need in the clear.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, ForeignKey, Index, Integer, LargeBinary, String, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Moment(TypeDecorator[datetime]):
    """A point in time, UTC, aware in Python on every database. SQLite keeps it as text that sorts by time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    type_annotation_map = {datetime: Moment(), str: String(200), bytes: LargeBinary(), dict[str, Any]: JSON()}


class Account(Base):
    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    password_hash: Mapped[str] = mapped_column(String(300))
    active: Mapped[bool] = mapped_column(default=True)
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]


class LogIn(Base):
    """A logged-in browser. The cookie holds the token, this table its fingerprint."""

    __tablename__ = "log_ins"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    csrf: Mapped[str]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    account: Mapped[Account] = relationship(lazy="joined")


class Case(Base):
    """One intake as the clinic works on it. Its answers are in the versions; ``sealed`` is what the worklist shows."""

    __tablename__ = "cases"

    id: Mapped[str] = mapped_column(primary_key=True)  # the intake's id
    reference: Mapped[str] = mapped_column(unique=True)
    sender_id: Mapped[str] = mapped_column(index=True)
    wrapped_key: Mapped[bytes]
    sealed: Mapped[bytes]
    status: Mapped[str] = mapped_column(default="new")
    reason: Mapped[str | None]  # why closed or waiting: one of the reasons in casework.py
    priority: Mapped[str]
    country: Mapped[str]
    informant: Mapped[str]
    language: Mapped[str | None]
    version: Mapped[int]
    tier: Mapped[str | None]  # the most severe red flag
    flag_rank: Mapped[int] = mapped_column(default=0)  # severity of red flags nobody has dealt with yet
    changed: Mapped[bool] = mapped_column(default=False)  # the patient changed something nobody has looked at yet
    withdrawn: Mapped[bool] = mapped_column(default=False)
    deadline: Mapped[datetime | None]
    # While waiting for the patient the clock stands still: when it stopped, and the deadline put aside.
    paused_at: Mapped[datetime | None]
    held_deadline: Mapped[datetime | None]
    received_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    calls_unanswered: Mapped[int] = mapped_column(default=0)
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    assignee: Mapped[Account | None] = relationship(lazy="joined")
    versions: Mapped[list[Version]] = relationship(
        order_by="Version.number", cascade="all, delete-orphan", passive_deletes=True
    )
    entries: Mapped[list[Entry]] = relationship(order_by="Entry.id", cascade="all, delete-orphan", passive_deletes=True)
    files: Mapped[list[File]] = relationship(cascade="all, delete-orphan", passive_deletes=True)

    # Holds all that the worklist filters, sorts and counts by, so that no sealed text is read for it.
    __table_args__ = (
        Index(
            "cases_worklist",
            "status",
            "flag_rank",
            "deadline",
            "received_at",
            "assignee_id",
            "changed",
            "priority",
            "id",
        ),
    )


class Version(Base):
    """An intake as submitted, corrected or withdrawn; never changed afterwards."""

    __tablename__ = "versions"

    id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), index=True)
    number: Mapped[int]
    kind: Mapped[str]
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]
    sealed: Mapped[bytes]


class Entry(Base):
    """What staff did or wrote on a case: a note, a call, a change of status or hands."""

    __tablename__ = "entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime]
    kind: Mapped[str]
    detail: Mapped[str | None]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    account: Mapped[Account | None] = relationship(lazy="joined")
    place: Mapped[str]  # what the text is sealed for, as the id is not known before the row exists
    sealed: Mapped[bytes | None]


class File(Base):
    """A letter the patient agreed to hand over. How it is called, and whether it is still wanted, say the versions."""

    __tablename__ = "files"

    id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), index=True)
    type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    received_at: Mapped[datetime]
    sealed: Mapped[bytes] = mapped_column(deferred=True)  # megabytes: read only to be handed out


class Token(Base):
    """Blind indexes of a case: name words, telephone, date of birth, and name with date of birth."""

    __tablename__ = "tokens"

    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True)
    token: Mapped[str] = mapped_column(primary_key=True)

    __table_args__ = (Index("tokens_by_token", "token"),)


class Escalation(Base):
    """A warning sign the assistant saw in a chat; a person has to acknowledge it."""

    __tablename__ = "escalations"

    id: Mapped[str] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(unique=True)
    sender_id: Mapped[str] = mapped_column(index=True)
    wrapped_key: Mapped[bytes]
    sealed: Mapped[bytes]
    category: Mapped[str]
    tier: Mapped[str]
    tier_rank: Mapped[int]
    country: Mapped[str]
    told: Mapped[bool]
    confirmed: Mapped[str | None]
    raised_at: Mapped[datetime]
    received_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deadline: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    acknowledged_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    acknowledged_by: Mapped[Account | None] = relationship(lazy="joined")


class Delivery(Base):
    """An idempotency key already dealt with, the fingerprint of its body and what was answered."""

    __tablename__ = "deliveries"

    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    subject_id: Mapped[str] = mapped_column(index=True)
    answer: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]


class Tombstone(Base):
    """That something was erased: which, when, by whose wish. Nothing about the person."""

    __tablename__ = "tombstones"

    id: Mapped[str] = mapped_column(primary_key=True)
    reference: Mapped[str]
    at: Mapped[datetime]
    who: Mapped[str]
    why: Mapped[str]


class Notice(Base):
    """The desk's own outbox: what the patient is to be told through the gateway."""

    __tablename__ = "notices"

    id: Mapped[str] = mapped_column(primary_key=True)
    sender_id: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    reference: Mapped[str]
    status: Mapped[str]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime] = mapped_column(index=True)
    tries: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    done_at: Mapped[datetime | None]
    dead_at: Mapped[datetime | None]


class OutboxReport(Base):
    """The delivery worker's latest account of what it could not deliver. One row."""

    __tablename__ = "outbox_report"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    pending: Mapped[int]
    oldest_seconds: Mapped[int]
    dead: Mapped[dict[str, Any]]


class OutboxRequest(Base):
    """A nurse asked for a dead row to be sent again."""

    __tablename__ = "outbox_requests"

    key: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class Figure(Base):
    """A count of a day from the assistant, for the insight page: topics, tiers and steps, never words."""

    __tablename__ = "insight"

    day: Mapped[str] = mapped_column(primary_key=True)
    what: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]


class AuditRow(Base):
    """Who did or saw what, when and why. Rows are chained; see :mod:`casedesk.audit`."""

    __tablename__ = "audit"

    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[str]
    who: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    why: Mapped[str]
    prev: Mapped[str]
    mac: Mapped[str]


class AuditHead(Base):
    """The end of the audit chain, so that rows cut off at the end are missed."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int]
    mac: Mapped[str]
