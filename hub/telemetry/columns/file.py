"""The embedded store's file: its tables, its spans of time, and how a connection to it is opened.

`log` takes what is written, as it comes, in PARTS parts by pole. Compaction moves a part's points
into `block`: one row per pole, tier and span. A block of tier RAW holds samples, one of MINUTE and
HOUR their sums. `kept` says from when on a tier is whole; before that only a coarser one is.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.db import sqlite_module
from hub.telemetry.port import StoreUnavailableError
from hub.telemetry.retention import DAY_MS, HOUR_MS, MINUTE_MS

sqlite = sqlite_module()
VERSION = 2
PARTS = 64
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS pole (id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE)",
    """CREATE TABLE IF NOT EXISTS source (
        id INTEGER PRIMARY KEY, node TEXT NOT NULL, epoch TEXT NOT NULL, commune TEXT NOT NULL,
        UNIQUE (node, epoch))""",
    """CREATE TABLE IF NOT EXISTS source_pole (
        source INTEGER NOT NULL, pole INTEGER NOT NULL, PRIMARY KEY (source, pole)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS log (
        id INTEGER PRIMARY KEY, part INTEGER NOT NULL, points INTEGER NOT NULL, written_ms INTEGER NOT NULL,
        data BLOB NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS log_part ON log (part, id)",
    """CREATE TABLE IF NOT EXISTS block (
        id INTEGER PRIMARY KEY, pole INTEGER NOT NULL, tier INTEGER NOT NULL, start_ms INTEGER NOT NULL,
        touched_ms INTEGER NOT NULL, data BLOB NOT NULL)""",
    "CREATE UNIQUE INDEX IF NOT EXISTS block_key ON block (pole, tier, start_ms)",
    "CREATE TABLE IF NOT EXISTS kept (tier INTEGER PRIMARY KEY, from_ms INTEGER NOT NULL)",
    """CREATE TABLE IF NOT EXISTS damaged (
        id INTEGER PRIMARY KEY, pole INTEGER NOT NULL, tier INTEGER NOT NULL, start_ms INTEGER NOT NULL,
        found_ms INTEGER NOT NULL, data BLOB NOT NULL)""",
)


@dataclass(frozen=True, slots=True)
class Tier:
    """A resolution: intervals of `width_ms` (1 for the samples themselves) in blocks of `span_ms`."""

    number: int
    width_ms: int
    span_ms: int

    def block_start(self, time_ms: int) -> int:
        """Where the block begins that a time falls into."""
        return time_ms // self.span_ms * self.span_ms


RAW = Tier(0, 1, DAY_MS)
MINUTE = Tier(1, MINUTE_MS, DAY_MS)
HOUR = Tier(2, HOUR_MS, 32 * DAY_MS)
TIERS = (RAW, MINUTE, HOUR)


def part_of(pole: str) -> int:
    """The part of the log that a pole's points are in: the same in every process and for ever."""
    return zlib.crc32(pole.encode()) % PARTS


def open_file(path: Path) -> Any:
    """A connection to the file, which is made when missing; raises StoreUnavailableError.

    A file of schema version 1 keeps its number until `version1.carry_over` is through with it.
    """
    try:
        connection = sqlite.connect(str(path), timeout=10, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "cache_size=-65536"):
            connection.execute(f"PRAGMA {pragma}")
    except sqlite.Error as error:
        raise StoreUnavailableError(f"{path}: {error}") from error
    return connection


def prepare(connection: Any, path: Path) -> int:
    """Make the tables where they are missing; the version found before, 0 for a new file.

    Raises StoreUnavailableError for a file of a newer version.
    """
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > VERSION:
        raise StoreUnavailableError(
            f"{path} was written by a newer version (schema {found}, known {VERSION})"
        )
    for statement in _SCHEMA:
        connection.execute(statement)
    if found == 0:
        connection.execute(f"PRAGMA user_version = {VERSION}")
    return found


@contextmanager
def transaction(connection: Any) -> Iterator[None]:
    """One write, whole or not at all."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


class Names:
    """The numbers that stand for poles and for sources, which are a node's epochs, in blocks."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._poles: dict[str, int] = {}
        self._sources: dict[tuple[str, str], int] = {}
        self._places: set[tuple[str, str, str]] = set()

    def pole(self, code: str) -> int:
        """The number of a pole, given to it when it is new."""
        number = self._poles.get(code)
        if number is None:
            number = self._number("pole", {"code": code}, {})
            self._poles[code] = number
        return number

    def source(self, node: str, epoch: str, commune: str) -> int:
        """The number of a node's epoch, given to it when it is new."""
        number = self._sources.get((node, epoch))
        if number is None:
            number = self._number("source", {"node": node, "epoch": epoch}, {"commune": commune})
            self._sources[(node, epoch)] = number
        return number

    def know(self, node: str, epoch: str, commune: str, pole: str) -> None:
        """Remember that this epoch of the node speaks for the pole."""
        if (node, epoch, pole) not in self._places:
            pair = (self.source(node, epoch, commune), self.pole(pole))
            self._connection.execute("INSERT OR IGNORE INTO source_pole VALUES (?, ?)", pair)
            self._places.add((node, epoch, pole))

    def forget(self) -> None:
        """After a rollback: numbers that were given in it are no more."""
        self._poles.clear()
        self._sources.clear()
        self._places.clear()

    def _number(self, table: str, key: dict[str, str], others: dict[str, str]) -> int:
        values = key | others
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        where = " AND ".join(f"{name} = ?" for name in key)
        # Table and column names are those of this file.
        insert = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"  # noqa: S608
        self._connection.execute(insert, tuple(values.values()))
        query = f"SELECT id FROM {table} WHERE {where}"  # noqa: S608
        return int(self._connection.execute(query, tuple(key.values())).fetchone()[0])
