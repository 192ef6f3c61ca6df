"""Days worked out by hand, second for second; and whatever a day holds, it adds up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.uptime.coverage.minutes import Minutes, from_text, joined, mark, no_minutes, to_text, with_more
from hub.uptime.coverage.states import SLOTS, State
from hub.uptime.daily.reckoning import Span, Sums, reckon, usual_gap
from tests.unit.hub_uptime.words import minute

SUN: Span = (minute("06:00"), minute("18:00"))
NIGHT_S = 12 * 3600


def day(*runs: tuple[str, str, State]) -> Minutes:
    made = no_minutes()
    for first, after, state in runs:
        mark(made, minute(first), minute(after) - 1, state)
    return made


WHOLE = (
    ("00:00", "06:00", State.LIT),
    ("06:00", "18:00", State.NOT_DUE),
    ("18:00", "24:00", State.LIT),
)


def test_a_good_day_is_lit_for_all_of_its_night() -> None:
    sums = reckon(day(*WHOLE), daylight=SUN)
    assert sums == Sums(due_s=NIGHT_S, up_s=NIGHT_S)
    assert sums.up_share == 1.0


def test_a_lamp_that_died_at_nine_in_the_evening() -> None:
    sums = reckon(day(*WHOLE, ("21:00", "24:00", State.DARK)), daylight=SUN)
    assert sums == Sums(due_s=NIGHT_S, up_s=9 * 3600, down_s=3 * 3600)
    assert sums.up_share == pytest.approx(0.75)


def test_a_node_that_was_off_is_unknown_while_due_and_nothing_by_day() -> None:
    known = day(
        ("00:00", "03:00", State.LIT), ("09:00", "18:00", State.NOT_DUE), ("18:00", "24:00", State.LIT)
    )
    sums = reckon(known, daylight=SUN)
    assert sums == Sums(due_s=NIGHT_S, up_s=9 * 3600, unknown_s=3 * 3600)
    assert sums.up_share == 1.0, "what nobody knows is neither up nor down"


def test_a_day_without_any_sample_is_unknown_for_its_night() -> None:
    sums = reckon(no_minutes(), daylight=SUN)
    assert sums == Sums(due_s=NIGHT_S, unknown_s=NIGHT_S)
    assert sums.up_share is None


def test_a_lost_sample_is_no_silence_and_three_minutes_of_it_are() -> None:
    lost = day(*WHOLE)
    lost[minute("20:00") : minute("20:02")] = bytes(2)
    assert reckon(lost, daylight=SUN) == Sums(due_s=NIGHT_S, up_s=NIGHT_S)
    lost[minute("20:02")] = 0
    assert reckon(lost, daylight=SUN) == Sums(due_s=NIGHT_S, up_s=NIGHT_S - 180, unknown_s=180)


def test_a_node_that_samples_every_ten_minutes_is_not_unknown_between() -> None:
    sparse = no_minutes()
    for slot in range(0, SLOTS, 10):
        sparse[slot] = State.NOT_DUE if SUN[0] <= slot < SUN[1] else State.LIT
    assert usual_gap(sparse) == 10
    assert reckon(sparse, daylight=SUN) == Sums(due_s=NIGHT_S, up_s=NIGHT_S)
    sparse[minute("20:10") : minute("20:40")] = bytes(30)
    assert reckon(sparse, daylight=SUN).unknown_s == 39 * 60


def test_a_few_samples_make_no_habit() -> None:
    few = no_minutes()
    for hour in (19, 20, 21, 22):
        few[hour * 60] = State.LIT
    assert reckon(few, daylight=SUN) == Sums(due_s=NIGHT_S, up_s=240, unknown_s=NIGHT_S - 240)


def test_maintenance_by_appointment_counts_neither_for_nor_against() -> None:
    dark = day(*WHOLE, ("20:00", "21:00", State.DARK))
    window = [(minute("19:30"), minute("21:30"))]
    assert reckon(dark, daylight=SUN, window=window) == Sums(
        due_s=NIGHT_S, up_s=NIGHT_S - 7200, maintenance_s=7200
    )


def test_maintenance_that_the_node_was_told_of_counts_alike() -> None:
    told = day(*WHOLE)
    told[minute("20:00") : minute("21:00")] = bytes([State.MAINTENANCE]) * 60
    assert reckon(told, daylight=SUN) == Sums(due_s=NIGHT_S, up_s=NIGHT_S - 3600, maintenance_s=3600)


def test_what_the_hub_did_not_hear_is_nobodys_downtime_unless_it_comes_later() -> None:
    blind = [(minute("20:00"), minute("22:00"))]
    unheard = day(*WHOLE)
    unheard[minute("19:00") : minute("23:00")] = bytes(240)
    assert reckon(unheard, daylight=SUN, blind=blind) == Sums(
        due_s=NIGHT_S, up_s=NIGHT_S - 4 * 3600, hub_blind_s=2 * 3600, unknown_s=2 * 3600
    )
    replayed = day(*WHOLE, ("21:00", "22:00", State.DARK))
    assert reckon(replayed, daylight=SUN, blind=blind) == Sums(
        due_s=NIGHT_S, up_s=NIGHT_S - 3600, down_s=3600
    )


def test_off_by_peoples_order_is_dark_and_told_apart() -> None:
    sums = reckon(day(*WHOLE, ("22:00", "23:00", State.ORDERED_OFF)), daylight=SUN)
    assert sums == Sums(due_s=NIGHT_S, up_s=NIGHT_S - 3600, down_s=3600, ordered_off_s=3600)


def test_the_sun_says_whether_a_lamp_is_due_when_its_node_cant() -> None:
    untold = day(
        ("00:00", "12:00", State.UNTOLD_LIT_SAID),
        ("12:00", "20:00", State.UNTOLD_DARK),
        ("20:00", "24:00", State.UNTOLD_LIT),
    )
    assert reckon(untold, daylight=SUN) == Sums(
        due_s=NIGHT_S, up_s=4 * 3600, up_said_s=6 * 3600, down_s=2 * 3600, burning_s=6 * 3600
    )


def test_what_the_node_says_of_due_outweighs_the_sun() -> None:
    storm = day(*WHOLE)
    storm[minute("16:00") : minute("18:00")] = bytes([State.LIT]) * 120
    assert reckon(storm, daylight=SUN).due_s == NIGHT_S + 7200


def test_a_lamp_that_burns_by_day_is_told_beside() -> None:
    assert reckon(day(*WHOLE, ("09:00", "11:00", State.BURNING)), daylight=SUN) == Sums(
        due_s=NIGHT_S, up_s=NIGHT_S, burning_s=7200
    )


def test_a_camera_is_due_around_the_clock() -> None:
    seen = day(("00:00", "10:00", State.HEALTHY), ("10:00", "12:00", State.FAULTY))
    assert reckon(seen, daylight=None) == Sums(due_s=86_400, up_s=36_000, down_s=7200, unknown_s=12 * 3600)


def test_a_day_that_is_not_over_ends_now_and_one_that_began_late_begins_then() -> None:
    begun = day(("19:00", "21:00", State.LIT))
    sums = reckon(begun, daylight=SUN, begin=minute("18:30"), end=minute("21:30"))
    assert sums == Sums(due_s=3 * 3600, up_s=2 * 3600, unknown_s=3600)


minutes = st.integers(0, SLOTS)
spans = st.lists(st.tuples(minutes, minutes).map(lambda two: (min(two), max(two))), max_size=3)
states = st.sampled_from([one for one in State if one < State.HEALTHY])
days = st.lists(st.tuples(st.integers(0, SLOTS - 1), st.integers(1, 400), states), max_size=12)


def _made(runs: list[tuple[int, int, State]]) -> Minutes:
    made = no_minutes()
    for first, length, state in runs:
        made[first : min(first + length, SLOTS)] = bytes([state]) * (min(first + length, SLOTS) - first)
    return made


@given(days, spans, spans, minutes, minutes)
def test_every_due_second_is_accounted_for_once(
    runs: list[tuple[int, int, State]], window: list[Span], blind: list[Span], begin: int, end: int
) -> None:
    sums = reckon(_made(runs), daylight=SUN, window=window, blind=blind, begin=begin, end=end)
    assert sums.adds_up
    assert sums.due_s + sums.burning_s <= max(0, end - begin) * 60
    assert sums.ordered_off_s <= sums.down_s


@given(days)
def test_a_days_text_reads_back_as_the_day(runs: list[tuple[int, int, State]]) -> None:
    made = _made(runs)
    assert from_text(to_text(made)) == made


@given(days, days, days)
def test_days_join_in_any_order_and_any_grouping(
    one: list[tuple[int, int, State]],
    two: list[tuple[int, int, State]],
    three: list[tuple[int, int, State]],
) -> None:
    a, b, c = _made(one), _made(two), _made(three)
    assert joined(joined(a, b), c) == joined(a, joined(c, b))
    assert joined(a, a) == a


@given(days, days)
def test_minutes_put_behind_a_text_are_the_two_days_in_one(
    one: list[tuple[int, int, State]], two: list[tuple[int, int, State]]
) -> None:
    a, b = _made(one), _made(two)
    assert with_more(to_text(a), b) == to_text(joined(a, b))


@given(days, st.integers(0, SLOTS))
def test_a_day_told_in_two_parts_reads_as_if_it_had_been_told_in_one(
    runs: list[tuple[int, int, State]], cut: int
) -> None:
    day = _made(runs)
    before, after = no_minutes(), no_minutes()
    before[:cut], after[cut:] = day[:cut], day[cut:]
    assert with_more(to_text(before), after) == to_text(day)


@pytest.mark.parametrize("text", ["L", "L5-2", "L0-1440", "Q1", "L1;DROP"])
def test_what_is_no_coverage_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not "):
        from_text(text)
