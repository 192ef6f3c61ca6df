"""A real `ngonden hub run` for drills, and what its databases say it has taken."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, select

from hub.db import open_database, reading
from hub.ingest.tables import received
from hub.telemetry.embedded import EmbeddedStore
from protocol import EARLIEST
from tests.support.nodes import NODE, POLE


def _started(folder: Path, port: int, database: str) -> subprocess.Popen[bytes]:
    config = folder / "hub.toml"
    config.write_text(
        f'database = "{database}"\ntelemetry = "sqlite:///telemetry.db"\n[broker]\nport = {port}\n'
    )
    with (folder / "hub.log").open("wb") as log:
        command = [sys.executable, "-m", "ngonden", "hub", "run", "--config", str(config)]
        return subprocess.Popen(command, stdout=log, stderr=log)


@asynccontextmanager
async def running(
    folder: Path, port: int, database: str = "sqlite:///hub.db"
) -> AsyncIterator[subprocess.Popen[bytes]]:
    """The real `ngonden hub`, settings and telemetry in a folder; ended politely unless it was killed."""
    process = _started(folder, port, database)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait, 30)


def confirmed(database: str) -> set[int]:
    """The seqs that the hub of a database has taken and confirmed, of whatever kind."""
    engine = open_database(database)
    try:
        with reading(engine).connect() as conn:
            return seqs(conn)
    finally:
        engine.dispose()


def seqs(conn: Connection) -> set[int]:
    """The same, as a connection sees it now."""
    rows = conn.execute(select(received.c.ranges).where(received.c.node == NODE)).scalars()
    pairs = [pair for row in rows for pair in row]
    return {seq for first, last in pairs for seq in range(first, last + 1)}


def sampled(folder: Path) -> set[int]:
    """The seqs of the samples in the folder's telemetry store."""
    store = EmbeddedStore(folder / "telemetry.db")
    try:
        return {point.seq for point in store.points(POLE, EARLIEST, datetime.now(UTC) + timedelta(days=1))}
    finally:
        store.close()
