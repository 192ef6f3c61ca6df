"""Whatever dies at whatever moment: what the agents made is stored once, and nothing is made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.kills import KillReport, run_kills
from bench.stack import Plan
from tests.support.servers import require_program

pytestmark = pytest.mark.servers


def _campaign(data: Path, *, kills: int, seed: int) -> KillReport:
    require_program("mosquitto")
    require_program("influxd")
    plan = Plan(data=data, agents=4, interval_s=0.1, influx=True)
    return run_kills(plan, kills=kills, seed=seed, progress=lambda _: None)


def _assert_sound(report: KillReport, *, kills: int) -> None:
    assert sum(report.killed.values()) == kills
    assert set(report.killed) == {"agent", "mosquitto", "hub", "influxd"}
    assert report.audit.made > kills
    assert report.audit.others_stored > 0, "no event or receipt was in play"
    assert report.sound, report


@pytest.mark.timeout(600)
def test_sixty_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    _assert_sound(_campaign(tmp_path, kills=60, seed=20261121), kills=60)


@pytest.mark.soak
def test_a_thousand_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    _assert_sound(_campaign(tmp_path, kills=1000, seed=7), kills=1000)
