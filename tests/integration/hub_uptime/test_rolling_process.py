"""The roller as a process: it reckons beside the ingest, outlives a kill, and ends with its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from hub.db import reading
from hub.kept_child import KeptChild, helper_argv
from hub.uptime.daily.rolling_process import roll_process
from hub.uptime.tables import uptime_day
from tests.integration.hub_uptime.commune import Commune, moment
from tests.support.hub_config import write_hub_config
from tests.support.servers import wait_until
from tests.unit.hub_uptime.words import sample


@pytest.fixture
def config(engine: Engine, tmp_path: Path) -> Path:
    return write_hub_config(tmp_path, engine)


@pytest.fixture
def commune(engine: Engine) -> Commune:
    made = Commune(engine)
    made.now = moment(time.time())
    return made


@pytest.fixture
def child(config: Path) -> Iterator[KeptChild]:
    kept = roll_process(str(config), first_after_s=0.0)
    kept.start()
    yield kept
    kept.stop()
    assert kept.pid is None


def _hear(commune: Commune, minutes_ago: range) -> None:
    now_s = time.time()
    commune.hear([sample(now_s - 60 * minutes) for minutes in minutes_ago])


def _known_s(engine: Engine) -> int:
    """The seconds of which anything is known; the lamp of the test is due and lit all day."""
    with reading(engine).connect() as conn:
        return int(conn.execute(select(func.coalesce(func.sum(uptime_day.c.up_s), 0))).scalar_one())


def test_it_reckons_and_after_a_kill_goes_on(commune: Commune, child: KeptChild) -> None:
    _hear(commune, range(30, 20, -1))
    wait_until(lambda: _known_s(commune.engine) >= 540, what="the first minutes reckoned", limit_s=60)
    killed = child.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    _hear(commune, range(20, 10, -1))
    wait_until(lambda: _known_s(commune.engine) >= 1140, what="the next minutes reckoned", limit_s=60)
    assert child.pid != killed


def test_it_ends_with_its_parent(commune: Commune, config: Path) -> None:
    done = subprocess.run(
        helper_argv("roll", str(config)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"", "the standard output is the parent's to read"


def test_stopped_before_its_first_start_it_never_starts(tmp_path: Path) -> None:
    started = tmp_path / "started"
    kept = KeptChild("helper", lambda: ["touch", str(started)], first_after_s=60)
    kept.start()
    kept.stop()
    assert not started.exists()
