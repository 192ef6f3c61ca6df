"""Bring a database to the newest version, whoever calls first: all in one transaction, or nothing."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

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
        if found is not None and found not in _known():
            raise MigrationError(
                f"the database is at version {found}, this program knows up to {head()}: "
                "install the newer program, or restore the backup made before it was upgraded"
            )
        if found != head():
            config = _config()
            config.attributes["connection"] = conn
            command.upgrade(config, "head")


def current(conn: Connection) -> str | None:
    """The version the database is at; None for an empty one."""
    return MigrationContext.configure(conn).get_current_revision()


def head() -> str:
    """The version this program needs."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    assert found is not None, "hub/migrations/versions is empty"
    return found


def _known() -> set[str]:
    return {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
