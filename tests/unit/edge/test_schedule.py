from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.lamp.schedule import Place, Schedule, profile_level, sun_elevation_deg, sun_word
from protocol.messages import DimmingStep

TRAM_THAN = Place(21.4731, 105.255)


def utc(local_time: str) -> datetime:
    return datetime.fromisoformat(local_time).replace(tzinfo=UTC) - timedelta(hours=7)


def due(local_time: str, **offsets: Any) -> bool:
    return sun_word(Schedule(TRAM_THAN, **offsets), utc(local_time)).due


@pytest.mark.parametrize(
    ("local_time", "down"),
    [
        # Việt Trì, the nearest city, at the equinox: sunrise 05:57, sunset 18:04 by the almanac.
        ("2026-03-21 05:40", True),
        ("2026-03-21 06:15", False),
        ("2026-03-21 17:50", False),
        ("2026-03-21 18:20", True),
        ("2026-06-21 18:30", False),
        ("2026-12-21 17:35", True),
    ],
)
def test_the_sun_over_tram_than(local_time: str, down: bool) -> None:
    assert due(local_time) is down


def test_the_sun_never_sets_over_the_pole_in_june() -> None:
    pole = Schedule(Place(89.0, 0.0))
    assert not any(sun_word(pole, datetime(2026, 6, 21, hour, tzinfo=UTC)).due for hour in range(24))


def switch_times(day: str, **offsets: Any) -> tuple[int, int]:
    """Minutes after local noon at which the lamp goes on and off in the night from `day` on."""
    noon = utc(f"{day} 12:00")
    schedule = Schedule(TRAM_THAN, **offsets)
    states = [sun_word(schedule, noon + timedelta(minutes=minute)).due for minute in range(24 * 60)]
    changes = [minute for minute in range(1, 24 * 60) if states[minute] != states[minute - 1]]
    assert len(changes) == 2, changes
    return changes[0], changes[1]


@pytest.mark.parametrize(("dusk_min", "dawn_min"), [(-30, 0), (0, 45), (120, -120), (-120, 120), (15, -15)])
def test_offsets_move_dusk_and_dawn_each_by_itself(dusk_min: int, dawn_min: int) -> None:
    on, off = switch_times("2026-03-21")
    moved = switch_times("2026-03-21", dusk_offset_min=dusk_min, dawn_offset_min=dawn_min)
    # The sun of two hours later stands in the same place but for half a minute of season.
    assert list(moved) == pytest.approx([on + dusk_min, off + dawn_min], abs=1)


def test_night_begins_with_the_end_of_civil_twilight() -> None:
    schedule = Schedule(TRAM_THAN)
    assert not sun_word(schedule, utc("2026-03-21 18:15")).night
    assert sun_word(schedule, utc("2026-03-21 18:35")).night


def test_a_time_that_may_be_wrong_counts_whichever_is_darker() -> None:
    at = utc("2026-03-21 17:50")
    assert not sun_word(Schedule(TRAM_THAN), at).due
    assert sun_word(Schedule(TRAM_THAN), at, unsure_s=1800).due
    assert sun_word(Schedule(TRAM_THAN), utc("2026-03-22 06:10"), unsure_s=1800).due


def test_the_whole_year_is_lit_from_dusk_to_dawn_once_a_night() -> None:
    nights = {switch_times(f"2026-{month:02d}-15") for month in range(1, 13)}
    lit_min = [off - on for on, off in nights]
    assert 10.5 * 60 < min(lit_min) < 11 * 60
    assert 13 * 60 < max(lit_min) < 13.5 * 60


STEPS = [
    DimmingStep(at="01:00", level=0.3),
    DimmingStep(at="22:30", level=0.6),
    DimmingStep(at="05:00", level=1.0),
]


@pytest.mark.parametrize(
    ("local", "level"),
    [
        ("18:30", 1.0),
        ("22:29", 1.0),
        ("22:30", 0.6),
        ("00:59", 0.6),
        ("01:00", 0.3),
        ("04:59", 0.3),
        ("05:00", 1.0),
    ],
)
def test_the_profile_goes_over_midnight_and_begins_in_full(local: str, level: float) -> None:
    assert profile_level(STEPS, utc(f"2026-03-21 {local}")) == level


def test_a_single_step_leaves_the_evening_in_full_light() -> None:
    step = [DimmingStep(at="23:00", level=0.5)]
    assert profile_level(step, utc("2026-03-21 19:00")) == 1.0
    assert profile_level(step, utc("2026-03-22 04:00")) == 0.5
    assert profile_level([], utc("2026-03-22 04:00")) == 1.0


@given(st.integers(0, 366 * 24 * 60))
def test_civil_night_is_never_without_dusk(minute: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    word = sun_word(Schedule(TRAM_THAN), now)
    assert word.due or not word.night
    assert word.due == (sun_elevation_deg(21.4731, 105.255, now) <= 0)
