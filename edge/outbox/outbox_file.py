"""One SQLite file of an outbox: items in the order they were made, and notes that outlive a restart.

WAL with synchronous=FULL: what `write` returned from survives a power cut. There is one connection, with
an exclusive lock on the file, so no second agent can hand out the same seqs, and SQLite's old trouble with
two connections resetting one WAL cannot arise. Not thread-safe: `edge.outbox` holds the lock.

Small pages, a short log and freed pages that are not overwritten are for the SD card: see the figures of
`ngonden bench wear` in docs/edge-storage.md.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import UUID, uuid4

from edge.clock import boot_id
from edge.outbox import room
from edge.outbox.gaps import Gap, Why, gaps_of
from edge.outbox.gaps import Span as Span
from edge.outbox.rows import SAMPLE, from_row, numbered, to_row
from edge.outbox.rows import Item as Item

SCHEMA_VERSION = 2
"""1: rows of plain JSON in pages of 4 kB; read as they are, and carried over by `edge.outbox.carry_over`."""
READABLE_VERSIONS = (1, SCHEMA_VERSION)

_BOOT_NOTE = "opened_in"
_PAGE_BYTES = 1024
_LOG_PAGES = 400
"""The log is merged into the file when it is so long: about 0.4 MB."""
_SCHEMA = (
    "CREATE TABLE item (seq INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, body BLOB NOT NULL)",
    f"CREATE INDEX item_urgent ON item (seq) WHERE kind <> {SAMPLE}",
    "CREATE TABLE note (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)


class NotAnOutboxError(Exception):
    """The file is damaged, or belongs to another version of the agent: it must be set aside."""


class OutboxInUseError(Exception):
    """Another agent holds this file: two agents must never share a data_dir."""


@dataclass(frozen=True, slots=True)
class Written:
    """What one transaction stored: items with their true seqs, and what had to make room for them."""

    epoch: UUID
    items: Sequence[Item]
    gaps: Sequence[Gap] = ()


class OutboxFile:
    """An open outbox file. Raises sqlite3.Error where the disk fails, from any method."""

    def __init__(self, path: Path | None, *, boot: UUID | None = None) -> None:
        """Open or create; `None` keeps everything in memory. `boot` is this boot's id, the kernel's by default.

        Raises NotAnOutboxError, OutboxInUseError, OSError, sqlite3.Error.
        """
        self.path = path
        self.unreadable: list[int] = []
        """Seqs whose rows `read` could not make sense of; `drop` takes them away."""
        self.is_suspect = False
        """Whether it was left open in this boot: its log may show what never reached the disk."""
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            log = path.with_name(path.name + "-wal")
            self.is_suspect = log.exists() and log.stat().st_size > 0
        self._db = connect(path)
        try:
            self._open((boot or boot_id()).bytes)
        except sqlite3.Error as error:
            self._db.close()
            if is_damage(error):
                raise NotAnOutboxError(str(error)) from error
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise OutboxInUseError(f"{path} is in use by another agent") from error
            raise
        except (NotAnOutboxError, OSError):
            self._db.close()
            raise

    def _open(self, boot: bytes) -> None:
        for pragma in (
            f"page_size = {_PAGE_BYTES}",  # speaks for a new file only
            "locking_mode = EXCLUSIVE",
            "journal_mode = WAL",
            "synchronous = FULL",
            "secure_delete = OFF",  # Debian's default zeroes what is freed: a write for each page deleted
            "cache_size = -192",  # KiB; hundreds of agents may live in one process
            f"wal_autocheckpoint = {_LOG_PAGES}",
            f"journal_size_limit = {2 * _LOG_PAGES * _PAGE_BYTES}",
        ):
            self._db.execute(f"PRAGMA {pragma}").fetchall()
        self.version: int = self._db.execute("PRAGMA user_version").fetchone()[0]
        if self.version == 0:
            self._create()
        elif self.version not in READABLE_VERSIONS:
            raise NotAnOutboxError(f"schema version {self.version}, this agent reads {SCHEMA_VERSION}")
        faults = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if faults != "ok":
            raise NotAnOutboxError(str(faults))
        epoch = self.note("epoch")
        if epoch is None:
            raise NotAnOutboxError("it has no epoch")
        self.epoch = UUID(bytes=epoch)
        row = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'item'").fetchone()
        self.high_seq: int = row[0] if row else 0
        self.count: int = self._db.execute("SELECT count(*) FROM item").fetchone()[0]
        self.is_suspect = self.is_suspect and self.note(_BOOT_NOTE) == boot
        if self.path is not None and self.note(_BOOT_NOTE) != boot:
            self._put_note(_BOOT_NOTE, boot)
        if self.path is not None:
            # The names of file and log. SQLite syncs them too, but goes on where that fails.
            sync_folder(self.path.parent)

    def _create(self) -> None:
        self._db.execute("BEGIN EXCLUSIVE")
        create_schema(self._db)
        self._db.execute("INSERT INTO note VALUES ('epoch', ?)", (uuid4().bytes,))
        self._db.execute("COMMIT")
        self.version = SCHEMA_VERSION

    def write(
        self,
        items: Iterable[Item],
        *,
        notes: Mapping[str, bytes | None] | None = None,
        forget: Iterable[Span] = (),
        max_bytes: int | None = None,
    ) -> Written:
        """One transaction: forget what is confirmed, give each item the next seq, set or delete notes.

        With `max_bytes` the oldest samples make room when the file would outgrow it. Events and receipts
        stay, unless this is memory and no sample is left.
        """
        seq, count, stored = self.high_seq, self.count, []
        for item in items:
            seq += 1
            stored.append(numbered(item, seq, self.epoch))
        gaps: list[Gap] = []
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for first, last in forget:
                count -= self._db.execute(
                    "DELETE FROM item WHERE seq BETWEEN ? AND ?", (first, last)
                ).rowcount
            self._db.executemany("INSERT INTO item VALUES (?, ?, ?)", (to_row(item) for item in stored))
            count += len(stored)
            for key, value in (notes or {}).items():
                self._put_note(key, value)
            if max_bytes is not None:
                dropped = room.make(self._db, max_bytes, count, samples_only=self.path is not None)
                gaps = self._note_gaps("outbox_overflow", dropped)
                count -= len(dropped)
            self._db.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        self.high_seq, self.count = seq, count
        return Written(self.epoch, stored, gaps)

    def read(self, which: Literal["urgent", "samples"], after_seq: int, limit: int) -> list[Item]:
        """Up to `limit` events and receipts, or samples, with seqs above `after_seq`, oldest first.

        A row that can't be read is left out and named in `unreadable`.
        """
        wanted = f"kind = {SAMPLE}" if which == "samples" else f"kind <> {SAMPLE}"
        rows = self._db.execute(
            f"SELECT seq, kind, body FROM item WHERE {wanted} AND seq > ? ORDER BY seq LIMIT ?",  # noqa: S608 - our own constants
            (after_seq, limit),
        )
        items = []
        for seq, kind, body in rows:
            try:
                items.append(from_row(kind, body))
            except ValueError:
                self.unreadable.append(seq)
        return items

    def drop(self, why: Why, seqs: Sequence[int]) -> list[Gap]:
        """Delete items that the hub does not have, and note the gap, in one transaction."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany("DELETE FROM item WHERE seq = ?", ((seq,) for seq in seqs))
            gaps = self._note_gaps(why, seqs)
            self._db.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        self.count -= len(seqs)
        self.unreadable = [seq for seq in self.unreadable if seq not in set(seqs)]
        return gaps

    def expired(self, is_too_old: Callable[[Item], bool | None]) -> list[int]:
        """Seqs of the oldest samples up to the last that is too old; None from `is_too_old`: nobody knows."""
        found: list[int] = []
        unknown: list[int] = []
        rows = self._db.execute(f"SELECT seq, kind, body FROM item WHERE kind = {SAMPLE} ORDER BY seq")  # noqa: S608 - our own constant
        for seq, kind, body in rows:
            try:
                verdict = is_too_old(from_row(kind, body))
            except ValueError:
                verdict = None
            if verdict is False:
                break
            unknown.append(seq)
            if verdict:
                found += unknown
                unknown.clear()
        rows.close()
        return found

    def compact(self, free_bytes: int) -> bool:
        """Give freed pages back to the disk, from `free_bytes` on, where few are in use; says if it did."""
        if self.path is None or not room.worth_compacting(self._db, free_bytes):
            return False
        self._db.execute("VACUUM")
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return True

    def rows(self) -> sqlite3.Cursor:
        """Every row as (seq, kind, body), oldest first."""
        return self._db.execute("SELECT seq, kind, body FROM item ORDER BY seq")

    def note(self, key: str) -> bytes | None:
        """The value noted under a key."""
        row = self._db.execute("SELECT value FROM note WHERE key = ?", (key,)).fetchone()
        return None if row is None else bytes(row[0])

    def notes(self, prefix: str) -> dict[str, bytes]:
        """Every note whose key starts with `prefix`, without the prefix."""
        rows = self._db.execute(
            "SELECT substr(key, ?), value FROM note WHERE substr(key, 1, ?) = ?",
            (len(prefix) + 1, len(prefix), prefix),
        )
        return {key: bytes(value) for key, value in rows}

    def close(self) -> None:
        """Close the file; a disk that fails now has nothing left to lose."""
        # Everything committed is in the WAL already; only its checkpoint may fail.
        with suppress(sqlite3.Error):
            self._db.close()

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _note_gaps(self, why: Why, seqs: Sequence[int]) -> list[Gap]:
        gaps = list(gaps_of(why, seqs))
        for gap in gaps:
            self._put_note(gap.key, gap.note)
        return gaps

    def _put_note(self, key: str, value: bytes | None) -> None:
        if value is None:
            self._db.execute("DELETE FROM note WHERE key = ?", (key,))
        else:
            self._db.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (key, value))


def connect(path: Path | None) -> sqlite3.Connection:
    """A connection on which only what is written here begins and ends transactions."""
    return sqlite3.connect(
        path or ":memory:", isolation_level=None, check_same_thread=False, timeout=2.0, cached_statements=16
    )


def create_schema(db: sqlite3.Connection) -> None:
    """The tables of the present version, empty."""
    for statement in _SCHEMA:
        db.execute(statement)


def page_bytes() -> int:
    """The size of a new file's pages."""
    return _PAGE_BYTES


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file's content is broken, rather than the disk full, away or read-only."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_io_error(error: sqlite3.Error) -> bool:
    """Whether the disk itself failed: what the page cache shows of this file can't be trusted any more."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF == sqlite3.SQLITE_IOERR


def sync_folder(folder: Path) -> None:
    """A new file's name is only safe once its folder is on disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
