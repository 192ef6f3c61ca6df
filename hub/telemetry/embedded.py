"""The telemetry store without a server: one SQLite file of its own.

The key (pole, time, source, seq) makes a chart one range read and a repeated write harmless; a source is
one epoch of a node.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from hub.db import sqlite_module
from hub.telemetry.buckets import interval_ms, unix_ms
from hub.telemetry.port import (
    Health,
    Point,
    PointsRefusedError,
    Series,
    StoreUnavailableError,
    Tally,
)

_sqlite = sqlite_module()
_JSON = msgspec.json.Encoder()
_VERSION = 1
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS pole (id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE)",
    """CREATE TABLE IF NOT EXISTS source (
        id INTEGER PRIMARY KEY, node TEXT NOT NULL, epoch TEXT NOT NULL, commune TEXT NOT NULL,
        UNIQUE (node, epoch))""",
    """CREATE TABLE IF NOT EXISTS source_pole (
        source INTEGER NOT NULL, pole INTEGER NOT NULL, PRIMARY KEY (source, pole)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS sample (
        pole INTEGER NOT NULL, time_ms INTEGER NOT NULL, source INTEGER NOT NULL, seq INTEGER NOT NULL,
        received_ms INTEGER NOT NULL, synced INTEGER NOT NULL, historical INTEGER NOT NULL,
        effect_level REAL NOT NULL, reason TEXT NOT NULL, commanded_level REAL, power_w REAL,
        voltage_v REAL, current_a REAL, power_factor REAL, energy_wh REAL, dark INTEGER,
        camera_reachable REAL, cameras TEXT,
        PRIMARY KEY (pole, time_ms, source, seq)) WITHOUT ROWID""",
)
_WIDTH = 18
_CHUNKS = (512, 128, 32, 8, 1)
"""Rows per statement: see `hub.bulk` for why not one."""


class EmbeddedStore:
    """See `hub.telemetry.port.TelemetryStore`. The file and its tables are made when they are missing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writing = threading.Lock()
        self._reading = threading.Lock()
        self._poles: dict[str, int] = {}
        self._sources: dict[tuple[str, str], int] = {}
        self._source_poles: set[tuple[int, int]] = set()
        self._writer = self._open()
        found = self._writer.execute("PRAGMA user_version").fetchone()[0]
        if found > _VERSION:
            raise StoreUnavailableError(
                f"{path} was written by a newer version (schema {found}, known {_VERSION})"
            )
        for statement in _SCHEMA:
            self._writer.execute(statement)
        self._writer.execute(f"PRAGMA user_version = {_VERSION}")
        self._reader = self._open()

    def write(self, batch_id: int, points: Sequence[Point]) -> None:
        """See TelemetryStore."""
        with self._writing:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                self._insert([self._row(point) for point in points])
                self._writer.execute("COMMIT")
            except _sqlite.Error as error:
                self._roll_back()
                raise StoreUnavailableError(f"{self._path}, batch {batch_id}: {error}") from error
            except (OverflowError, UnicodeEncodeError) as error:
                self._roll_back()
                raise PointsRefusedError(f"batch {batch_id}: {error}") from error

    def series(self, pole: str, start: datetime, end: datetime, max_points: int) -> Series:
        """See TelemetryStore."""
        width = interval_ms(start, end, max_points)
        rows = self._read(
            "SELECT time_ms / ?1 * ?1 AS slot, avg(power_w), avg(voltage_v), avg(effect_level),"
            " avg(camera_reachable) FROM sample"
            " WHERE pole = (SELECT id FROM pole WHERE code = ?2) AND time_ms >= ?3 AND time_ms < ?4"
            " AND (synced = 1 OR historical = 0)"
            " GROUP BY slot ORDER BY slot",
            (width, pole, unix_ms(start), unix_ms(end)),
        )
        return Series(
            pole=pole,
            start=start,
            end=end,
            time=[row[0] / 1000 for row in rows],
            power_w=[row[1] for row in rows],
            voltage_v=[row[2] for row in rows],
            level=[row[3] for row in rows],
            camera_reachable=[row[4] for row in rows],
        )

    def count(self, node: str, epoch: str) -> Tally:
        """See TelemetryStore."""
        rows = self._read(
            "SELECT count(*), count(DISTINCT seq), coalesce(max(seq), 0) FROM source"
            " JOIN source_pole ON source_pole.source = source.id"
            " JOIN sample ON sample.pole = source_pole.pole AND sample.source = source.id"
            " WHERE source.node = ? AND source.epoch = ?",
            (node, epoch),
        )
        return Tally(*rows[0])

    def health(self) -> Health:
        """See TelemetryStore."""
        try:
            self._read("SELECT count(*) FROM pole", ())
        except StoreUnavailableError as error:
            return Health(up=False, detail=str(error))
        return Health(up=True, detail=f"embedded, {self._path.name}")

    def close(self) -> None:
        """See TelemetryStore."""
        with self._writing, self._reading:
            self._reader.close()
            self._writer.close()

    def _open(self) -> Any:
        try:
            connection = _sqlite.connect(
                str(self._path), timeout=10, isolation_level=None, check_same_thread=False
            )
            for pragma in (
                "journal_mode=WAL",
                "synchronous=FULL",
                "busy_timeout=10000",
                "cache_size=-65536",
            ):
                connection.execute(f"PRAGMA {pragma}")
        except _sqlite.Error as error:
            raise StoreUnavailableError(f"{self._path}: {error}") from error
        return connection

    def _read(self, query: str, values: Sequence[Any]) -> list[Any]:
        with self._reading:
            try:
                return list(self._reader.execute(query, values).fetchall())
            except _sqlite.Error as error:
                raise StoreUnavailableError(f"{self._path}: {error}") from error

    def _insert(self, rows: Sequence[Sequence[Any]]) -> None:
        start = 0
        for chunk in _CHUNKS:
            while len(rows) - start >= chunk:
                values = tuple(chain.from_iterable(rows[start : start + chunk]))
                self._writer.execute(_insert_statement(chunk), values)
                start += chunk

    def _row(self, point: Point) -> tuple[Any, ...]:
        pole = self._poles.get(point.pole)
        if pole is None:
            pole = self._id("pole", {"code": point.pole}, {})
            self._poles[point.pole] = pole
        source = self._sources.get((point.node, point.epoch))
        if source is None:
            source = self._id(
                "source", {"node": point.node, "epoch": point.epoch}, {"commune": point.commune}
            )
            self._sources[(point.node, point.epoch)] = source
        if (source, pole) not in self._source_poles:
            self._writer.execute("INSERT OR IGNORE INTO source_pole VALUES (?, ?)", (source, pole))
            self._source_poles.add((source, pole))
        return (
            pole,
            point.time_ms,
            source,
            point.seq,
            point.received_ms,
            point.clock == "synced",
            point.historical,
            point.effect_level,
            point.reason,
            point.commanded_level,
            point.power_w,
            point.voltage_v,
            point.current_a,
            point.power_factor,
            point.energy_wh,
            point.dark,
            _share(camera.reachable for camera in point.cameras),
            _JSON.encode(point.cameras).decode() if point.cameras else None,
        )

    def _id(self, table: str, key: dict[str, str], others: dict[str, str]) -> int:
        values = key | others
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        where = " AND ".join(f"{name} = ?" for name in key)
        # Table and column names are those of this file.
        insert = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"  # noqa: S608
        self._writer.execute(insert, tuple(values.values()))
        query = f"SELECT id FROM {table} WHERE {where}"  # noqa: S608
        return int(self._writer.execute(query, tuple(key.values())).fetchone()[0])

    def _roll_back(self) -> None:
        # Ids that were handed out in this transaction are no more.
        self._poles.clear()
        self._sources.clear()
        self._source_poles.clear()
        if self._writer.in_transaction:
            self._writer.execute("ROLLBACK")


def _share(answers: Iterable[bool]) -> float | None:
    found = list(answers)
    return sum(found) / len(found) if found else None


def _insert_statement(rows: int) -> str:
    one = "(" + ", ".join("?" * _WIDTH) + ")"
    return f"INSERT OR IGNORE INTO sample VALUES {', '.join([one] * rows)}"  # noqa: S608
