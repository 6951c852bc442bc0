"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "data_keys",
        sa.Column(
            "owner", sa.String(length=60), nullable=False, comment="intake:<id>, escalation:<id> or erasure:<id>"
        ),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("owner"),
    )
    op.create_table(
        "drafts",
        sa.Column("id", sa.String(length=36), nullable=False, comment="becomes the intake's id"),
        sa.Column("sender_key", sa.String(length=64), nullable=False),
        sa.Column(
            "state", sa.LargeBinary(), nullable=False, comment="sealed: where the conversation is, with all answers"
        ),
        sa.Column("resume_key", sa.String(length=64), nullable=True, comment="fingerprint of the resume code"),
        sa.Column("resume_until", sa.Double(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("resume_key"),
        sa.UniqueConstraint("sender_key"),
    )
    op.create_table(
        "escalations",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("reference", sa.String(length=13), nullable=False),
        sa.Column("sender_key", sa.String(length=64), nullable=False),
        sa.Column("tier", sa.String(length=20), nullable=False),
        sa.Column("category", sa.String(length=40), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="sealed: the escalation as it was sent"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reference"),
    )
    op.create_index(op.f("ix_escalations_sender_key"), "escalations", ["sender_key"], unique=False)
    op.create_table(
        "intake_versions",
        sa.Column("intake_id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False, comment="submitted, corrected or withdrawn"),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="sealed: the case as it was sent"),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("intake_id", "version"),
    )
    op.create_table(
        "intakes",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("reference", sa.String(length=12), nullable=False),
        sa.Column("sender_key", sa.String(length=64), nullable=False),
        sa.Column(
            "phone_key",
            sa.String(length=64),
            nullable=True,
            comment="fingerprints of phone, e-mail and birth date: the check on who asks",
        ),
        sa.Column("email_key", sa.String(length=64), nullable=True),
        sa.Column("birth_key", sa.String(length=64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "status", sa.String(length=30), nullable=False, comment="saved, received, then what the case system reports"
        ),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reference"),
    )
    op.create_index(op.f("ix_intakes_sender_key"), "intakes", ["sender_key"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("owner", sa.String(length=60), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False, comment="order among the rows of one owner"),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False, comment="idempotency key and webhook id"),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="sealed"),
        sa.Column(
            "rank", sa.Integer(), nullable=False, comment="0 goes first: erasures and escalations; 1 stat; 2 the rest"
        ),
        sa.Column("stat", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("lease_until", sa.Double(), nullable=True),
        sa.Column("lease_owner", sa.String(length=60), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column(
            "last_error",
            sa.String(length=200),
            nullable=True,
            comment="a type or a status, never what a receiver wrote",
        ),
        sa.Column("alarmed_at", sa.Double(), nullable=True),
        sa.Column("done_at", sa.Double(), nullable=True),
        sa.Column("dead_at", sa.Double(), nullable=True),
        sa.Column("receipt", sa.LargeBinary(), nullable=True, comment="sealed: ids the receiver gave"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
        sa.UniqueConstraint("owner", "seq"),
    )
    op.create_index("outbox_waiting", "outbox", ["done_at", "dead_at", "due_at"], unique=False)
    op.create_table(
        "tombstones",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False, comment="draft, intake or escalation"),
        sa.Column("reference", sa.String(length=13), nullable=True),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("why", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
