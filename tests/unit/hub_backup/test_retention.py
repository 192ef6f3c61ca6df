"""Which backups stay, over a year of one every hour, and what they are built on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hub.backup.retention import Keep, kept

NOW = datetime(2026, 11, 28, 6, 30, tzinfo=UTC)


def name_of(at: datetime) -> str:
    return at.strftime("%Y%m%dT%H")


def year() -> tuple[dict[str, datetime], dict[str, list[str]]]:
    """One an hour for a year, a whole one each day at 03:00; every other adds to the one before it."""
    first = NOW.replace(hour=3, minute=0) - timedelta(days=365)
    times = [first + timedelta(hours=n) for n in range(365 * 24 + 4)]
    made_at = {name_of(at): at for at in times}
    bases = {name_of(at): [] if at.hour == 3 else [name_of(at - timedelta(hours=1))] for at in times}
    return made_at, bases


def test_a_year_comes_down_to_days_and_weeks() -> None:
    made_at, bases = year()
    stay = kept(made_at, bases, Keep(hours=48, days=14, weeks=8), NOW)
    recent = {name for name, at in made_at.items() if NOW - at <= timedelta(hours=48)}
    assert recent <= stay
    older = [name for name in stay - recent if not bases[name]]
    assert {made_at[name].date() for name in older} >= {
        (NOW - timedelta(days=n)).date() for n in range(3, 14)
    }
    assert min(made_at[name] for name in stay) >= NOW - timedelta(days=8 * 7 + 1)
    assert len(stay) < 48 + 24 + 14 + 8 + 2


def test_nothing_stays_without_what_it_is_built_on() -> None:
    made_at, bases = year()
    for keep in (Keep(1, 0, 0), Keep(48, 14, 8), Keep(5, 1, 52)):
        stay = kept(made_at, bases, keep, NOW)
        assert all(base in stay for name in stay for base in bases[name])


def test_the_newest_stays_however_old_it_is() -> None:
    old = {"a": NOW - timedelta(days=400), "b": NOW - timedelta(days=399)}
    assert kept(old, {}, Keep(1, 0, 0), NOW) == {"b"}


def test_pruning_twice_changes_nothing() -> None:
    made_at, bases = year()
    stay = kept(made_at, bases, Keep(), NOW)
    left = {name: made_at[name] for name in stay}
    assert kept(left, bases, Keep(), NOW) == stay
