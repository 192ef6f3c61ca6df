"""Sums of areas over whole months and parts of them, and failures that touch more than one programme."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine, func, select, update

from hub.incidents.tables import incident
from hub.registry.importing import import_registry
from hub.revision import next_revision
from hub.uptime.daily.reckoning import SUM_NAMES, Sums
from hub.uptime.model import Level, Within
from hub.uptime.tables import uptime_area_day, uptime_area_month
from hub.uptime.tariffs import checked, put
from tests.integration.hub_uptime.commune import BEFORE, Commune, moment
from tests.support.hub_world import pole_line, registry_csv
from tests.unit.hub_uptime.words import DAY, at, sample

HOUR = 3600
WIDE: tuple[Level, ...] = ("province", "programme", "commune")
ALL: tuple[Level, ...] = (*WIDE, "pole")
SECURITY, ROADS = "Ngọn đèn an ninh", "Thắp sáng đường quê"
FEBRUARY, NOW = date(2026, 2, 28), date(2026, 4, 14)
MARCH = (date(2026, 3, 1), date(2026, 3, 31))


def evening(day: int, hours: float = 20.0) -> float:
    """A moment so many hours after the begin of the day of March."""
    return at("00:00", DAY + day - 1) + hours * HOUR


@pytest.fixture
def commune(engine: Engine) -> Commune:
    """TG-0001 and TG-0003 hang on F2 but belong to two programmes; four evenings were lit."""
    made = Commune(engine)
    with engine.begin() as conn:
        rows = registry_csv(pole_line(1), pole_line(2), pole_line(3, programme=ROADS))
        assert import_registry(conn, rows, now=moment(BEFORE)).stored
    made.hear([sample(evening(day, 20 + n / 60)) for day in (1, 31, 32, 40) for n in range(60)])
    made.roll(evening(45))
    return made


def feeder_trips(commune: Commune) -> None:
    """From the last evening of March to an hour after midnight: it began in one month and ended in the next."""
    commune.opens("feeder_outage", evening(31, 22), evening(32, 1), originator="F2", pole=None, feeder="F2")
    commune.roll(evening(45))


def failed(
    commune: Commune, level: Level, *of: Within, days: tuple[date, date]
) -> dict[str, tuple[int, int]]:
    answer = commune.ask(level, *of, first=days[0], last=days[1])
    told = {one.name: (one.failures, one.repaired) for one in answer.lines}
    return {**told, "": (answer.total.failures, answer.total.repaired)}


def test_whole_months_and_their_parts_are_the_sum_of_the_poles_days(commune: Commune) -> None:
    for first, last in ((FEBRUARY, NOW), MARCH, (MARCH[0], NOW), (date(2026, 3, 2), date(2026, 4, 30))):
        poles = [one.sums for one in commune.ask(first=first, last=last).lines]
        by_hand = Sums(*(sum(getattr(one, name) for one in poles) for name in SUM_NAMES))
        for level in WIDE:
            assert commune.ask(level, first=first, last=last).total.sums == by_hand, (level, first, last)
    assert commune.ask("commune", first=MARCH[0], last=MARCH[1]).total.sums.up_s == 2 * HOUR


def test_months_hold_what_their_days_hold_after_a_correction(commune: Commune) -> None:
    commune.hear([sample(evening(40, 21 + n / 60), power_w=0.0) for n in range(60)])
    commune.roll(evening(45, 21))
    with commune.engine.connect() as conn:
        days, months = (
            conn.execute(
                select(*(func.sum(table.c[name]) for name in (*SUM_NAMES, "days", "metered_days")))
            ).one()
            for table in (uptime_area_day, uptime_area_month)
        )
    assert tuple(days) == tuple(months)
    april = commune.line("tram-than", "commune", first=date(2026, 4, 1), last=date(2026, 4, 30))
    assert (april.sums.up_s, april.sums.down_s) == (2 * HOUR, HOUR)


def test_energy_of_a_month_in_which_the_price_changes_is_priced_by_the_day(commune: Commune) -> None:
    words = ((2, 1000.0), (3, 2000.0), (20, 5000.0))
    commune.hear([sample(evening(day, 23), energy_wh=wh) for day, wh in words])
    with commune.engine.begin() as conn:
        for since, price in (("2026-01-01", "1000"), ("2026-03-15", "3000")):
            put(conn, checked(date.fromisoformat(since), price, "0", "hóa đơn"), by="a", now=commune.now)
    commune.roll(evening(45, 21))
    for level in ALL:
        total = commune.ask(level, first=FEBRUARY, last=NOW).total
        assert total.energy.energy_wh == 1000, (
            "what is drawn over more than a whole day's silence is in no day"
        )
        assert total.energy.cost_vnd == 1000, level
    with commune.engine.begin() as conn:
        put(conn, checked(date(2026, 3, 3), "7000", "0", "hóa đơn"), by="a", now=commune.now)
    for level in ALL:
        assert commune.ask(level, first=MARCH[0], last=MARCH[1]).total.energy.cost_vnd == 7000, level


def test_one_that_touches_two_programmes_is_one_of_each_and_one_in_all(commune: Commune) -> None:
    feeder_trips(commune)
    both = (FEBRUARY, NOW)
    assert failed(commune, "programme", days=both) == {SECURITY: (1, 1), ROADS: (1, 1), "": (1, 1)}
    assert failed(commune, "commune", days=both) == {"tram-than": (1, 1), "": (1, 1)}
    assert failed(commune, "segment", days=both) == {"F1": (0, 0), "F2": (1, 1), "": (1, 1)}
    for name in (SECURITY, ROADS):
        within = Within("programme", name)
        assert failed(commune, "commune", within, days=both) == {"tram-than": (1, 1), "": (1, 1)}
        assert failed(commune, "province", within, days=both)[""] == (1, 1)
    assert commune.ask("province", first=FEBRUARY, last=NOW).total.mttr_s == 3 * HOUR


def test_it_counts_where_it_began_and_is_repaired_where_it_ended(commune: Commune) -> None:
    feeder_trips(commune)
    april = (date(2026, 4, 1), date(2026, 4, 30))
    for level in ALL:
        assert failed(commune, level, days=MARCH)[""] == (1, 0), level
        assert failed(commune, level, days=april)[""] == (0, 1), level
        assert commune.ask(level, first=april[0], last=april[1]).total.mttr_s == 3 * HOUR


def test_a_failure_whose_begin_is_corrected_or_that_is_explained_is_told_anew(commune: Commune) -> None:
    own = commune.opens("lamp_failure", evening(40), None)
    commune.roll(evening(45, 20.5))
    april, march = (date(2026, 4, 1), date(2026, 4, 30)), MARCH
    assert failed(commune, "province", days=april)[""] == failed(commune, "pole", days=april)[""] == (1, 0)
    _change(commune, own, since_at=moment(evening(30)), closed_at=moment(evening(41)))
    for level in ALL:
        assert failed(commune, level, days=march)[""] == (1, 0)
        assert failed(commune, level, days=april)[""] == (0, 1)
    _change(commune, own, parent_id=own)
    for level in ALL:
        assert failed(commune, level, days=(FEBRUARY, NOW))[""] == (0, 0), "its group is counted instead"


def test_failures_go_with_a_pole_that_moves(commune: Commune) -> None:
    commune.opens("lamp_failure", evening(40), evening(41))
    commune.roll(evening(45, 20.5))
    days = (FEBRUARY, NOW)
    assert failed(commune, "programme", days=days) == {SECURITY: (1, 1), ROADS: (0, 0), "": (1, 1)}
    with commune.engine.begin() as conn:
        rows = registry_csv(pole_line(1, programme=ROADS), pole_line(2), pole_line(3, programme=ROADS))
        assert import_registry(conn, rows, now=commune.now).stored
    commune.roll(evening(45, 21))
    assert failed(commune, "programme", days=days) == {SECURITY: (0, 0), ROADS: (1, 1), "": (1, 1)}


def _change(commune: Commune, incident_id: int, **values: object) -> None:
    with commune.engine.begin() as conn:
        conn.execute(
            update(incident)
            .where(incident.c.id == incident_id)
            .values(**values, revision=next_revision(conn))
        )
    commune.roll(commune.now.timestamp() + 60)


def test_several_communes_are_asked_for_at_once(commune: Commune) -> None:
    def found(*codes: str, level: Level = "commune") -> list[str]:
        several = Within("commune", "", among=codes)
        return [one.name for one in commune.ask(level, several, first=MARCH[0], last=NOW).lines]

    assert found("tu-vu", "tram-than") == ["tram-than"]
    assert found("tu-vu", "phu-khe") == []
    assert found("tu-vu", "tram-than", level="programme") == [SECURITY, ROADS]
    assert found("tu-vu", "tram-than", level="pole") == ["TG-0001", "TG-0002", "TG-0003"]
