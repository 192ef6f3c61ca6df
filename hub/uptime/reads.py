"""Uptime of poles and areas over any span of local days, summed in SQL over what the roller has reckoned.

Communes, programmes and provinces come from sums per commune, programme and day; everything within a commune
from its poles' days. Incidents are asked of their own room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, case, func, literal, select

from hub.uptime.areas import SPANNING, WIDE, day_number, inside, name_column
from hub.uptime.daily.reckoning import SUM_NAMES, Sums
from hub.uptime.failures import Tally, failures_by_line
from hub.uptime.model import Energy, Line, Question, Within
from hub.uptime.tables import uptime_area_day, uptime_day, uptime_place
from hub.uptime.tariffs import Tariff, cost_vnd, tariffs

Slice = tuple[date, date, Tariff]
"""From a day to another, both included, and the tariff in force."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The lines by commune and name, and all of them in one. A day that is not reckoned yet is not in it."""

    lines: tuple[Line, ...]
    total: Line


def uptime(conn: Connection, question: Question) -> Answer:
    """Answer from what is reckoned; areas and poles without a reckoned day in the time are not named."""
    slices = _slices(tariffs(conn), question)
    rows = conn.execute(_statement(question, slices)).all()
    by_line, whole = failures_by_line(conn, question)
    nothing = Tally()
    lines = tuple(_line(row, slices, by_line.get((row.commune, row.name), nothing)) for row in rows)
    return Answer(lines, _total(rows, slices, whole))


def last_days(conn: Connection, pole: str, *, today: date, days: int = 30) -> Line | None:
    """One lamp's last whole local days before `today`, in sum, without failures and cost.

    None where nothing was reckoned.
    """
    first, last = today - timedelta(days=days), today - timedelta(days=1)
    question = Question("lamp", "pole", first, last, (Within("pole", pole),))
    row = conn.execute(_statement(question, ())).one_or_none()
    return None if row is None else _line(row, (), Tally())


def _statement(question: Question, slices: Sequence[Slice]) -> Select[Any]:
    wide = question.level in WIDE and all(one.level in WIDE for one in question.of)
    places, days = (uptime_area_day, uptime_area_day) if wide else (uptime_place, uptime_day)
    at_pole = question.level == "pole"
    groups = [places.c[name_column(question.level)]]
    commune: ColumnElement[str] = literal("")
    if question.level not in SPANNING:
        commune = places.c.commune
        groups.append(places.c.commune)
    hamlet: ColumnElement[str] = literal("")
    if at_pole:
        hamlet = places.c.hamlet
        groups.append(places.c.hamlet)
    day, energy_wh = days.c.local_day, days.c.energy_wh
    summed = func.sum(days.c.days) if wide else func.count()
    metered = func.sum(days.c.metered_days) if wide else func.count(energy_wh)
    query = select(
        groups[0].label("name"),
        commune.label("commune"),
        hamlet.label("place"),
        *(func.sum(days.c[name]).label(name) for name in SUM_NAMES),
        summed.label("days"),
        metered.label("metered_days"),
        func.coalesce(func.sum(energy_wh), 0).label("energy_wh"),
        *(
            func.coalesce(
                func.sum(
                    case(((day >= day_number(first)) & (day <= day_number(last)), energy_wh), else_=0)
                ),
                0,
            ).label(f"slice_{number}")
            for number, (first, last, _) in enumerate(slices)
        ),
    ).where(
        places.c.kind == question.kind,
        day >= day_number(question.first_day),
        day <= day_number(question.last_day),
        *(inside(places, one) for one in question.of),
    )
    if not wide:
        query = query.join_from(uptime_place, uptime_day, uptime_day.c.place_id == uptime_place.c.id)
    return query.group_by(*groups).order_by(*reversed(groups[:2]))


def _slices(those: Sequence[Tariff], question: Question) -> list[Slice]:
    """The parts of the time with one tariff each; days before the first tariff are in none."""
    found = []
    for number, one in enumerate(those):
        after = those[number + 1].valid_from if number + 1 < len(those) else None
        first = max(one.valid_from, question.first_day)
        last = question.last_day if after is None else min(after - timedelta(days=1), question.last_day)
        if first <= last:
            found.append((first, last, one))
    return found


def _line(row: Row[Any], slices: Sequence[Slice], failed: Tally) -> Line:
    return Line(
        name=row.name,
        commune=row.commune,
        place=row.place,
        sums=Sums(*(int(getattr(row, name)) for name in SUM_NAMES)),
        days=int(row.days),
        metered_days=int(row.metered_days),
        failures=failed.began,
        repaired=failed.ended,
        repair_s=failed.lasted_s,
        energy=_energy([row], slices),
    )


def _total(rows: Sequence[Row[Any]], slices: Sequence[Slice], failed: Tally) -> Line:
    return Line(
        name="",
        commune="",
        place="",
        sums=Sums(*(sum(int(getattr(row, name)) for row in rows) for name in SUM_NAMES)),
        days=sum(int(row.days) for row in rows),
        metered_days=sum(int(row.metered_days) for row in rows),
        failures=failed.began,
        repaired=failed.ended,
        repair_s=failed.lasted_s,
        energy=_energy(rows, slices),
    )


def _energy(rows: Sequence[Row[Any]], slices: Sequence[Slice]) -> Energy:
    if not any(row.metered_days for row in rows):
        return Energy()
    energy_wh = sum(int(row.energy_wh) for row in rows)
    priced = [sum(int(getattr(row, f"slice_{number}")) for row in rows) for number in range(len(slices))]
    if not sum(priced):
        return Energy(energy_wh)
    net_vnd, gross_vnd = cost_vnd(priced, [one for _, _, one in slices])
    return Energy(energy_wh, net_vnd, gross_vnd, sum(priced) / energy_wh)
