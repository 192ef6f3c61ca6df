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
def test_a_commune_for_ten_minutes_keeps_every_sample(tmp_path: Path) -> None:
    require_program("mosquitto")
    report = run_commune(tmp_path / "house", minutes=10, interval_s=5, influx=None, progress=lambda _: None)
    assert report.nodes == 219
    assert report.audit.made >= 219 * 10 * 12
    assert report.sound, report
