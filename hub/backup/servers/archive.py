"""How far PostgreSQL's archive of its log has come, by what the server itself says of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

_SEGMENT = re.compile(r"[0-9A-F]{8}([0-9A-F]{8})([0-9A-F]{8})(\..*)?")

_QUESTION = """
SELECT
  current_setting('archive_mode') <> 'off' AS archiving,
  (SELECT setting::bigint FROM pg_settings WHERE name = 'archive_timeout') AS timeout_s,
  (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size') AS segment_bytes,
  CASE WHEN pg_is_in_recovery() THEN 0 ELSE pg_current_wal_lsn() - '0/0'::pg_lsn END AS written_bytes,
  last_archived_wal, last_archived_time, last_failed_wal, last_failed_time
FROM pg_stat_archiver
"""


@dataclass(frozen=True, slots=True)
class Archive:
    """What is handed over: the newest file and when, how many full ones wait behind it, and what fails."""

    newest: str | None
    newest_at: datetime | None
    waiting: int
    timeout_s: int
    """After so many seconds a file is handed over that is not full; 0: only full ones are."""
    failing: str | None = None
    """The file that could not be handed over since."""

    @property
    def up_to(self) -> datetime | None:
        """What was committed before comes back; None where nothing is known to.

        A file is counted as of when it was handed over. While more than one waits behind it, it is the older by
        the time that each may span: so an archive that catches up after a fault does not look like a young one.
        """
        behind = max(0, self.waiting - 1)
        if self.newest_at is None or (behind and not self.timeout_s):
            return None
        return self.newest_at - timedelta(seconds=behind * self.timeout_s)


def archive(conn: Connection) -> Archive | None:
    """Ask a database's server; None where it archives nothing. SQLite never does."""
    if conn.dialect.name != "postgresql":
        return None
    row = conn.exec_driver_sql(_QUESTION).one()
    if not row.archiving:
        return None
    failed_since = row.last_failed_time is not None and (
        row.last_archived_time is None or row.last_failed_time > row.last_archived_time
    )
    return Archive(
        newest=row.last_archived_wal,
        newest_at=row.last_archived_time,
        waiting=waiting_behind(row.last_archived_wal, int(row.written_bytes), int(row.segment_bytes)),
        timeout_s=int(row.timeout_s),
        failing=row.last_failed_wal if failed_since else None,
    )


def waiting_behind(newest: str | None, written_bytes: int, segment_bytes: int) -> int:
    """How many full files of the log lie between the newest in the archive and the one being written."""
    found = _SEGMENT.fullmatch(newest or "")
    if found is None:
        return 0
    archived = int(found[1], 16) * (2**32 // segment_bytes) + int(found[2], 16)
    return max(0, written_bytes // segment_bytes - archived - 1)
