"""The measurement of uptime measures: the province is filled whole, and every question has an answer."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.postgres import Postgres

pytestmark = pytest.mark.servers


def test_a_small_provinces_uptime_is_measured() -> None:
    Postgres().stop()  # skips where there is no PostgreSQL
    done = subprocess.run(
        [sys.executable, "-m", "ngonden", "bench", "uptime", "--poles", "438", "--days", "40", "--json"],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["pole_days"] == 438 * 40
    assert facts["incidents"] == 438 * 3 * 40 // 365
    assert 0.9 < facts["lit_share"] < 1
    assert all(facts[name] > 0 for name in facts if name.endswith("_ms"))
