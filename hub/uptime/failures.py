"""How often lamps or cameras failed within communes, and how long that lasted, summed in SQL.

One that touched several poles of a line counts once in it, and once in the total.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Select, case, func, literal, select

from hub.uptime.areas import SPANNING, day_number, inside, name_column
from hub.uptime.model import Question
from hub.uptime.tables import uptime_failure, uptime_place

LineKey = tuple[str, str]
"""(commune or empty, name), as the lines of an answer are called."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many began, how many ended, and how long those had lasted in all, seconds."""

    began: int = 0
    ended: int = 0
    lasted_s: float = 0.0


def failures_by_line(conn: Connection, question: Question) -> tuple[Mapping[LineKey, Tally], Tally]:
    """Per line of the answer, and over all of it; for any level, from what touched each pole or camera."""
    commune = literal("") if question.level in SPANNING else uptime_place.c.commune
    names = (commune.label("commune"), uptime_place.c[name_column(question.level)].label("name"))
    lines = {
        (row.commune, row.name): _tally(row.began, row.ended, row.lasted_s)
        for row in conn.execute(_statement(question, *names))
    }
    whole = conn.execute(_statement(question)).one()
    return lines, _tally(whole.began, whole.ended, whole.lasted_s)


def _statement(question: Question, *names: ColumnElement[str]) -> Select[tuple[object, ...]]:
    first, last = day_number(question.first_day), day_number(question.last_day)
    failed = uptime_failure.c
    touched = (
        select(failed.incident_id, failed.began_day, failed.ended_day, failed.lasted_s, *names)
        .join(uptime_place, uptime_place.c.id == failed.place_id)
        .where(
            uptime_place.c.kind == question.kind,
            *(inside(uptime_place.c, one) for one in question.of),
            failed.began_day.between(first, last) | failed.ended_day.between(first, last),
        )
        .distinct()
        .subquery()
    )
    groups = [touched.c[one.name] for one in names if one.name is not None]
    began = touched.c.began_day.between(first, last)
    ended = touched.c.ended_day.between(first, last)
    return select(
        *groups,
        func.count(case((began, 1))).label("began"),
        func.count(case((ended, 1))).label("ended"),
        func.sum(case((ended, touched.c.lasted_s), else_=0.0)).label("lasted_s"),
    ).group_by(*groups)


def _tally(began: int, ended: int, lasted_s: float | None) -> Tally:
    return Tally(int(began), int(ended), float(lasted_s or 0.0))
