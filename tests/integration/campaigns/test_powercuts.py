"""Whenever the power goes: what the agent was told is stored is there, and no seq is given out anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.disk.powercuts import CutReport, run_powercuts
from bench.disk.replay import HonoursSync, every_sync, no_commit_sync, no_sync
from tests.support.servers import require_program

pytestmark = pytest.mark.servers


def campaign(data: Path, *, cuts: int, seed: int, honours: HonoursSync = every_sync) -> CutReport:
    require_program("cc")
    return run_powercuts(data, cuts=cuts, seed=seed, honours=honours)


def test_a_hundred_power_cuts_lose_nothing(tmp_path: Path) -> None:
    report = campaign(tmp_path, cuts=100, seed=20261121)
    assert report.sound, report
    assert report.cuts == 100
    assert report.items_looked_for > 1000


def test_power_cuts_on_a_disk_whose_syncs_fail_now_and_then_lose_nothing(tmp_path: Path) -> None:
    report = run_powercuts(tmp_path, cuts=60, seed=3, failing_runs=1, cuts_per_run=20)
    assert report.sound, report
    assert report.runs_with_failing_syncs == 3


@pytest.mark.parametrize("honours", [no_sync, no_commit_sync], ids=["OFF", "NORMAL"])
def test_the_campaign_finds_what_synchronous_off_and_normal_lose(
    tmp_path: Path, honours: HonoursSync
) -> None:
    report = campaign(tmp_path, cuts=40, seed=1, honours=honours)
    assert not report.sound
    assert report.lost > 0
    assert report.complaints


@pytest.mark.soak
def test_two_thousand_power_cuts_lose_nothing(tmp_path: Path) -> None:
    report = campaign(tmp_path, cuts=2000, seed=1)
    assert report.sound, report
