"""What a patient keeps while comparing two opinions."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "workspaces",
        sa.Column("sender_key", sa.String(length=64), nullable=False),
        sa.Column(
            "state",
            sa.LargeBinary(),
            nullable=False,
            comment="sealed: two opinions, questions and what was kept of letters",
        ),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("sender_key"),
    )
    op.create_index(op.f("ix_workspaces_updated_at"), "workspaces", ["updated_at"], unique=False)


def downgrade() -> None:
    op.drop_table("workspaces")
