"""The tables of the gateway's store. Words of patients stand only in ``body`` columns, sealed with their session's key."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

sessions = sa.Table(
    "chat_session",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("key", sa.LargeBinary, nullable=False),
    sa.Column("language", sa.String(8), nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("seen_at", sa.Float, nullable=False, index=True),
    sa.Column("last_event", sa.Integer, nullable=False, default=0),
    sa.Column("turn", sa.String(64)),
)
turns = sa.Table(  # every message that has no end of its answer yet
    "chat_turn",
    metadata,
    sa.Column("session", sa.ForeignKey("chat_session.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("turn", sa.String(64), primary_key=True),
    sa.Column("until", sa.Float, nullable=False, index=True),
)
events = sa.Table(
    "chat_event",
    metadata,
    sa.Column("session", sa.ForeignKey("chat_session.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("client_id", sa.String(64)),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("session", "client_id"),
)
offers = sa.Table(
    "chat_offer",
    metadata,
    sa.Column("session", sa.ForeignKey("chat_session.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("digest", sa.String(32), primary_key=True),
)
feedback = sa.Table(
    "chat_feedback",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("topic", sa.String(64), nullable=False),
    sa.Column("version", sa.String(64), nullable=False),
    sa.Column("helped", sa.Boolean, nullable=False),
)
# As they were sent, for the time of the chat: a copy goes to the clinic only if the patient says so.
letters = sa.Table(
    "chat_letter",
    metadata,
    sa.Column("session", sa.ForeignKey("chat_session.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("turn", sa.String(64), primary_key=True),
    sa.Column("id", sa.String(32), nullable=False, unique=True),
    sa.Column("type", sa.String(32), nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
notices = sa.Table(
    "chat_notice",
    metadata,
    sa.Column("id", sa.String(128), primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
)
