"""What a node writes to its card, and what it holds through a long outage."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.disk.wear import run_wear
from tests.support.servers import require_program

pytestmark = pytest.mark.servers


def test_a_node_spares_its_card(tmp_path: Path) -> None:
    require_program("mosquitto")
    report = run_wear(tmp_path, poles=1, ticks=100, ticks_apart=0)
    assert report.ticks >= 100
    assert 0 < report.process_mb_per_day <= 200
