"""Carries over a file of schema version 1, which had one row per sample: nothing of it is lost.

Pole by pole and piece by piece, each in a transaction that puts points into blocks and takes their
rows away; so it may be interrupted at any moment, and two processes may do it at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import structlog

from hub.telemetry.columns.compaction import Compactor
from hub.telemetry.columns.file import VERSION, transaction
from hub.telemetry.port import Point

_PIECE = 20_000
_log = structlog.get_logger(__name__)


def carry_over(connection: Any, compactor: Compactor, path: Path, *, now_ms: int) -> None:
    """Make a version 1 file one of this version; takes some 20 s per million samples."""
    _log.info("telemetry_file_carried_over", path=str(path), begun=True)
    carried = 0
    while moved := _piece(connection, compactor, now_ms):
        carried += moved
    with transaction(connection):
        connection.execute("DROP TABLE IF EXISTS sample")
        connection.execute(f"PRAGMA user_version = {VERSION}")
    _log.info("telemetry_file_carried_over", path=str(path), samples=carried)


def _piece(connection: Any, compactor: Compactor, now_ms: int) -> int:
    with transaction(connection):
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'sample'").fetchone():
            return 0
        first = connection.execute("SELECT pole FROM sample LIMIT 1").fetchone()
        if first is None:
            return 0
        rows = connection.execute(
            "SELECT node, epoch, seq, commune, code, time_ms, received_ms, synced, historical, effect_level,"
            " reason, commanded_level, power_w, voltage_v, current_a, power_factor, energy_wh, dark, cameras,"
            " sample.source"
            " FROM sample JOIN source ON source.id = sample.source JOIN pole ON pole.id = sample.pole"
            " WHERE sample.pole = ? ORDER BY time_ms, sample.source, seq LIMIT ?",
            (first[0], _PIECE),
        ).fetchall()
        compactor.fold([_point(row) for row in rows], now_ms=now_ms)
        last = rows[-1]
        connection.execute(
            "DELETE FROM sample WHERE pole = ? AND (time_ms, source, seq) <= (?, ?, ?)",
            (first[0], last[5], last[19], last[2]),
        )
        return len(rows)


def _point(row: tuple[Any, ...]) -> Point:
    fields = [
        *row[:7],
        "synced" if row[7] else "unsynced",
        bool(row[8]),
        *row[9:17],
        None if row[17] is None else bool(row[17]),
        msgspec.json.decode(row[18]) if row[18] else [],
    ]
    return msgspec.convert(fields, Point)
