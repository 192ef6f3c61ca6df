"""One SQLite file of an outbox: items in the order they were made, and notes that outlive a restart.

WAL with synchronous=FULL: what `write` returned from survives a power cut. There is one connection, with
an exclusive lock on the file, so no second agent can hand out the same seqs, and SQLite's old trouble with
two connections resetting one WAL cannot arise. Not thread-safe: `edge.outbox` holds the lock.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import UUID, uuid4

import msgspec

from protocol.messages import Event, Receipt, Sample

Item = Sample | Event | Receipt
"""Made on the node, kept until the hub confirms its seq."""

Span = tuple[int, int]
"""First and last seq, both included."""

SCHEMA_VERSION = 1
_SAMPLE, _EVENT, _RECEIPT = 0, 1, 2
_DECODERS: dict[int, msgspec.json.Decoder[Item]] = {
    _SAMPLE: msgspec.json.Decoder(Sample),
    _EVENT: msgspec.json.Decoder(Event),
    _RECEIPT: msgspec.json.Decoder(Receipt),
}
_ENCODER = msgspec.json.Encoder()

_SCHEMA = (
    "CREATE TABLE item (seq INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, body BLOB NOT NULL)",
    f"CREATE INDEX item_urgent ON item (seq) WHERE kind <> {_SAMPLE}",
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
    dropped: int = 0
    dropped_first: int = 0
    dropped_last: int = 0


class OutboxFile:
    """An open outbox file. Raises sqlite3.Error where the disk fails, from any method."""

    def __init__(self, path: Path | None) -> None:
        """Open or create; `None` keeps everything in memory.

        Raises NotAnOutboxError, OutboxInUseError, OSError, sqlite3.Error.
        """
        self.path = path
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(
            path or ":memory:",
            isolation_level=None,
            check_same_thread=False,
            timeout=2.0,
            cached_statements=16,
        )
        try:
            self._open()
        except sqlite3.Error as error:
            self._db.close()
            if is_damage(error):
                raise NotAnOutboxError(str(error)) from error
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise OutboxInUseError(f"{path} is in use by another agent") from error
            raise
        except NotAnOutboxError:
            self._db.close()
            raise

    def _open(self) -> None:
        for pragma in (
            "locking_mode = EXCLUSIVE",
            "journal_mode = WAL",
            "synchronous = FULL",
            "cache_size = -192",  # KiB; hundreds of agents may live in one process
            "wal_autocheckpoint = 256",
        ):
            self._db.execute(f"PRAGMA {pragma}").fetchall()
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self._create()
        elif version != SCHEMA_VERSION:
            raise NotAnOutboxError(f"schema version {version}, this agent reads {SCHEMA_VERSION}")
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

    def _create(self) -> None:
        self._db.execute("BEGIN EXCLUSIVE")
        for statement in _SCHEMA:
            self._db.execute(statement)
        self._db.execute("INSERT INTO note VALUES ('epoch', ?)", (uuid4().bytes,))
        self._db.execute("COMMIT")
        if self.path is not None:
            _sync_folder(self.path.parent)

    def write(
        self,
        items: Iterable[Item],
        *,
        notes: Mapping[str, bytes | None] | None = None,
        forget: Iterable[Span] = (),
        max_items: int | None = None,
    ) -> Written:
        """One transaction: forget what is confirmed, give each item the next seq, set or delete notes.

        With `max_items` the oldest samples make room when there are more, a hundredth at a time.
        """
        seq, count, stored, rows = self.high_seq, self.count, [], []
        for item in items:
            seq += 1
            numbered = _numbered(item, seq, self.epoch)
            stored.append(numbered)
            rows.append((seq, _kind(item), _ENCODER.encode(numbered)))
        dropped: Sequence[int] = ()
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for first, last in forget:
                count -= self._db.execute(
                    "DELETE FROM item WHERE seq BETWEEN ? AND ?", (first, last)
                ).rowcount
            self._db.executemany("INSERT INTO item VALUES (?, ?, ?)", rows)
            for key, value in (notes or {}).items():
                self._put_note(key, value)
            count += len(rows)
            if max_items is not None and count > max_items:
                dropped = self._drop_oldest(count - max_items + max_items // 100)
                count -= len(dropped)
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        self.high_seq, self.count = seq, count
        if not dropped:
            return Written(self.epoch, stored)
        return Written(self.epoch, stored, len(dropped), dropped[0], dropped[-1])

    def read(self, which: Literal["urgent", "samples"], after_seq: int, limit: int) -> list[Item]:
        """Up to `limit` events and receipts, or samples, with seqs above `after_seq`, oldest first."""
        wanted = f"kind = {_SAMPLE}" if which == "samples" else f"kind <> {_SAMPLE}"
        rows = self._db.execute(
            f"SELECT kind, body FROM item WHERE {wanted} AND seq > ? ORDER BY seq LIMIT ?",  # noqa: S608 - our own constants
            (after_seq, limit),
        )
        return [_DECODERS[kind].decode(body) for kind, body in rows]

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
        try:
            self._db.close()
        except sqlite3.Error:
            # Everything committed is in the WAL already; only its checkpoint failed.
            return

    def _put_note(self, key: str, value: bytes | None) -> None:
        if value is None:
            self._db.execute("DELETE FROM note WHERE key = ?", (key,))
        else:
            self._db.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (key, value))

    def _drop_oldest(self, how_many: int) -> list[int]:
        """Samples go first; events and receipts only when nothing else is left."""
        seqs = [
            row[0]
            for row in self._db.execute(
                f"SELECT seq FROM item ORDER BY kind <> {_SAMPLE}, seq LIMIT ?",  # noqa: S608 - our own constant
                (how_many,),
            )
        ]
        self._db.executemany("DELETE FROM item WHERE seq = ?", ((seq,) for seq in seqs))
        return sorted(seqs)


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file's content is broken, rather than the disk full, away or read-only."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _kind(item: Item) -> int:
    if isinstance(item, Sample):
        return _SAMPLE
    return _EVENT if isinstance(item, Event) else _RECEIPT


def _numbered(item: Item, seq: int, epoch: UUID) -> Item:
    if isinstance(item, Receipt):
        return msgspec.structs.replace(item, seq=seq, epoch=epoch)
    return msgspec.structs.replace(item, seq=seq)


def _sync_folder(folder: Path) -> None:
    """A new file's name is only safe once its folder is on disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
