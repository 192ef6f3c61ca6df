"""The sun over Hanoi, against its almanac, and over a pole, against its node's."""

from __future__ import annotations

from datetime import date

import pytest

from edge.lamp.schedule import Place, Schedule, sun_word
from hub.uptime.coverage.states import SLOTS
from hub.uptime.daily.rolling import day_span
from hub.uptime.daily.sun import daylight


def _day(on: date) -> int:
    return (on - date(1970, 1, 1)).days


@pytest.mark.parametrize(
    ("on", "rise", "fall"),
    [
        # The almanac (with refraction, upper limb) is up to 4 minutes earlier and later, and both round.
        (date(2026, 6, 21), 5 * 60 + 17, 18 * 60 + 42),
        (date(2026, 12, 21), 6 * 60 + 30, 17 * 60 + 18),
    ],
)
def test_the_suns_times_are_those_of_the_almanac(on: date, rise: int, fall: int) -> None:
    found_rise, found_fall = daylight(21.03, 105.85, _day(on))
    assert rise <= found_rise <= rise + 5
    assert fall - 5 <= found_fall <= fall


def test_hub_and_node_go_by_the_same_sun() -> None:
    day = _day(date(2026, 3, 1))
    begin, _ = day_span(day)
    rise, fall = daylight(21.5, 105.2, day)
    schedule = Schedule(Place(21.5, 105.2))
    for slot in (*range(0, SLOTS, 17), rise - 1, rise + 1, fall - 1, fall + 1):
        moment = begin.fromtimestamp(begin.timestamp() + slot * 60, begin.tzinfo)
        assert sun_word(schedule, moment).due == (not rise <= slot < fall), slot
