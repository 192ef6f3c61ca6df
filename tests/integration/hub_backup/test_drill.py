"""The drill: a hub under load is backed up, goes on, is killed, and comes back elsewhere from the backup."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from edge.agent import Agent
from edge.clock import SystemClock
from edge.devices import build
from hub.backup.make import Wanted, make_point
from hub.backup.restore import Target, choose, restore
from hub.db import open_database, reading, sqlite_module
from hub.migrations.runner import upgrade
from hub.settings import load_settings
from hub.telemetry.embedded import EmbeddedStore
from protocol import EARLIEST
from tests.support.hub_side import eventually
from tests.support.hub_world import register
from tests.support.mosquitto import Mosquitto
from tests.support.nodes import NODE, POLE, node_config

pytestmark = pytest.mark.servers


def started(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """`ngonden hub run` with its settings and its log in the folder."""
    config = folder / "hub.toml"
    config.write_text(
        f'database = "sqlite:///hub.db"\ntelemetry = "sqlite:///telemetry.db"\n[broker]\nport = {port}\n'
    )
    with (folder / "hub.log").open("wb") as log:
        command = [sys.executable, "-m", "ngonden", "hub", "run", "--config", str(config)]
        return subprocess.Popen(command, stdout=log, stderr=log)


@asynccontextmanager
async def running(folder: Path, port: int) -> AsyncIterator[subprocess.Popen[bytes]]:
    """The real `ngonden hub` on the databases of a folder, ended politely unless it was killed."""
    process = started(folder, port)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait, 30)


def confirmed(folder: Path) -> set[int]:
    """The seqs that the hub of a folder has taken and confirmed, of whatever kind."""
    engine = open_database(f"sqlite:///{folder / 'hub.db'}")
    try:
        with reading(engine).connect() as conn:
            rows = (
                conn.exec_driver_sql("SELECT ranges FROM received WHERE node = ?", (NODE,)).scalars().all()
            )
    finally:
        engine.dispose()
    pairs = [pair for row in rows for pair in msgspec.json.decode(row)]
    return {seq for first, last in pairs for seq in range(first, last + 1)}


def sampled(folder: Path) -> set[int]:
    """The seqs of the samples in the folder's telemetry store."""
    store = EmbeddedStore(folder / "telemetry.db")
    try:
        return {point.seq for point in store.points(POLE, EARLIEST, datetime.now(UTC) + timedelta(days=1))}
    finally:
        store.close()


def told(folder: Path) -> set[int]:
    """The seqs of what the node told beside samples."""
    with closing(sqlite_module().connect(folder / "hub.db", timeout=10)) as conn:
        return {seq for (seq,) in conn.execute("SELECT seq FROM node_event")}


async def test_a_hub_that_is_lost_comes_back_as_of_its_backup_and_takes_what_was_not_confirmed(
    tmp_path: Path,
) -> None:
    old, new, backups = tmp_path / "old", tmp_path / "new", tmp_path / "backups"
    old.mkdir()
    engine = open_database(f"sqlite:///{old / 'hub.db'}")
    upgrade(engine)
    register(engine, 3)
    engine.dispose()
    with Mosquitto(tmp_path / "broker") as broker:
        config = node_config(tmp_path / "node", port=broker.port, sample_interval_s=0.1)
        stop = asyncio.Event()
        agent = asyncio.create_task(Agent(config, build(config), SystemClock("trusted")).run(stop))
        try:
            async with running(old, broker.port) as hub:
                await eventually(lambda: (old / "telemetry.db").exists(), what="the hub", limit_s=60)
                await eventually(lambda: len(confirmed(old)) >= 20, what="samples", limit_s=60)
                settings = load_settings(old / "hub.toml")
                point = await asyncio.to_thread(
                    make_point, settings, Wanted(backups), now=datetime.now(UTC)
                )
                at_backup = confirmed(old)
                await eventually(
                    lambda: len(confirmed(old)) >= len(at_backup) + 20, what="more", limit_s=60
                )
                hub.kill()
            at_kill = confirmed(old)

            restore(backups, choose(backups, None), Target(new), None)
            in_backup = confirmed(new)
            assert in_backup <= at_backup
            assert len(in_backup) >= 20
            assert point.manifest.facts.rows["node_state"] == 1

            async with running(new, broker.port):
                last = max(at_kill) + 20
                # Lost is at most what was confirmed between the backup and the end: the node had forgotten it.
                # All else comes, the newest first.
                await eventually(
                    lambda: (
                        last in confirmed(new)
                        and set(range(1, last)) - confirmed(new) <= at_kill - in_backup
                    ),
                    what="the hub to take what is new and what was not confirmed",
                    limit_s=90,
                )
                await eventually(
                    lambda: last in sampled(new) | told(new), what="telemetry to be drained", limit_s=60
                )
        finally:
            stop.set()
            await agent
    # What the backup had confirmed is in the restored store, from its own copy or out of the hub's outbox.
    assert in_backup - sampled(new) <= told(new)
