"""A fortnight worked out by hand: every second of it, on both databases, through every level."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from hub.db import open_database
from hub.uptime.coverage.states import DAY_S
from hub.uptime.daily.reckoning import SUM_NAMES, Sums
from hub.uptime.model import Level, Within
from hub.uptime.reads import last_days
from hub.uptime.tables import uptime_area_day, uptime_day
from hub.uptime.tariffs import checked, put
from tests.integration.hub_uptime.commune import FIRST, LAST, Commune, moment, nights
from tests.support.hub_databases import BOTH
from tests.support.postgres import Postgres
from tests.unit.hub_uptime.words import DAY, at

HOUR = 3600
NIGHT_S = 12 * HOUR


def _between(minute: int, first_hour: int, after_hour: int) -> bool:
    return first_hour * 60 <= minute < after_hour * 60


def first_pole(day: int, minute: int) -> dict[str, Any] | None:
    """What went otherwise than well on TG-0001; the camera's part rides along."""
    words: dict[str, Any] = {"camera": {}}
    if day == 3 and _between(minute, 20, 22):
        words |= {"power_w": 0.2}
    if day == 4 and _between(minute, 0, 6):
        words |= {"camera": {"picture": "frozen"}}
    if (day == 5 and _between(minute, 19, 23)) or (day in (9, 10) and _between(minute, 21, 22)):
        return None
    if day == 12 and _between(minute, 23, 24):
        words |= {"level": 0.0, "power_w": 0.2, "reason": "override"}
    if day == 13 and _between(minute, 2, 3):
        words |= {"reason": "maintenance", "power_w": 0.0}
    if minute in (0, 1439):
        words |= {"energy_wh": 1000.0 + 480 * (day - 1) + (480 if minute else 0)}
    return words


def second_pole(day: int, minute: int) -> dict[str, Any]:
    burning = day == 2 and _between(minute, 10, 11)
    return {"power_w": None} | ({"level": 1.0} if burning else {})


def hour_of(day: int, hour: int) -> float:
    return at("00:00", DAY + day - 1) + hour * HOUR


