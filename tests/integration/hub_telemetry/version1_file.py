"""A telemetry file as the store of schema version 1 left it: one row per sample."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import msgspec

from hub.telemetry.port import Point

_SCHEMA = """
CREATE TABLE pole (id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE);
CREATE TABLE source (id INTEGER PRIMARY KEY, node TEXT NOT NULL, epoch TEXT NOT NULL, commune TEXT NOT NULL,
    UNIQUE (node, epoch));
CREATE TABLE source_pole (
    source INTEGER NOT NULL, pole INTEGER NOT NULL, PRIMARY KEY (source, pole)) WITHOUT ROWID;
CREATE TABLE sample (
    pole INTEGER NOT NULL, time_ms INTEGER NOT NULL, source INTEGER NOT NULL, seq INTEGER NOT NULL,
    received_ms INTEGER NOT NULL, synced INTEGER NOT NULL, historical INTEGER NOT NULL,
    effect_level REAL NOT NULL, reason TEXT NOT NULL, commanded_level REAL, power_w REAL,
    voltage_v REAL, current_a REAL, power_factor REAL, energy_wh REAL, dark INTEGER,
    camera_reachable REAL, cameras TEXT,
    PRIMARY KEY (pole, time_ms, source, seq)) WITHOUT ROWID;
PRAGMA user_version = 1;
"""


def write(path: Path, points: Sequence[Point]) -> None:
    """Make the file, with the points in it."""
    file = sqlite3.connect(path)
    file.executescript(_SCHEMA)
    poles: dict[str, int] = {}
    sources: dict[tuple[str, str], int] = {}
    for point in points:
        pole = poles.setdefault(point.pole, len(poles) + 1)
        source = sources.setdefault((point.node, point.epoch), len(sources) + 1)
        file.execute("INSERT OR IGNORE INTO pole VALUES (?, ?)", (pole, point.pole))
        row = (source, point.node, point.epoch, point.commune)
        file.execute("INSERT OR IGNORE INTO source VALUES (?, ?, ?, ?)", row)
        file.execute("INSERT OR IGNORE INTO source_pole VALUES (?, ?)", (source, pole))
        answered = [camera.reachable for camera in point.cameras]
        file.execute(
            f"INSERT INTO sample VALUES ({', '.join('?' * 18)})",
            (pole, point.time_ms, source, point.seq, point.received_ms, point.clock == "synced",
             point.historical, point.effect_level, point.reason, point.commanded_level, point.power_w,
             point.voltage_v, point.current_a, point.power_factor, point.energy_wh, point.dark,
             sum(answered) / len(answered) if answered else None,
             msgspec.json.encode(point.cameras).decode() if answered else None),
        )  # fmt: skip
    file.commit()
    file.close()
