"""Questions that were not understood and that patients let staff read."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "unanswered",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("sender_key", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="sealed: the question, as it was typed"),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_unanswered_sender_key"), "unanswered", ["sender_key"], unique=False)


def downgrade() -> None:
    op.drop_table("unanswered")
