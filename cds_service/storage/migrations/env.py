"""Alembic's entry: runs the steps on the connection that `Database` gives it."""

from alembic import context

from cds_service.storage.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