@pytest.fixture(scope="module", params=BOTH)
def commune(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commune]:
    """The fortnight, heard and rolled once for all tests that only ask."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("fortnight") / "hub.db"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), path)
        url = f"sqlite:///{path}"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.new_database(request.getfixturevalue("migrated_postgres"))
    engine = open_database(url)
    yield _fortnight(engine)
    engine.dispose()


def _fortnight(engine: Engine) -> Commune:
    made = Commune(engine)
    made.appoint("hamlet", "Khu 2", hour_of(7, 18), hour_of(7, 20))
    made.appoint("pole", "TG-0001", hour_of(8, 18), hour_of(8, 20), cancelled_at=moment(hour_of(8, 12)))
    for day in (9, 10):
        made.opens("hub_blind", hour_of(day, 21), hour_of(day, 22), originator="hub", pole=None, commune="")
    made.opens("lamp_failure", hour_of(3, 20), hour_of(3, 22))
    outage = made.opens(
        "feeder_outage", hour_of(6, 1), hour_of(6, 2), originator="F2", pole=None, feeder="F2"
    )
    made.opens("supply_loss", hour_of(6, 1), hour_of(6, 2), parent_id=outage)
    with engine.begin() as conn:
        for since, price, vat in (("2026-01-01", "2000", "8"), ("2026-03-08", "2204,07", "10")):
            one = checked(date.fromisoformat(since), price, vat, "hóa đơn")
            put(conn, one, by="chi-lan", now=moment(hour_of(1, 0)))
    made.hear(nights(first_pole))
    made.hear(nights(second_pole, pole="TG-0002"))
    made.roll(hour_of(8, 9))
    made.roll(hour_of(15, 1))
    return made


def test_a_pole_is_reckoned_to_the_second(commune: Commune) -> None:
    line = commune.line("TG-0001")
    # Of 168 hours: dark on the 3rd (2) and by order on the 12th (1); maintenance on the 7th (2) and the 13th
    # (1); the hub deaf on the 9th and 10th (1 each); the node off on the 5th (4). The rest is lit.
    assert line.sums == Sums(
        due_s=168 * HOUR,
        up_s=156 * HOUR,
        down_s=3 * HOUR,
        ordered_off_s=HOUR,
        maintenance_s=3 * HOUR,
        hub_blind_s=2 * HOUR,
        unknown_s=4 * HOUR,
    )
    assert line.sums.up_share == pytest.approx(156 / 159)


def test_without_a_meter_the_nodes_word_is_told_apart(commune: Commune) -> None:
    sums = commune.line("TG-0002").sums
    assert sums == Sums(due_s=14 * NIGHT_S, up_said_s=14 * NIGHT_S, burning_s=HOUR)


def test_a_pole_that_never_spoke_is_unknown_by_the_sun(commune: Commune) -> None:
    sums = commune.line("TG-0003").sums
    assert sums.known_s == 0
    assert sums.hub_blind_s == 2 * HOUR
    assert sums.maintenance_s == pytest.approx(2 * HOUR, abs=300), "sunset is minutes about six"
    assert sums.due_s == pytest.approx(14 * (NIGHT_S + 16 * 60), abs=14 * 60), "early March has long nights"
    assert sums.adds_up


def test_a_camera_is_due_around_the_clock(commune: Commune) -> None:
    (line,) = commune.ask(kind="camera").lines
    assert line.name == "CAM-TG-01"
    assert line.sums == Sums(
        due_s=14 * DAY_S,
        up_s=14 * DAY_S - (6 + 4 + 2 + 3) * HOUR,
        down_s=6 * HOUR,
        maintenance_s=3 * HOUR,
        hub_blind_s=2 * HOUR,
        unknown_s=4 * HOUR,
    )


def test_energy_is_priced_by_the_day(commune: Commune) -> None:
    line = commune.line("TG-0001")
    assert line.metered_days == 14
    assert line.energy.energy_wh == 14 * 480
    # 3.36 kWh at 2,000 đ and 8 %, 3.36 kWh at 2,204.07 đ and 10 %
    assert (line.energy.cost_before_vat_vnd, line.energy.cost_vnd) == (14_126, 15_404)
    assert line.energy.priced_share == 1.0
    assert commune.line("TG-0002").energy.energy_wh is None
    early = commune.ask("commune", first=date(2025, 12, 1), last=date(2025, 12, 31))
    assert early.lines == ()
    assert early.total.energy.energy_wh is None


def test_failures_are_told_with_their_repair(commune: Commune) -> None:
    line = commune.line("TG-0001")
    assert (line.failures, line.repaired) == (2, 2), "its lamp, and the feeder it hangs on"
    assert line.mttr_s == 1.5 * HOUR
    assert line.mtbf_s == line.sums.up_s / 2
    assert commune.line("TG-0002").failures == 0
    assert commune.line("TG-0003").failures == 1
    whole = commune.ask().total
    assert (whole.failures, whole.mttr_s) == (2, 1.5 * HOUR), "one feeder outage is one"


@pytest.mark.parametrize("level", ["segment", "hamlet", "group", "programme", "commune", "province"])
def test_areas_are_the_sum_of_their_poles(commune: Commune, level: Level) -> None:
    poles = {one.name: one.sums for one in commune.ask().lines}
    answer = commune.ask(level)
    odd = ["TG-0001", "TG-0003"]
    parts = (
        {"F1": ["TG-0002"], "F2": odd}
        if level == "segment"
        else {"Khu 1": ["TG-0002"], "Khu 2": odd}
        if level == "hamlet"
        else {"Tổ tự quản 1": ["TG-0002"], "Tổ tự quản 2": odd}
        if level == "group"
        else {answer.lines[0].name: list(poles)}
    )
    assert {one.name: one.sums for one in answer.lines} == {
        name: _added([poles[code] for code in codes]) for name, codes in parts.items()
    }
    assert answer.total.sums == _added(list(poles.values()))
    assert answer.total.failures == 2


def _added(those: list[Sums]) -> Sums:
    return Sums(*(sum(getattr(one, name) for one in those) for name in SUM_NAMES))


def test_a_part_of_the_time_within_a_part_of_the_commune(commune: Commune) -> None:
    third = date(2026, 3, 3)
    answer = commune.ask("pole", Within("hamlet", "Khu 2", "tram-than"), first=third, last=third)
    assert [one.name for one in answer.lines] == ["TG-0001", "TG-0003"]
    assert answer.lines[0].sums == Sums(due_s=NIGHT_S, up_s=10 * HOUR, down_s=2 * HOUR)
    assert commune.ask("commune", Within("programme", "no such")).lines == ()


def test_every_row_adds_up_and_areas_hold_every_pole_day(commune: Commune) -> None:
    with commune.engine.connect() as conn:
        rows = [Sums(*row) for row in conn.execute(select(*(uptime_day.c[name] for name in SUM_NAMES)))]
        pole_days = conn.execute(select(func.sum(uptime_area_day.c.days))).scalar_one()
    assert len(rows) == pole_days
    assert len(rows) >= 4 * 14
    assert all(one.adds_up for one in rows)


def test_the_last_nights_of_a_pole_are_its_whole_days_before_today(commune: Commune) -> None:
    with commune.engine.connect() as conn:
        nights = last_days(conn, "TG-0001", today=date(2026, 3, 15), days=14)
        assert nights is not None
        assert nights.sums == commune.line("TG-0001").sums
        assert last_days(conn, "TG-0001", today=date(2026, 2, 1)) is None


def test_the_first_and_last_day_are_both_within(commune: Commune) -> None:
    days = [commune.line("TG-0001", first=day, last=day).sums for day in (FIRST, LAST)]
    assert days == [Sums(due_s=NIGHT_S, up_s=NIGHT_S)] * 2
