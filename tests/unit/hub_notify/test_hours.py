"""Quiet hours and digest mornings, by Vietnam's clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.notify.hours import VIETNAM, after_quiet, digest_day, parse_time, spoken
from tests.support.notices import route


def at(hour: int, minute: int = 0, day: int = 2) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=VIETNAM).astimezone(UTC)


NIGHT = route(quiet_from=time(22, 0), quiet_until=time(6, 0))
NOON = route(quiet_from=time(11, 30), quiet_until=time(13, 30))


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        (at(21, 59), at(21, 59)),
        (at(22, 0), at(6, 0, day=3)),
        (at(23, 59), at(6, 0, day=3)),
        (at(0, 0), at(6, 0)),
        (at(5, 59), at(6, 0)),
        (at(6, 0), at(6, 0)),
    ],
)
def test_a_night_crosses_midnight(asked: datetime, due: datetime) -> None:
    assert after_quiet(NIGHT, asked) == due


def test_quiet_hours_at_noon_end_the_same_day() -> None:
    assert after_quiet(NOON, at(12, 0)) == at(13, 30)
    assert after_quiet(NOON, at(13, 30)) == at(13, 30)
    assert after_quiet(route(), at(3, 0)) == at(3, 0)


@given(st.times(), st.times(), st.integers(0, 525_600))
def test_nothing_is_held_longer_than_a_day_and_never_into_quiet_hours(
    start: time, end: time, minute: int
) -> None:
    start, end = start.replace(second=0, microsecond=0), end.replace(second=0, microsecond=0)
    night, asked = route(quiet_from=start, quiet_until=end), at(0) + timedelta(minutes=minute)
    due = after_quiet(night, asked)
    assert timedelta(0) <= due - asked < timedelta(days=1)
    assert after_quiet(night, due) == due


def test_a_digest_is_due_from_its_hour_on_for_half_a_day() -> None:
    morning = route(digest_at=time(7, 0), changed_at=at(0, 0, day=1))
    assert digest_day(morning, at(6, 59)) is None
    assert digest_day(morning, at(7, 0)) == date(2026, 3, 2)
    assert digest_day(morning, at(18, 59)) == date(2026, 3, 2)
    assert digest_day(morning, at(19, 0)) is None
    assert digest_day(route(), at(7, 0)) is None


def test_a_route_made_after_its_hour_begins_the_next_day() -> None:
    late = route(digest_at=time(7, 0), changed_at=at(8, 0))
    assert digest_day(late, at(9, 0)) is None
    assert digest_day(late, at(7, 0, day=3)) == date(2026, 3, 3)


def test_times_of_day_are_read_and_spoken_in_vietnam() -> None:
    assert parse_time("06:30") == time(6, 30)
    assert parse_time(None) is None
    with pytest.raises(ValueError, match="does not match"):
        parse_time("25:00")
    assert spoken(datetime(2026, 11, 21, 18, 30, tzinfo=UTC)) == "22/11/2026 01:30"
