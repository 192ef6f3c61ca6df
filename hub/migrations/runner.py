"""Bring a database to the newest version, whoever calls first: all in one transaction, or nothing.

Alembic is imported only when there is something to apply: it takes longer to load than a current database takes
to check, and every start of every process checks.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

import hub

_HERE = Path(__file__).parent
_LOCK = 7_201_983_001  # any number, as long as every process of ours asks for the same one


class MigrationError(RuntimeError):
    """The database is of a version that this program does not know; the text says what to do."""


def load_tables() -> None:
    """Import every capability's `tables.py`, so that `hub.db.metadata` is whole."""
    importlib.import_module("hub.revision")  # the one table that all capabilities share
    for module in pkgutil.iter_modules(hub.__path__):
        if module.ispkg and any((Path(path) / module.name / "tables.py").exists() for path in hub.__path__):
            importlib.import_module(f"hub.{module.name}.tables")


def upgrade(engine: Engine) -> None:
    """Apply what is missing; does nothing on a current database. Safe when two processes start at once.

    Raises MigrationError when a newer program has already migrated this database.
    """
    with engine.begin() as conn:
        if conn.dialect.name == "postgresql":
            conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        found = current(conn)
        if found is not None and found not in versions():
            raise MigrationError(
                f"the database is at version {found}, this program knows up to {head()}: "
                "install the newer program, or restore the backup made before it was upgraded"
            )
        if found != head():
            _apply(conn)


def current(conn: Connection) -> str | None:
    """The version the database is at; None for an empty one."""
    if not inspect(conn).has_table("alembic_version"):
        return None
    return conn.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def head() -> str:
    """The version this program needs."""
    return versions()[-1]


@cache
def versions() -> tuple[str, ...]:
    """All versions in their order: they are one line, and a file's name starts with its version."""
    return tuple(sorted(path.name.partition("_")[0] for path in (_HERE / "versions").glob("[0-9]*.py")))


def _apply(conn: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = conn
    command.upgrade(config, "head")
