"""The tables of the intake store. Words of patients stand only in sealed columns (``runtime/vault.py``).

Times are seconds since 1970 (UTC). ``sender_key`` is a keyed fingerprint of the conversation's id: it finds a row and
tells nobody who wrote.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

metadata = MetaData()

data_keys = Table(
    "data_keys",
    metadata,
    Column(
        "owner",
        String(60),
        primary_key=True,
        comment="intake:, escalation:, erasure: or question:<id>, space:<fingerprint>",
    ),
    Column("wrapped", LargeBinary, nullable=False),
)

drafts = Table(
    "drafts",
    metadata,
    Column("id", String(36), primary_key=True, comment="becomes the intake's id"),
    Column("sender_key", String(64), nullable=False, unique=True),
    Column("state", LargeBinary, nullable=False, comment="sealed: where the conversation is, with all answers"),
    Column("resume_key", String(64), unique=True, comment="fingerprint of the resume code"),
    Column("resume_until", Double),
    Column("step", String(40), nullable=False, server_default="", comment="the question it stands at, for drop-off"),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
)

draft_files = Table(
    "draft_files",
    metadata,
    Column("draft_id", String(36), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("body", LargeBinary, nullable=False, comment="sealed: a letter the patient agreed to hand over"),
)

workspaces = Table(
    "workspaces",
    metadata,
    Column("sender_key", String(64), primary_key=True),
    Column("state", LargeBinary, nullable=False, comment="sealed: opinions, questions and what was kept of letters"),
    Column("updated_at", Double, nullable=False, index=True),
)

unanswered = Table(
    "unanswered",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("sender_key", String(64), nullable=False, index=True),
    Column("body", LargeBinary, nullable=False, comment="sealed: the question, as it was typed"),
    Column("at", Double, nullable=False),
)

intakes = Table(
    "intakes",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("reference", String(12), nullable=False, unique=True),
    Column("sender_key", String(64), nullable=False, index=True),
    Column("phone_key", String(64), comment="fingerprints of phone, e-mail and birth date: the check on who asks"),
    Column("email_key", String(64)),
    Column("birth_key", String(64)),
    Column("version", Integer, nullable=False),
    Column("status", String(30), nullable=False, comment="saved, received, then what the case system reports"),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
)

versions = Table(
    "intake_versions",
    metadata,
    Column("intake_id", String(36), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("kind", String(30), nullable=False, comment="submitted, corrected or withdrawn"),
    Column("body", LargeBinary, nullable=False, comment="sealed: the case as it was sent"),
    Column("at", Double, nullable=False),
)

escalations = Table(
    "escalations",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("reference", String(13), nullable=False, unique=True),
    Column("sender_key", String(64), nullable=False, index=True),
    Column("tier", String(20), nullable=False),
    Column("category", String(40), nullable=False),
    Column("body", LargeBinary, nullable=False, comment="sealed: the escalation as it was sent"),
    Column("version", Integer, nullable=False),
    Column("at", Double, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("owner", String(60), nullable=False),
    Column("seq", Integer, nullable=False, comment="order among the rows of one owner"),
    Column("kind", String(30), nullable=False),
    Column("key", String(100), nullable=False, unique=True, comment="idempotency key and webhook id"),
    Column("body", LargeBinary, nullable=False, comment="sealed"),
    Column("rank", Integer, nullable=False, comment="0 goes first: erasures and escalations; 1 stat; 2 the rest"),
    Column("stat", Boolean, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("lease_until", Double),
    Column("lease_owner", String(60)),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("last_status", Integer),
    Column("last_error", String(200), comment="a type or a status, never what a receiver wrote"),
    Column("alarmed_at", Double),
    Column("done_at", Double),
    Column("dead_at", Double),
    Column("receipt", LargeBinary, comment="sealed: ids the receiver gave"),
    UniqueConstraint("owner", "seq"),
    Index("outbox_waiting", "done_at", "dead_at", "due_at"),
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("what", String(20), nullable=False, comment="draft, intake or escalation"),
    Column("reference", String(13)),
    Column("at", Double, nullable=False),
    Column("why", String(40), nullable=False),
)

counts = Table(
    "counts",
    metadata,
    Column("day", String(10), primary_key=True, comment="UTC, ISO"),
    Column("what", String(20), primary_key=True, comment="answer, fallback, escalation, begun, sent, abandoned ..."),
    Column("name", String(60), primary_key=True, comment="a topic, tier or step, or empty"),
    Column("number", Integer, nullable=False),
)
