"""The measurements measure: every field is there, the numbers hang together, nothing is lost meanwhile.

How fast or how large is not asserted here: a test must not fail because a machine is busy.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.commune import run_commune
from tests.support.servers import require_program

pytestmark = pytest.mark.servers


def _bench(*words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "ngonden", "bench", *words, "--json"],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


@pytest.mark.timeout(240)
def test_ingest_is_measured_beside_its_baseline() -> None:
    require_program("mosquitto")
    require_program("mosquitto_sub")
    facts = _bench("ingest", "--messages", "3000", "--rounds", "1")
    assert facts["lost"] == 0
    assert facts["ratio"] == pytest.approx(facts["hub_msgs_per_s"] / facts["baseline_msgs_per_s"], rel=0.01)
    assert facts["cpu_us_per_msg"] > 1
    stages = facts["stages"]
    assert isinstance(stages, dict)
    assert all(value > 0 for value in stages.values()), stages
    assert facts["stages_sum_us"] == pytest.approx(sum(stages.values()), rel=0.01)


@pytest.mark.timeout(240)
def test_an_agents_footprint_is_measured() -> None:
    require_program("mosquitto")
    facts = _bench("footprint", "--starts", "1", "--minutes", "0.2")
    assert facts["start_s"] > 0
    assert facts["rss_mb"] < 40, "an agent with all its probes must leave a Pi its memory"
    assert 0 < facts["cpu_share"] < 0.05


@pytest.mark.timeout(240)
def test_a_metered_poles_day_on_air_is_within_its_budget() -> None:
    require_program("mosquitto")
    facts = _bench("air", "--hours", "1", "--speed", "120")
    causes = ("connecting", "samples", "other_messages", "confirmations", "mqtt_headers", "tls", "tcp_ip")
    assert facts["kb_per_day"] == pytest.approx(sum(facts[cause] for cause in causes), rel=0.02)
    assert facts["kb_per_day"] < 250
    assert facts["pings"] == 0
    assert facts["telemetry_messages"] in (5, 6, 7)
    assert facts["samples"] > facts["confirmations"] > 0


@pytest.mark.soak
@pytest.mark.timeout(400)
def test_turns_at_the_database_are_measured_with_one_worker_and_with_two() -> None:
    require_program("influxd")
    facts = _bench("turns", "--workers", "2", "--seconds", "1", "--influx-poles", "2")
    turns = facts["turns"]
    assert isinstance(turns, list)
    assert [(one["workers"], one["per_commit"]) for one in turns] == [
        (workers, per_commit) for workers in (1, 2) for per_commit in (1, 100, 2000)
    ]
    for one in turns:
        assert one["msgs_per_s"] == pytest.approx(
            one["commits_per_s"] * one["per_commit"], rel=0.05, abs=0.1 * one["per_commit"]
        )
        assert one["log_bytes_per_msg"] > 100
        assert one["wal_bytes_per_msg"] > one["log_bytes_per_msg"], (
            "what is logged is in the write-ahead log"
        )
    assert turns[2]["rows_per_msg"] < turns[0]["rows_per_msg"], "many messages share the rows of a commit"
    assert facts["influx_points"] == 2 * 2880
    assert 20 < facts["influx_bytes_per_sample"] < 1000


@pytest.mark.soak
def test_a_commune_for_ten_minutes_keeps_every_sample(tmp_path: Path) -> None:
    require_program("mosquitto")
    report = run_commune(tmp_path / "house", minutes=10, interval_s=5, influx=None, progress=lambda _: None)
    assert report.nodes == 219
    assert report.audit.made >= 219 * 10 * 12
    assert report.sound, report
