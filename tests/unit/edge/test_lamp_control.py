from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.lamp.lamp_control import (
    Decision,
    Evidence,
    Maintenance,
    MotionTrack,
    Override,
    RestRules,
    Switching,
    decide,
    follow_motion,
    let_rest,
    motion_holds,
)
from edge.lamp.schedule import SunWord

NOW = datetime(2026, 3, 21, 12, 0, tzinfo=UTC)
DAY = SunWord(due=False, night=False)
DUSK = SunWord(due=True, night=False)
NIGHT = SunWord(due=True, night=True)


def override(level: float = 0.0, *, minutes: float = 60, issued_s: float = 0) -> Override:
    issued_at = NOW + timedelta(seconds=issued_s)
    return Override(NOW + timedelta(minutes=minutes), 1000 + minutes * 60, uuid4(), issued_at, level=level)


def maintenance(*, minutes: float = 60, issued_s: float = 0) -> Maintenance:
    issued_at = NOW + timedelta(seconds=issued_s)
    return Maintenance(NOW + timedelta(minutes=minutes), 1000 + minutes * 60, uuid4(), issued_at)


def test_an_override_comes_before_everything_and_due_is_told_beside_it() -> None:
    wish = override(0.0)
    decision = decide(Evidence(override=wish, dark=True, sun=NIGHT))
    assert decision == Decision(0.0, "override", True, 0.0, wish.until_utc)


def test_the_photocell_comes_before_the_sun_around_dusk_and_by_day() -> None:
    assert decide(Evidence(dark=True, sun=DAY)) == Decision(1.0, "photocell", True)
    assert decide(Evidence(dark=False, sun=DUSK)) == Decision(0.0, "photocell", False)


def test_a_photocell_that_says_light_at_night_is_not_believed() -> None:
    assert decide(Evidence(dark=False, sensor_proven=True, sun=NIGHT)) == Decision(1.0, "sun", True)


def test_without_a_clock_a_photocell_puts_the_lamp_out_only_once_it_has_said_both_words() -> None:
    assert decide(Evidence(dark=False)) == Decision(1.0, "fail_lit", None)
    assert decide(Evidence(dark=False, sensor_proven=True)) == Decision(0.0, "photocell", False)
    assert decide(Evidence(dark=True)) == Decision(1.0, "photocell", True)


def test_the_sun_decides_without_a_photocell() -> None:
    assert decide(Evidence(sun=NIGHT)) == Decision(1.0, "sun", True)
    assert decide(Evidence(sun=DAY)) == Decision(0.0, "sun", False)


def test_with_nothing_to_go_by_the_road_is_lit_in_full() -> None:
    assert decide(Evidence(profile=0.3)) == Decision(1.0, "fail_lit", None)


def test_the_profile_dims_a_due_lamp_and_motion_raises_it() -> None:
    assert decide(Evidence(sun=NIGHT, profile=0.4)) == Decision(0.4, "dimming", True)
    assert decide(Evidence(sun=NIGHT, profile=0.4, raised_to=0.9)) == Decision(0.9, "motion", True)
    assert decide(Evidence(sun=NIGHT, profile=0.9, raised_to=0.4)) == Decision(0.9, "dimming", True)
    assert decide(Evidence(sun=DAY, profile=0.4, raised_to=0.9)).level == 0.0, "nobody needs light by day"


def test_in_maintenance_the_lamp_is_lit_by_day() -> None:
    assert decide(Evidence(maintenance=maintenance(), sun=DAY)) == Decision(1.0, "maintenance", False)


def test_of_override_and_maintenance_the_newer_wish_counts() -> None:
    out = override(0.0, issued_s=10)
    assert decide(Evidence(override=out, maintenance=maintenance(), sun=NIGHT)).reason == "override"
    later = decide(Evidence(override=out, maintenance=maintenance(issued_s=20), sun=NIGHT))
    assert (later.level, later.reason, later.commanded_level) == (1.0, "maintenance", 0.0)


suns = st.sampled_from([None, DAY, DUSK, NIGHT])
levels = st.floats(0, 1)


@given(
    level=st.none() | levels,
    dark=st.none() | st.booleans(),
    proven=st.booleans(),
    sun=suns,
    works=st.booleans(),
    raised=st.none() | levels,
)
def test_a_lamp_is_put_out_only_by_a_reason(
    level: float | None,
    dark: bool | None,
    proven: bool,
    sun: SunWord | None,
    works: bool,
    raised: float | None,
) -> None:
    wish = None if level is None else override(level)
    decision = decide(
        Evidence(
            override=wish,
            maintenance=maintenance(issued_s=1) if works else None,
            dark=dark,
            sensor_proven=proven,
            sun=sun,
            raised_to=raised,
        )
    )
    assert (decision.commanded_level is None) == (wish is None)
    if decision.level == 0:
        believed_light = dark is False and (proven or (sun is not None and sun is not NIGHT))
        by_the_sun = dark is None and sun is DAY
        assert (wish is not None and not works) or believed_light or by_the_sun
    if sun is NIGHT and wish is None:
        assert decision.level == 1.0


