"""Alembic's entry point; :meth:`casedesk.db.Database.migrate` hands over the connection."""

from alembic import context

from casedesk.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=False,  # the caller's transaction holds all of it
)
context.run_migrations()
