"""Nodes that fall silent among many, in real time on a real database; 49,000 are a campaign of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.silence import SilenceReport, run_silence


def _measured(data: Path, *, nodes: int, silent: int, heartbeat_s: int) -> SilenceReport:
    return run_silence(data, nodes=nodes, silent=silent, heartbeat_s=heartbeat_s, progress=lambda _: None)


def test_every_silent_node_is_noticed_and_nobody_else(tmp_path: Path) -> None:
    report = _measured(tmp_path, nodes=300, silent=15, heartbeat_s=1)
    assert (report.noticed, report.false_alarms) == (15, 0)
    assert 0 <= report.delay_p50_s <= 1
    assert report.cpu_share < 1


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_among_49000_nodes_each_is_noticed_within_a_second(tmp_path: Path) -> None:
    report = _measured(tmp_path, nodes=49_000, silent=1000, heartbeat_s=30)
    assert report.sound, report
