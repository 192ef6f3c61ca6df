"""Only one ingest may work on a database: two would each trust their own memory of it."""

from __future__ import annotations

import fcntl
import os
from typing import Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

ADVISORY_KEY = 0x6E67_6F6E_6465_6E  # "ngonden"


class IngestRunningError(RuntimeError):
    """Another ingest has the database; the text says which database and what to do."""

    def __init__(self, where: str) -> None:
        super().__init__(
            f"another `ngonden hub` already takes messages into {where}; "
            "stop it first, or give this one its own --config with another database"
        )


class LeaseLostError(RuntimeError):
    """Another worker has taken over: nothing may be written, and what is in memory is worth nothing."""


class Fence(Protocol):
    """What gives an ingest the right to write."""

    def ensure(self) -> None:
        """Take it again where it was lost; raises IngestRunningError when another has it."""

    def fence(self, conn: Connection) -> None:
        """Make sure of it for this transaction; raises LeaseLostError when it is another's now."""

    def release(self) -> None:
        """Let another in."""


class _Lock(Protocol):
    def ensure(self) -> None: ...

    def release(self) -> None: ...


class IngestLock:
    """Held from construction to `release`; raises IngestRunningError when another process has it."""

    def __init__(self, engine: Engine) -> None:
        self._lock: _Lock = (
            _AdvisoryLock(engine) if engine.dialect.name == "postgresql" else _FileLock(engine)
        )

    def ensure(self) -> None:
        """Take it again where a PostgreSQL that restarted forgot it; raises IngestRunningError."""
        self._lock.ensure()

    def fence(self, conn: Connection) -> None:
        """See Fence: this lock lasts as long as the process, or as its own connection."""

    def release(self) -> None:
        """Let another ingest in."""
        self._lock.release()


class _FileLock:
    """The kernel lets go of it when the process ends, however it ends."""

    def __init__(self, engine: Engine) -> None:
        database = engine.url.database
        if not database or database == ":memory:":
            raise ValueError("an ingest needs a database on disk")
        self._file: int | None = os.open(
            f"{database}.ingest-lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise IngestRunningError(database) from None

    def ensure(self) -> None:
        """Nothing takes a file lock away."""

    def release(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


class _AdvisoryLock:
    """Bound to a connection of its own; PostgreSQL lets go of it when that ends."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self.ensure()

    def ensure(self) -> None:
        if self._connection is not None:
            try:
                self._connection.exec_driver_sql("SELECT true")
            except DBAPIError:
                self.release()
            else:
                return
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        got = connection.exec_driver_sql("SELECT pg_try_advisory_lock(%s)", (ADVISORY_KEY,)).scalar()
        if not got or _workers_live(connection):
            connection.invalidate()  # back in the pool it would still hold the lock
            connection.close()
            raise IngestRunningError(self._engine.url.render_as_string(hide_password=True))
        self._connection = connection

    def release(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()  # back in the pool it would still hold the lock
            connection.close()


def _workers_live(connection: Connection) -> bool:
    """Whether ingests that share this database are at work; in one without tables there are none."""
    if connection.exec_driver_sql("SELECT to_regclass('ingest_worker')").scalar() is None:
        return False
    query = "SELECT name FROM ingest_worker WHERE alive_until > now()"
    return connection.exec_driver_sql(query).first() is not None
