"""An outbox file written anew beside the old one, and put in its place.

For three cases. A file of an older agent gets today's pages and rows. After a failed fsync the kernel calls
pages clean that never reached the disk: whatever that file shows may be gone after the next power cut, and
what is read from it is only safe again once it has been written, and synced, into another file. And an agent
that ended without closing its file may have met just that: one that finds a log of its own boot can't know.

The log of the old file must never be taken for the new one's. So the new file first gets a name that says it is
whole; from then on it counts, and what is left to do is done by whoever opens next.
"""

from __future__ import annotations

import os
from pathlib import Path

from edge.outbox.outbox_file import OutboxFile, connect, create_schema, page_bytes, sync_folder
from edge.outbox.rows import from_row, is_plain, to_row


def carry_over(old: OutboxFile) -> None:
    """Rewrite an open outbox, with its epoch, seqs and notes, and close it. A cut leaves one or the other.

    A row that can't be read is carried as it is. Raises OSError, sqlite3.Error; the old file is then still
    open and in its place.
    """
    assert old.path is not None, "memory has nothing to carry over"
    fresh = old.path.with_name(old.path.name + ".new")
    try:
        fresh.unlink(missing_ok=True)
        _copy(old, fresh)
        fresh.rename(_whole(old.path))
        sync_folder(old.path.parent)
    except BaseException:
        if fresh.is_file():
            fresh.unlink()
        raise
    old.close()
    finish(old.path)


def finish(path: Path) -> None:
    """Put a file that was carried over into its place, where that is still to be done. Raises OSError."""
    whole = _whole(path)
    if not whole.exists():
        return
    path.with_name(path.name + "-wal").unlink(missing_ok=True)
    sync_folder(path.parent)
    whole.rename(path)
    sync_folder(path.parent)


def _whole(path: Path) -> Path:
    return path.with_name(path.name + ".whole")


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
    _, kind, body = row
    if not is_plain(body):
        return row
    try:
        return to_row(from_row(kind, body))
    except ValueError:
        return row
