"""The drill: a hub under load is backed up, goes on, is killed, and comes back elsewhere from the backup."""

from __future__ import annotations

import asyncio
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.agent import Agent
from edge.clock import SystemClock
from edge.devices import build
from hub.backup.make import Wanted, make_point
from hub.backup.restore import Target, choose, restore
from hub.db import open_database, sqlite_module
from hub.migrations.runner import upgrade
from hub.settings import load_settings
from tests.integration.hub_backup.running_hub import confirmed, running, sampled
from tests.support.hub_side import eventually
from tests.support.hub_world import register
from tests.support.mosquitto import Mosquitto
from tests.support.nodes import node_config

pytestmark = pytest.mark.servers


def told(folder: Path) -> set[int]:
    """The seqs of what the node told beside samples."""
    with closing(sqlite_module().connect(folder / "hub.db", timeout=10)) as conn:
        return {seq for (seq,) in conn.execute("SELECT seq FROM node_event")}


async def test_a_hub_that_is_lost_comes_back_as_of_its_backup_and_takes_what_was_not_confirmed(
    tmp_path: Path,
) -> None:
    old, new, backups = tmp_path / "old", tmp_path / "new", tmp_path / "backups"
    old_database, new_database = f"sqlite:///{old / 'hub.db'}", f"sqlite:///{new / 'hub.db'}"
    old.mkdir()
    engine = open_database(old_database)
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
                await eventually(lambda: len(confirmed(old_database)) >= 20, what="samples", limit_s=60)
                settings = load_settings(old / "hub.toml")
                point = await asyncio.to_thread(
                    make_point, settings, Wanted(backups), now=datetime.now(UTC)
                )
                at_backup = confirmed(old_database)
                await eventually(
                    lambda: len(confirmed(old_database)) >= len(at_backup) + 20, what="more", limit_s=60
                )
                hub.kill()
            at_kill = confirmed(old_database)

            restore(backups, choose(backups, None), Target(new), None)
            in_backup = confirmed(new_database)
            assert in_backup <= at_backup
            assert len(in_backup) >= 20
            assert point.manifest.facts is not None
            assert point.manifest.facts.rows["node_state"] == 1

            async with running(new, broker.port):
                last = max(at_kill) + 20
                # Lost is at most what was confirmed between the backup and the end: the node had forgotten it.
                # All else comes, the newest first.
                await eventually(
                    lambda: (
                        last in confirmed(new_database)
                        and set(range(1, last)) - confirmed(new_database) <= at_kill - in_backup
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
