from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.lamp.lamp_control import (
    Decision,
    Override,
    PhotocellRules,
    PhotocellTrack,
    decide,
    follow_photocell,
    sun_is_down,
)

NOW = datetime(2026, 3, 21, 12, 0, tzinfo=UTC)
RULES = PhotocellRules(dark_after_s=20, light_after_s=180, silent_after_s=60)


def override(level: float = 0.0, *, minutes: float = 60) -> Override:
    return Override(level, NOW + timedelta(minutes=minutes), 1000 + minutes * 60, uuid4(), NOW)


def follow(*readings: tuple[float, bool | None]) -> PhotocellTrack:
    track = PhotocellTrack()
    for monotonic_s, reading in readings:
        track = follow_photocell(track, reading, monotonic_s=monotonic_s, rules=RULES)
    return track


def test_an_override_comes_before_everything() -> None:
    wish = override(0.0)
    assert decide(override=wish, dark=True, sun_down=True) == Decision(0.0, "override", 0.0, wish.until_utc)


def test_the_photocell_comes_before_the_sun() -> None:
    assert decide(override=None, dark=True, sun_down=False) == Decision(1.0, "photocell")
    assert decide(override=None, dark=False, sun_down=True) == Decision(0.0, "photocell")


def test_the_sun_decides_without_a_photocell() -> None:
    assert decide(override=None, dark=None, sun_down=True) == Decision(1.0, "sun")
    assert decide(override=None, dark=None, sun_down=False) == Decision(0.0, "sun")


def test_with_nothing_to_go_by_the_road_is_lit() -> None:
    assert decide(override=None, dark=None, sun_down=None) == Decision(1.0, "fail_lit")


@given(
    level=st.none() | st.floats(0, 1),
    dark=st.none() | st.booleans(),
    sun_down=st.none() | st.booleans(),
)
def test_a_lamp_is_put_out_only_by_a_reason(
    level: float | None, dark: bool | None, sun_down: bool | None
) -> None:
    wish = None if level is None else override(level)
    decision = decide(override=wish, dark=dark, sun_down=sun_down)
    if decision.level == 0:
        assert wish is not None or dark is False or (dark is None and sun_down is False)
    assert (decision.commanded_level is None) == (wish is None)


@pytest.mark.parametrize("synced", [True, False])
def test_an_override_ends_at_its_time(synced: bool) -> None:
    wish = override(minutes=60)
    just_before = NOW + timedelta(minutes=59, seconds=59)
    assert wish.stands(now=just_before, monotonic_s=4599, clock_synced=synced)
    assert not wish.stands(now=NOW + timedelta(minutes=60), monotonic_s=4600, clock_synced=synced)


def test_an_override_ends_even_when_the_wall_clock_falls_back() -> None:
    assert not override(minutes=60).stands(now=NOW - timedelta(days=3), monotonic_s=4600, clock_synced=True)


def test_a_wall_clock_that_is_not_believed_ends_no_override() -> None:
    wish = override(minutes=60)
    assert wish.stands(now=NOW + timedelta(days=300), monotonic_s=1001, clock_synced=False)
    assert not wish.stands(now=NOW + timedelta(days=300), monotonic_s=1001, clock_synced=True)


def test_the_photocells_first_word_is_believed_at_once() -> None:
    assert follow((0, True)).believed is True
    assert follow((0, False)).believed is False


def test_a_cloud_does_not_light_the_lamp_but_dusk_does() -> None:
    assert follow((0, False), (10, True), (29, True)).believed is False
    assert follow((0, False), (10, True), (29, False), (31, True), (49, True)).believed is False
    assert follow((0, False), (10, True), (30, True)).believed is True


def test_headlights_do_not_put_the_lamp_out_but_dawn_does() -> None:
    assert follow((0, True), (10, False), (189, False)).believed is True
    assert follow((0, True), (10, False), (190, False)).believed is False


def test_a_photocell_that_falls_silent_keeps_its_word_a_while_and_then_has_none() -> None:
    assert follow((0, True), (59, None)).believed is True
    assert follow((0, True), (60, None)).believed is None
    assert follow((0, None)).believed is None


def test_a_photocell_that_comes_back_from_silence_is_believed_at_once() -> None:
    assert follow((0, True), (60, None), (61, False)).believed is False


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
    utc = datetime.fromisoformat(local_time).replace(tzinfo=UTC) - timedelta(hours=7)
    assert sun_is_down(21.4731, 105.255, utc) is down


def test_the_sun_never_sets_over_the_pole_in_june() -> None:
    assert not any(sun_is_down(89.0, 0.0, datetime(2026, 6, 21, hour, tzinfo=UTC)) for hour in range(24))
