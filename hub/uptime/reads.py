"""Uptime of poles and areas over any span of local days, summed in SQL over what the roller has reckoned.

Communes, programmes and provinces come from sums per commune, programme and month, and by day where a month is
not whole; everything within a commune from its poles' days.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, case, func, literal, select, union_all

from hub.uptime.areas import SPANNING, WIDE, Columns, day_number, inside, month_start, name_column
from hub.uptime.daily.adding import FAILURE_NAMES, ONCE_NAMES
from hub.uptime.daily.reckoning import SUM_NAMES, Sums
from hub.uptime.failures import Tally, failures_by_line
from hub.uptime.model import Energy, Line, Question, Within
from hub.uptime.tables import uptime_area_day, uptime_area_month, uptime_day, uptime_place
from hub.uptime.tariffs import Tariff, cost_vnd, tariffs

_AREA_NAMES = ("kind", "province", "commune", "programme", "local_day")

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
    if _is_wide(question):
        rows = conn.execute(_over_areas(question, slices)).all()
        in_programme = any(one.level == "programme" for one in question.of)
        each = in_programme or question.level == "programme"
        lines = tuple(_line(row, slices, _told([row], each=each)) for row in rows if row.days)
        return Answer(lines, _total(rows, slices, _told(rows, each=in_programme)))
    rows = conn.execute(_over_poles(question, slices)).all()
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
    row = conn.execute(_over_poles(question, ())).one_or_none()
    return None if row is None else _line(row, (), Tally())


def _is_wide(question: Question) -> bool:
    return question.level in WIDE and all(one.level in WIDE for one in question.of)


def _over_areas(question: Question, slices: Sequence[Slice]) -> Select[Any]:
    months, spans = _whole_months(question, [first for first, _, _ in slices])
    names = (*_AREA_NAMES, *SUM_NAMES, "energy_wh", "days", "metered_days", *FAILURE_NAMES, *ONCE_NAMES)
    by_month, by_day = uptime_area_month.c, uptime_area_day.c
    parts = (
        select(*(by_month[name] for name in names)).where(by_month.local_day.in_(months)),
        *(
            select(*(by_day[name] for name in names)).where(by_day.local_day.between(first, last))
            for first, last in spans
        ),
    )
    told = union_all(
        *(
            part.where(
                part.selected_columns.kind == question.kind,
                *(inside(part.selected_columns, one) for one in question.of),
            )
            for part in parts
        )
    ).subquery()
    groups = [told.c[name_column(question.level)]]
    if question.level not in SPANNING:
        groups.append(told.c.commune)
    return (
        select(
            groups[0].label("name"),
            (told.c.commune if question.level not in SPANNING else literal("")).label("commune"),
            literal("").label("place"),
            *_summed(told.c),
            func.sum(told.c.days).label("days"),
            func.sum(told.c.metered_days).label("metered_days"),
            *_energies(told.c.local_day, told.c.energy_wh, slices),
            *(func.sum(told.c[name]).label(name) for name in (*FAILURE_NAMES, *ONCE_NAMES)),
        )
        .group_by(*groups)
        .order_by(*reversed(groups))
    )


def _over_poles(question: Question, slices: Sequence[Slice]) -> Select[Any]:
    places, days = uptime_place.c, uptime_day.c
    groups = [places[name_column(question.level)]]
    commune: ColumnElement[str] = literal("")
    if question.level not in SPANNING:
        commune = places.commune
        groups.append(commune)
    hamlet: ColumnElement[str] = literal("")
    order = list(reversed(groups))
    if question.level == "pole":
        hamlet = places.hamlet
        groups.append(hamlet)
    return (
        select(
            groups[0].label("name"),
            commune.label("commune"),
            hamlet.label("place"),
            *_summed(days),
            func.count().label("days"),
            func.count(days.energy_wh).label("metered_days"),
            *_energies(days.local_day, days.energy_wh, slices),
        )
        .join_from(uptime_place, uptime_day, days.place_id == places.id)
        .where(
            places.kind == question.kind,
            days.local_day.between(day_number(question.first_day), day_number(question.last_day)),
            *(inside(places, one) for one in question.of),
        )
        .group_by(*groups)
        .order_by(*order)
    )


def _summed(days: Columns) -> Iterator[ColumnElement[Any]]:
    return (func.sum(days[name]).label(name) for name in SUM_NAMES)


def _energies(
    day: ColumnElement[int], energy_wh: ColumnElement[int], slices: Sequence[Slice]
) -> Iterator[ColumnElement[Any]]:
    """All of it, and what is in each slice."""
    yield func.coalesce(func.sum(energy_wh), 0).label("energy_wh")
    for number, (first, last, _) in enumerate(slices):
        priced = case((day.between(day_number(first), day_number(last)), energy_wh), else_=0)
        yield func.coalesce(func.sum(priced), 0).label(f"slice_{number}")


def _whole_months(question: Question, cuts: Sequence[date]) -> tuple[list[int], list[tuple[int, int]]]:
    """The first days of months that are asked for as a whole, and the spans of days that remain.

    A month in which a price changes (a cut) is told by the day.
    """
    months: list[int] = []
    spans: list[tuple[int, int]] = []
    day = question.first_day
    while day <= question.last_day:
        start = month_start(day)
        after = month_start(start + timedelta(days=31))
        end = min(after - timedelta(days=1), question.last_day)
        is_whole = day == start and end + timedelta(days=1) == after
        if is_whole and not any(start < cut <= end for cut in cuts):
            months.append(day_number(day))
        else:
            spans.append((day_number(day), day_number(end)))
        day = after
    return months, spans


def _told(rows: Sequence[Row[Any]], *, each: bool) -> Tally:
    """What failed in all of the rows: once for each programme that was touched, or once."""
    began, ended, lasted_s = FAILURE_NAMES if each else ONCE_NAMES
    return Tally(
        sum(int(getattr(row, began)) for row in rows),
        sum(int(getattr(row, ended)) for row in rows),
        sum(float(getattr(row, lasted_s)) for row in rows),
    )


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
