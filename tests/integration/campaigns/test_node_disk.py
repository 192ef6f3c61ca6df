"""What a node writes to its card, and what it holds through a long outage."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.disk.outage import run_outage
from bench.disk.wear import run_wear
from tests.support.servers import require_program

pytestmark = pytest.mark.servers


def test_a_node_spares_its_card(tmp_path: Path) -> None:
    require_program("mosquitto")
    report = run_wear(tmp_path, poles=1, ticks=100, ticks_apart=0)
    assert report.ticks >= 100
    assert 0 < report.process_mb_per_day <= 200


@pytest.mark.timeout(300)
def test_a_day_without_the_hub_comes_whole_and_the_present_comes_first(tmp_path: Path) -> None:
    require_program("mosquitto")
    report = run_outage(tmp_path, days=1)
    assert report.made > 2880
    assert report.sound, report
    assert report.dropped_and_told == 0
    assert report.first_live_s <= report.drained_s
    assert report.times_real_time >= 50


@pytest.mark.timeout(300)
def test_what_an_outbox_had_no_room_for_is_told_to_the_last_seq(tmp_path: Path) -> None:
    require_program("mosquitto")
    report = run_outage(tmp_path, days=0.27, interval_s=1, max_mb=4)
    assert report.dropped_and_told > 0
    assert report.largest_file_mb <= 4
    assert report.sound, report


@pytest.mark.soak
def test_thirty_days_without_the_hub_come_whole(tmp_path: Path) -> None:
    require_program("mosquitto")
    report = run_outage(tmp_path, days=30)
    assert report.sound, report
    assert report.dropped_and_told == 0
    assert report.largest_file_mb <= 64
    assert report.times_real_time >= 50
