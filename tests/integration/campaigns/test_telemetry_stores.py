"""What the telemetry stores hold and stand, in small; how fast a machine does it is not asserted.

The long ones are `ngonden bench telemetry` over a year and `ngonden bench influx-outage` over ten minutes.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.influx_outage import OutageReport, run_outage
from bench.telemetry_year import run_year
from hub.telemetry.retention import Retention
from tests.support.servers import require_program

pytestmark = pytest.mark.servers


def _outage(data: Path, *, minutes: float, rate: int, nodes: int) -> OutageReport:
    require_program("mosquitto")
    require_program("influxd")
    return run_outage(data, minutes=minutes, rate=rate, nodes=nodes, progress=lambda _: None)


@pytest.mark.timeout(240)
def test_influxdb_away_for_ten_seconds_loses_nothing(tmp_path: Path) -> None:
    report = _outage(tmp_path, minutes=10 / 60, rate=200, nodes=8)
    assert report.sound, report
    assert report.reached_msgs_per_s > 0.9 * report.asked_msgs_per_s, report
    assert report.made > 10 * 200
    assert report.outbox_peak_points > 200
    assert report.catch_up_points_per_s > 0


@pytest.mark.soak
def test_influxdb_away_for_ten_minutes_loses_nothing_and_is_caught_up_with(tmp_path: Path) -> None:
    report = _outage(tmp_path, minutes=10, rate=2000, nodes=219)
    assert report.sound, report
    assert report.reached_msgs_per_s > 0.95 * 2000, f"this machine cannot send the load: {report}"
    assert report.outbox_peak_points > 10 * 60 * 1900
    assert report.catch_up_ratio >= 5, report
    assert report.hub_rss_peak_mb < report.hub_rss_before_mb + 150


def test_a_commune_fits_and_its_charts_are_quick(tmp_path: Path) -> None:
    """At 1 % of the poles and a tenth of the year; the limits are those of the whole year."""
    report = run_year(tmp_path, poles=2, days=37, keep=Retention(), seed=1, progress=lambda _: None)
    assert report.samples == 2 * 37 * 2880
    assert report.bytes_per_sample < 8
    raw_mb, minute_mb, hour_mb = (
        report.raw_mb * 219 / 2,
        report.minute_mb * 219 / 2,
        report.hour_mb * 219 / 2,
    )
    assert raw_mb + (minute_mb + hour_mb) * 365 / 37 < 800
    assert min(report.day_chart_ms, report.month_chart_ms, report.year_chart_ms) > 0


@pytest.mark.soak
def test_a_year_of_a_commune_is_below_a_gigabyte_and_its_month_below_100_ms(tmp_path: Path) -> None:
    report = run_year(tmp_path, poles=219, days=365, keep=Retention(), seed=1, progress=lambda _: None)
    assert report.file_mb <= 1000
    assert report.month_chart_ms <= 100
