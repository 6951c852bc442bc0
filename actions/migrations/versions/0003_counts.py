"""Figures for the clinic's insight page, and the step at which a draft stands."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "counts",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "what", "name"),
    )
    op.add_column("drafts", sa.Column("step", sa.String(length=40), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("drafts", "step")
    op.drop_table("counts")
