"""PostgreSQL's `pg_dump` and `pg_restore`."""

from __future__ import annotations

import subprocess
import tempfile

from sqlalchemy import make_url

from hub.backup.errors import BackupError, RestoreError
from hub.backup.pages import Source
from hub.backup.sealed import SealedWriter
from hub.backup.servers.programs import PIECE_BYTES, failed, started


def dump_postgres(url: str, snapshot: str, to: SealedWriter) -> None:
    """Write a dump of the moment that `snapshot` (of `pg_export_snapshot`) holds. Raises BackupError."""
    command = ["pg_dump", "--format=custom", "--compress=0", "--no-owner", f"--snapshot={snapshot}"]
    with tempfile.TemporaryFile() as said:
        process = started(command, postgres_environment(url), stdout=subprocess.PIPE, stderr=said)
        assert process.stdout is not None
        with process, process.stdout as out:
            while piece := out.read(PIECE_BYTES):
                to.write(piece)
        if process.returncode:
            raise BackupError(*failed("pg_dump", said))


def restore_postgres(url: str, source: Source) -> None:
    """Bring a dump into an empty database, whole or not at all. Raises RestoreError."""
    environment = postgres_environment(url)
    command = ["pg_restore", "--exit-on-error", "--single-transaction", "--no-owner"]
    command.append(f"--dbname={environment['PGDATABASE']}")
    with tempfile.TemporaryFile() as said:
        process = started(command, environment, stdin=subprocess.PIPE, stderr=said)
        assert process.stdin is not None
        with process:
            try:
                while piece := source.read(PIECE_BYTES):
                    process.stdin.write(piece)
                process.stdin.close()
            except BrokenPipeError:
                pass  # it has ended already, and said why
            except RestoreError:
                process.kill()
                raise
        if process.returncode:
            raise RestoreError(*failed("pg_restore", said))


def postgres_environment(url: str) -> dict[str, str]:
    """An address as the variables of PostgreSQL's programs: a password stands in no command line."""
    parts = make_url(url)
    found = {
        "PGHOST": parts.host,
        "PGPORT": None if parts.port is None else str(parts.port),
        "PGUSER": parts.username,
        "PGPASSWORD": parts.password,
        "PGDATABASE": parts.database,
    }
    return {name: value for name, value in found.items() if value}
