"""The drainer as a process: it writes what is committed, and what it had told nobody of is written again."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from hub.ingest.draining import DrainProcess, drain_argv
from hub.ingest.tables import telemetry_outbox
from hub.telemetry.factory import open_store
from hub.telemetry.port import TelemetryStore
from protocol import Kind
from tests.integration.hub_ingest.rig import Rig
from tests.integration.hub_ingest.words import EPOCH, node_name, sample, telemetry
from tests.support.hub_config import write_hub_config
from tests.support.servers import wait_until


@pytest.fixture
def rig(engine: Engine) -> Iterator[Rig]:
    made = Rig(engine)
    yield made
    made.close()


@pytest.fixture
def config(engine: Engine, tmp_path: Path) -> Path:
    return write_hub_config(tmp_path, engine)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TelemetryStore]:
    opened = open_store(f"sqlite:///{tmp_path}/telemetry.db")
    yield opened
    opened.close()


def _commit(rig: Rig, first: int, last: int) -> None:
    for seq in range(first, last + 1):
        rig.send(Kind.TELEMETRY, telemetry(sample(seq, at=rig.now)))
        rig.committer.step()


def _until_stored(store: TelemetryStore, count: int) -> None:
    wait_until(
        lambda: store.count(node_name(1), str(EPOCH)).points == count,
        what=f"{count} points stored",
        limit_s=60,
    )


def test_it_outlives_a_kill_and_leaves_an_empty_outbox(
    rig: Rig, config: Path, store: TelemetryStore
) -> None:
    drain = DrainProcess(rig.outbox, drain_argv(str(config)))
    drain.start()
    try:
        _commit(rig, 1, 20)
        _until_stored(store, 20)
        killed = drain.pid
        assert killed is not None
        assert os.getpriority(os.PRIO_PROCESS, killed) == 19, "it competes with the ingest"
        os.kill(killed, signal.SIGKILL)
        _commit(rig, 21, 30)
        _until_stored(store, 30)
        assert drain.pid not in (None, killed)
        assert drain.store_is_up()
    finally:
        drain.stop()
    rig.committer.step()
    rig.pass_time(3)
    assert rig.outbox.waiting(0, 100) == []
    tally = store.count(node_name(1), str(EPOCH))
    assert (tally.points, tally.distinct) == (30, 30)
    told = rig.stats()["telemetry"]
    assert isinstance(told, dict)
    assert told["points_written"] == 30


def test_it_can_be_stopped_while_it_does_not_come_up(rig: Rig, tmp_path: Path) -> None:
    drain = DrainProcess(rig.outbox, drain_argv(str(tmp_path / "missing.toml")))
    drain.start()
    drain.stop()
    assert drain.pid is None


def test_it_ends_although_its_child_does_not(rig: Rig) -> None:
    deaf = [sys.executable, "-c", "import time; time.sleep(600)"]
    drain = DrainProcess(rig.outbox, deaf, ends_within_s=0.05)
    drain.start()
    wait_until(lambda: drain.pid is not None, what="the child to run")
    drain.stop()
    assert drain.pid is None


def test_told_to_begin_again_it_finds_what_came_in_among_the_old(
    rig: Rig, config: Path, store: TelemetryStore
) -> None:
    _commit(rig, 1, 20)
    oldest = rig.outbox.waiting(0, 100)[0].id
    _give(rig.engine, oldest, "gone")
    drain = DrainProcess(rig.outbox, drain_argv(str(config)))
    drain.start()
    try:
        _until_stored(store, 19)
        _give(rig.engine, oldest, "")
        drain.again()
        _until_stored(store, 20)
    finally:
        drain.stop()


def _give(engine: Engine, row: int, worker: str) -> None:
    with engine.begin() as conn:
        conn.execute(update(telemetry_outbox).where(telemetry_outbox.c.id == row).values(worker=worker))
