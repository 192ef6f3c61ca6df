"""What one sample says of a lamp or a camera."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hub.uptime.coverage.states import State, camera_state, day_start_s, lamp_state, local_day_of
from protocol import CameraReading
from tests.unit.hub_uptime.words import DAY, RATED_W, at, sample

CASES: list[tuple[dict[str, Any], State]] = [
    ({}, State.LIT),
    ({"power_w": 8.0}, State.LIT),
    ({"power_w": 7.9}, State.DARK),
    ({"level": 0.5, "power_w": 4.0}, State.LIT),
    ({"level": 0.5, "power_w": 3.9}, State.DARK),
    ({"power_w": None}, State.LIT_SAID),
    ({"level": 0.0, "power_w": 0.4}, State.DARK),
    ({"level": 0.0, "power_w": None}, State.DARK_SAID),
    ({"level": 0.0, "power_w": 0.4, "reason": "override"}, State.ORDERED_OFF),
    ({"level": 0.0, "power_w": None, "reason": "override"}, State.ORDERED_OFF),
    ({"level": 0.0, "power_w": 38.0, "reason": "override"}, State.LIT),
    ({"level": 1.0, "power_w": 0.0, "reason": "override"}, State.DARK),
    ({"due": False, "level": 0.0, "power_w": 0.4}, State.NOT_DUE),
    ({"due": False, "level": 0.0, "power_w": 38.0}, State.BURNING),
    ({"due": False, "level": 1.0, "power_w": None}, State.BURNING),
    ({"due": False, "reason": "maintenance"}, State.BURNING),
    ({"reason": "maintenance", "power_w": 0.0}, State.MAINTENANCE),
    ({"due": None, "reason": "maintenance"}, State.UNTOLD_MAINTENANCE),
    ({"due": None}, State.UNTOLD_LIT),
    ({"due": None, "power_w": None}, State.UNTOLD_LIT_SAID),
    ({"due": None, "power_w": 0.0}, State.UNTOLD_DARK),
    ({"due": None, "level": 0.0, "power_w": None, "reason": "override"}, State.UNTOLD_ORDERED_OFF),
]


@pytest.mark.parametrize(("words", "state"), CASES, ids=str)
def test_a_lamp_is_what_its_meter_and_its_node_say(words: dict[str, Any], state: State) -> None:
    assert lamp_state(sample(at("20:00"), **words), RATED_W) == state


def test_without_a_rating_the_nodes_own_word_counts() -> None:
    assert lamp_state(sample(at("20:00"), power_w=0.0), None) == State.LIT_SAID


@pytest.mark.parametrize(
    ("words", "healthy"),
    [
        ({}, True),
        ({"reachable": False}, False),
        ({"stream": "live", "picture": "ok"}, True),
        ({"stream": "no_media"}, False),
        ({"picture": "frozen"}, False),
        ({"picture": "covered"}, False),
        ({"picture": "moved"}, False),
        ({"stream": "live", "picture": "unreadable"}, True),
        ({"powered": False}, False),
    ],
    ids=str,
)
def test_a_camera_is_healthy_when_all_that_was_asked_is_well(words: dict[str, Any], healthy: bool) -> None:
    reading = CameraReading(**{"camera": "CAM-TG-01", "reachable": True, **words})
    assert camera_state(reading, maintenance=False) == (State.HEALTHY if healthy else State.FAULTY)
    assert camera_state(reading, maintenance=True) == State.CAMERA_MAINTENANCE


def test_a_day_is_the_day_in_vietnam() -> None:
    assert local_day_of(datetime(2026, 2, 28, 16, 59, 59, tzinfo=UTC).timestamp()) == DAY - 1
    assert local_day_of(datetime(2026, 2, 28, 17, 0, tzinfo=UTC).timestamp()) == DAY
    assert day_start_s(DAY) == datetime(2026, 2, 28, 17, 0, tzinfo=UTC).timestamp()
