"""One word for what a lamp does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.ingest.lamp_status import is_measured, lamp_status
from hub.ingest.reads import NodeStatus, PoleStatus

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NODE = NodeStatus(
    node="tg-0001",
    commune="tram-than",
    session=None,
    status="online",
    last_seen_at=NOW,
    heartbeat_s=30,
    connected_at=None,
    epoch=None,
    queued=0,
    agent_version="",
    config_version=0,
    clock="synced",
    revision=1,
)
POLE = PoleStatus(
    pole="TG-0001",
    node="tg-0001",
    sample_at=NOW,
    received_at=NOW,
    epoch="e",
    seq=1,
    effect_level=1.0,
    reason="sun",
    commanded_level=None,
    override_until=None,
    power_w=40.0,
    voltage_v=None,
    current_a=None,
    energy_wh=None,
    dark=None,
    cameras=(),
    clock="synced",
    revision=1,
    told={},
)


@pytest.mark.parametrize(
    ("level", "power_w", "word"),
    [
        (1.0, 40.0, "lit"),
        (1.0, 8.0, "lit"),
        (1.0, 7.9, "dark"),
        (0.1, 1.0, "lit"),
        (1.0, None, "lit"),
        (0.0, 0.0, "off"),
        (0.0, 8.0, "off"),
        (0.0, 8.1, "on_by_day"),
        (0.0, None, "off"),
    ],
)
def test_level_and_power_decide(level: float, power_w: float | None, word: str) -> None:
    pole = replace(POLE, effect_level=level, power_w=power_w)
    assert lamp_status(pole, NODE, 40.0, NOW) == word
    assert is_measured(pole) is (power_w is not None)


def test_nothing_heard_is_unknown() -> None:
    assert lamp_status(None, NODE, 40.0, NOW) == "unknown"
    assert lamp_status(POLE, None, 40.0, NOW) == "unknown"
    assert not is_measured(None)


@pytest.mark.parametrize("status", ["silent", "lost", "stopped"])
def test_what_a_node_said_before_it_went_is_unknown_now(status: str) -> None:
    assert lamp_status(POLE, replace(NODE, status=status), 40.0, NOW) == "unknown"  # type: ignore[arg-type]


def test_an_old_sample_is_unknown_however_lively_the_node() -> None:
    assert lamp_status(POLE, NODE, 40.0, NOW + timedelta(seconds=90)) == "lit"
    assert lamp_status(POLE, NODE, 40.0, NOW + timedelta(seconds=91)) == "unknown"
    assert lamp_status(POLE, NODE, 40.0, NOW + timedelta(seconds=500), sample_gap_s=300) == "lit"
