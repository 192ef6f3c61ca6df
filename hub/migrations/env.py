"""Alembic's environment: runs the versions on the connection that `runner.py` hands over."""

from __future__ import annotations

from alembic import context

from hub.db import metadata
from hub.migrations.runner import load_tables

load_tables()
connection = context.config.attributes.get("connection")
if connection is None:
    raise RuntimeError("run migrations with `ngonden hub migrate`, which opens the database safely")

context.configure(
    connection=connection,
    target_metadata=metadata,
    # Our SQLite connections begin their transactions themselves, so DDL rolls back there as on PostgreSQL.
    transactional_ddl=True,
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
