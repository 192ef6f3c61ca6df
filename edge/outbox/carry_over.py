"""An outbox file written anew beside the old one, and put in its place.

For two cases. A file of an older agent gets today's pages and rows. And after a failed fsync the kernel calls
pages clean that never reached the disk, so whatever that file shows may be gone after the next power cut;
what is read from it is only safe again once it has been written, and synced, into another file.
"""

from __future__ import annotations

import os
from pathlib import Path

from edge.outbox.outbox_file import OutboxFile, connect, create_schema, page_bytes, sync_folder
from edge.outbox.rows import from_row, to_row


def carry_over(path: Path) -> None:
    """Rewrite the outbox at `path`: same epoch, seqs and notes. A power cut leaves the one or the other.

    A row that can't be read is carried as it is. Raises NotAnOutboxError, OutboxInUseError, OSError,
    sqlite3.Error; the old file is then still in its place.
    """
    fresh = path.with_name(path.name + ".new")
    old = OutboxFile(path)
    try:
        fresh.unlink(missing_ok=True)
        _copy(old, fresh)
        # A log that is left behind would be taken for the new file's, and merged into it.
        old.merge_log()
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    finally:
        old.close()
    path.with_name(path.name + "-wal").unlink(missing_ok=True)
    sync_folder(path.parent)
    fresh.rename(path)
    sync_folder(path.parent)


def _copy(old: OutboxFile, fresh: Path) -> None:
    db = connect(fresh)
    try:
        # Nobody else sees this file before it is whole: no journal, and one sync at the end.
        for pragma in (f"page_size = {page_bytes()}", "journal_mode = OFF", "synchronous = OFF"):
            db.execute(f"PRAGMA {pragma}").fetchall()
        db.execute("BEGIN")
        create_schema(db)
        db.executemany("INSERT INTO item VALUES (?, ?, ?)", (_repacked(row) for row in old.rows()))
        db.executemany("INSERT INTO note VALUES (?, ?)", old.notes("").items())
        db.execute("DELETE FROM sqlite_sequence")
        db.execute("INSERT INTO sqlite_sequence VALUES ('item', ?)", (old.high_seq,))
        db.execute("COMMIT")
    finally:
        db.close()
    handle = os.open(fresh, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _repacked(row: tuple[int, int, bytes]) -> tuple[int, int, bytes]:
    seq, kind, body = row
    try:
        return to_row(from_row(kind, body))
    except ValueError:
        return seq, kind, body
