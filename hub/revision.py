"""One number that grows with every committed change, so that a reader can ask "what is new since?".

The row is updated inside the writer's own transaction: its lock orders the writers, so a revision that a
reader sees has no smaller one still to come.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Connection, Integer, Table, select

from hub.db import metadata

hub_revision = Table(
    "hub_revision",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("value", BigInteger, nullable=False),
)

_NEXT = (
    "INSERT INTO hub_revision (id, value) VALUES (1, 1) "
    "ON CONFLICT (id) DO UPDATE SET value = hub_revision.value + 1 RETURNING value"
)


def next_revision(conn: Connection) -> int:
    """Take the next revision for this transaction; other writers wait until it ends."""
    return int(conn.exec_driver_sql(_NEXT).scalar_one())


def latest_revision(conn: Connection) -> int:
    """The newest committed revision; 0 in a database nothing was ever written to."""
    value = conn.execute(select(hub_revision.c.value).where(hub_revision.c.id == 1)).scalar()
    return int(value) if value is not None else 0
