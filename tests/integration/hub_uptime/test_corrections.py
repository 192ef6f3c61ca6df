"""What comes late, is called off, moves or goes: days that were closed are reckoned again, and rightly."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from hub.incidents.tables import incident, maintenance_window
from hub.registry.importing import import_registry
from hub.revision import next_revision
from hub.uptime.coverage.keeper import KEEP_DAYS
from hub.uptime.daily.reckoning import Sums
from hub.uptime.model import Line
from hub.uptime.tables import coverage_day
from tests.integration.hub_uptime.commune import BEFORE, Commune, moment, nights
from tests.support.hub_world import pole_line, registry_csv
from tests.unit.hub_uptime.words import DAY, at, sample

HOUR = 3600
TENTH = date(2026, 3, 10)


def hour(hours: float, day: int = 10) -> float:
    return at("00:00", DAY + day - 1) + hours * HOUR


def deaf_from_nine_to_ten(day: int, minute: int) -> dict[str, Any] | None:
    return None if 21 * 60 <= minute < 22 * 60 else {}


@pytest.fixture
def commune(engine: Engine) -> Commune:
    """The 10th of March at TG-0001; the hub was deaf from 21:00 to 22:00. The day is closed."""
    made = Commune(engine)
    made.hear(nights(deaf_from_nine_to_ten, days=range(10, 11)))
    made.opens("hub_blind", hour(21), hour(22), originator="hub", pole=None, commune="")
    made.roll(hour(25))
    return made


def lamp(commune: Commune) -> Line:
    return commune.line("TG-0001", first=TENTH, last=TENTH)


def test_history_after_the_days_end_corrects_the_day_and_its_areas(commune: Commune) -> None:
    assert lamp(commune).sums == Sums(due_s=12 * HOUR, up_s=11 * HOUR, hub_blind_s=HOUR)
    before = commune.line("tram-than", "commune", first=TENTH, last=TENTH).sums
    late = [sample(hour(21) + 60 * n, power_w=0.0) for n in range(60)]
    commune.hear(late[::-1])
    commune.roll(hour(26))
    assert lamp(commune).sums == Sums(due_s=12 * HOUR, up_s=11 * HOUR, down_s=HOUR)
    after = commune.line("tram-than", "commune", first=TENTH, last=TENTH).sums
    assert (after.down_s - before.down_s, before.hub_blind_s - after.hub_blind_s) == (HOUR, HOUR)


def test_a_blind_time_that_ended_later_than_was_known_sets_more_aside(commune: Commune) -> None:
    commune.hear([])
    with commune.engine.begin() as conn:
        conn.execute(
            update(incident)
            .where(incident.c.kind == "hub_blind")
            .values(closed_at=moment(hour(21.5)), revision=next_revision(conn))
        )
    commune.roll(hour(26))
    assert lamp(commune).sums == Sums(
        due_s=12 * HOUR, up_s=11 * HOUR, hub_blind_s=HOUR // 2, unknown_s=HOUR // 2
    )


def test_a_window_that_is_made_afterwards_and_called_off_again(commune: Commune) -> None:
    commune.appoint("feeder", "F2", hour(19), hour(20))
    commune.roll(hour(26))
    assert lamp(commune).sums.maintenance_s == HOUR
    with commune.engine.begin() as conn:
        conn.execute(
            update(maintenance_window).values(cancelled_at=moment(hour(18)), revision=next_revision(conn))
        )
    commune.roll(hour(27))
    assert lamp(commune).sums == Sums(due_s=12 * HOUR, up_s=11 * HOUR, hub_blind_s=HOUR)


def test_a_pole_that_moves_takes_its_past_along(commune: Commune) -> None:
    with commune.engine.begin() as conn:
        rows = (pole_line(1, programme="Thắp sáng đường quê", hamlet="Khu 9"), pole_line(2), pole_line(3))
        assert import_registry(conn, registry_csv(*rows), now=moment(hour(26))).stored
    commune.roll(hour(26))
    programmes = {one.name: one.sums for one in commune.ask("programme", first=TENTH, last=TENTH).lines}
    assert programmes["Thắp sáng đường quê"] == lamp(commune).sums
    assert commune.line("Khu 9", "hamlet", first=TENTH, last=TENTH).sums == lamp(commune).sums
    assert programmes["Ngọn đèn an ninh"].up_s == 0


def test_a_day_that_goes_on_is_told_up_to_now(engine: Engine) -> None:
    made = Commune(engine)
    made.hear(nights(lambda _, minute: {} if minute < 20 * 60 else None, days=range(10, 11)))
    made.roll(hour(21))
    assert lamp(made).sums == Sums(due_s=9 * HOUR, up_s=8 * HOUR, unknown_s=HOUR)
    made.roll(hour(21.5))
    assert lamp(made).sums.unknown_s == HOUR, "silence is looked at once an hour"
    made.roll(hour(22.25))
    assert lamp(made).sums.unknown_s == 2.25 * HOUR


def test_a_hub_that_was_off_for_days_closes_them_all_when_it_is_back(engine: Engine) -> None:
    made = Commune(engine)
    made.roll(hour(12, 14))
    first, last = date(2026, 3, 1), date(2026, 3, 13)
    assert made.line("TG-0001", first=first, last=last).days == 13
    assert made.line("TG-0001", first=first, last=last).sums.known_s == 0


def test_what_is_older_than_its_pole_is_told_only_where_it_was_heard(engine: Engine) -> None:
    made = Commune(engine)
    made.hear([sample(BEFORE - 20 * HOUR + 60 * n, camera={}) for n in range(30)])
    made.roll(BEFORE + 24 * HOUR)
    earlier = date(2026, 2, 27)
    assert made.line("TG-0001", first=earlier, last=earlier).sums.up_s == 1800
    assert made.ask(first=date(2026, 2, 20), last=date(2026, 2, 26)).lines == ()


def test_coverage_goes_after_its_time_and_the_days_stay(commune: Commune) -> None:
    commune.roll(hour(1, 10 + KEEP_DAYS + 3))
    with commune.engine.connect() as conn:
        assert conn.execute(select(coverage_day.c.local_day)).scalars().all() == []
    assert lamp(commune).sums.up_s == 11 * HOUR
