"""One index that covers the worklist"""

from alembic import op

revision = "0002"
down_revision = "0001"

COLUMNS = ["status", "flag_rank", "deadline", "received_at", "assignee_id", "changed", "priority", "id"]


def upgrade() -> None:
    op.drop_index("cases_worklist", "cases")
    op.drop_index("cases_by_status", "cases")
    op.create_index("cases_worklist", "cases", COLUMNS)


def downgrade() -> None:
    op.drop_index("cases_worklist", "cases")
    op.create_index("cases_worklist", "cases", ["flag_rank", "deadline", "received_at"])
    op.create_index("cases_by_status", "cases", ["status"])
