"""Alembic's entry point; ``actions.database.migrate`` hands over the connection."""

from alembic import context

from actions.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=False,  # the caller's transaction holds all of it
)
context.run_migrations()
