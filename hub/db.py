"""The one SQL database of a hub: SQLite embedded, or PostgreSQL; how it is opened and what must hold.

SQLite runs in WAL mode with synchronous=FULL: with NORMAL a power cut takes acknowledged rows. Versions
before 3.51.3 can corrupt a WAL that two connections reset at once, and the hub and the web server are two
processes; so a fixed SQLite is taken from the `pysqlite3` wheel, and an older one is refused.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Engine, Integer, MetaData, create_engine, event
from sqlalchemy.types import TypeDecorator

SAFE_SQLITE = (3, 51, 3)

_PATIENCE_S = 10
"""How long one connection waits for another's write."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Every capability's `tables.py` adds its tables here; no capability reads another's."""

BigId = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit key that SQLite still treats as its rowid."""


class DatabaseUnsafeError(RuntimeError):
    """This machine's SQLite could lose data; the text says what to install instead."""


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC datetimes, in and out, on SQLite and PostgreSQL alike."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Refuse a naive datetime; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: times are aware UTC")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """SQLite gives back a naive value, which is UTC by construction."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def sqlite_module() -> ModuleType:
    """The SQLite driver to use; raises DatabaseUnsafeError where none is safe for two processes."""
    try:
        import pysqlite3
    except ImportError:
        module: ModuleType = sqlite3
    else:
        module = pysqlite3
    if module.sqlite_version_info < SAFE_SQLITE:
        raise DatabaseUnsafeError(
            f"SQLite {module.sqlite_version} can corrupt its write-ahead log under two processes; "
            f"install one from {'.'.join(map(str, SAFE_SQLITE))} on (the wheel pysqlite3 has it), "
            "or give the hub a PostgreSQL database with --database"
        )
    return module


def open_database(url: str) -> Engine:
    """Open `sqlite:////path/hub.db` or `postgresql+psycopg://…`; raises DatabaseUnsafeError.

    Writers on SQLite begin with BEGIN IMMEDIATE and wait up to 10 s for each other.
    """
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(
        url, module=sqlite_module(), connect_args={"timeout": _PATIENCE_S, "check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # SQLAlchemy's begin event below decides how a transaction starts
        connection.execute(f"PRAGMA busy_timeout={_PATIENCE_S * 1000}")
        switch_to_wal(connection)
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        # A deferred transaction that turns writer midway fails at once with SQLITE_BUSY, without waiting.
        read_only = connection.get_execution_options().get("ngonden_read_only", False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def switch_to_wal(
    connection: Any,
    *,
    pause: Callable[[float], None] = time.sleep,
    steady_s: Callable[[], float] = time.monotonic,
) -> None:
    """Put the file of a SQLite connection into WAL mode; on one that is there already this changes nothing.

    SQLite does not wait for another connection's write lock here, whatever its busy timeout says: two
    processes that open a new file at once would fail each other. So it is tried again, for up to 10 s; then
    the driver's own OperationalError is raised.
    """
    give_up_s = steady_s() + _PATIENCE_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite_module().OperationalError as error:
            if "locked" not in str(error) or steady_s() >= give_up_s:
                raise
            pause(0.02)
        else:
            return


def reading(engine: Engine) -> Engine:
    """The same database for reads: on SQLite its transactions take no write lock."""
    return engine.execution_options(ngonden_read_only=True)
