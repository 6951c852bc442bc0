"""Letters that patients agreed to hand over, until they are sent."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "draft_files",
        sa.Column("draft_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="sealed: a letter the patient agreed to hand over"),
        sa.PrimaryKeyConstraint("draft_id", "id"),
    )


def downgrade() -> None:
    op.drop_table("draft_files")