@pytest.mark.parametrize("synced", [True, False])
def test_a_wish_ends_at_its_time(synced: bool) -> None:
    wish = override(minutes=60)
    just_before = NOW + timedelta(minutes=59, seconds=59)
    assert wish.stands(now=just_before, monotonic_s=4599, clock_synced=synced)
    assert not wish.stands(now=NOW + timedelta(minutes=60), monotonic_s=4600, clock_synced=synced)


def test_a_wish_ends_even_when_the_wall_clock_falls_back() -> None:
    for wish in (override(minutes=60), maintenance(minutes=60)):
        assert not wish.stands(now=NOW - timedelta(days=3), monotonic_s=4600, clock_synced=True)


def test_a_wall_clock_that_is_not_believed_ends_no_wish() -> None:
    wish = override(minutes=60)
    assert wish.stands(now=NOW + timedelta(days=300), monotonic_s=1001, clock_synced=False)
    assert not wish.stands(now=NOW + timedelta(days=300), monotonic_s=1001, clock_synced=True)


REST = RestRules(min_on_s=20, min_off_s=5)


def switched(*wanted: tuple[float, float]) -> list[tuple[float, str]]:
    """What is driven, and why, for wishes of (second, level)."""
    state = Switching()
    driven: list[tuple[float, str]] = []
    for monotonic_s, level in wanted:
        state, decision = let_rest(state, Decision(level, "override"), monotonic_s=monotonic_s, rules=REST)
        driven.append((decision.level, decision.reason))
    return driven


def test_the_first_decision_and_the_first_switch_are_free() -> None:
    assert switched((0, 1.0), (1, 0.0)) == [(1.0, "override"), (0.0, "override")]


def test_after_a_switch_the_contactor_rests() -> None:
    held = (0.0, "contactor_rest")
    assert switched((0, 1), (1, 0), (2, 1), (5.9, 1), (6, 1)) == [
        (1, "override"),
        (0, "override"),
        held,
        held,
        (1, "override"),
    ], "light for darkness waits min_off_s at most"
    assert [level for level, _ in switched((0, 0), (1, 1), (2, 0), (20, 0), (21, 0))] == [0, 1, 1, 1, 0]


def test_dimming_is_no_switching() -> None:
    assert [level for level, _ in switched((0, 0), (1, 1.0), (2, 0.5), (3, 0.7), (4, 0))] == [
        0,
        1,
        0.5,
        0.7,
        0.7,
    ]


@given(st.lists(st.tuples(st.floats(0.1, 30), st.sampled_from([0.0, 0.4, 1.0])), max_size=60))
def test_no_quarrel_of_wishes_switches_faster_than_the_contactor_may(
    steps: list[tuple[float, float]],
) -> None:
    state, now_s, lit, turned_at_s = Switching(), 0.0, None, None
    for passed_s, level in steps:
        now_s += passed_s
        state, decision = let_rest(state, Decision(level, "override"), monotonic_s=now_s, rules=REST)
        is_lit = decision.level > 0
        if lit is not None and is_lit != lit:
            if turned_at_s is not None:
                assert now_s - turned_at_s >= (REST.min_on_s if lit else REST.min_off_s)
            turned_at_s = now_s
        lit = is_lit
        if level > 0 and not is_lit:
            assert turned_at_s is not None
            assert now_s - turned_at_s < REST.min_off_s


def test_motion_holds_for_a_while_and_a_stuck_sensor_does_not() -> None:
    track = MotionTrack()
    assert not motion_holds(track, monotonic_s=0, hold_s=120)
    track = follow_motion(track, True, monotonic_s=10, stuck_after_s=3600)
    track = follow_motion(track, False, monotonic_s=11, stuck_after_s=3600)
    assert motion_holds(track, monotonic_s=129, hold_s=120)
    assert not motion_holds(track, monotonic_s=130, hold_s=120)
    track = follow_motion(track, None, monotonic_s=200, stuck_after_s=3600)
    for second in (300, 3899, 3900, 9000):
        track = follow_motion(track, True, monotonic_s=second, stuck_after_s=3600)
    assert not motion_holds(track, monotonic_s=9000, hold_s=120)
