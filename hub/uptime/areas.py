"""How areas and days are called in the tables of this capability."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnCollection, ColumnElement

from hub.uptime.model import Level, Within

Columns = ColumnCollection[str, Any]

_EPOCH = date(1970, 1, 1)

WIDE: frozenset[Level] = frozenset({"province", "commune", "programme"})
"""Levels for which sums per commune, programme and day are kept."""

SPANNING: frozenset[Level] = frozenset({"province", "programme"})
"""Levels whose areas are not within one commune."""

COLUMN: Mapping[Level, str] = {
    "pole": "pole",
    "segment": "feeder",
    "hamlet": "hamlet",
    "group": "resident_group",
    "programme": "programme",
    "commune": "commune",
    "province": "province",
}


def name_column(level: Level) -> str:
    """The column by which a level's lines are called: a camera has a name of its own on its pole."""
    return "code" if level == "pole" else COLUMN[level]


def day_number(on: date) -> int:
    """A local day as it stands in the tables."""
    return (on - _EPOCH).days


def day_of(number: int) -> date:
    """The local day that stands in the tables as `number`."""
    return _EPOCH + timedelta(days=number)


def month_start(day: date) -> date:
    """The first day of its month."""
    return day.replace(day=1)


def inside(places: Columns, within: Within) -> ColumnElement[bool]:
    """Whether a row of a table with the areas' columns lies in the area."""
    column: ColumnElement[str] = places[COLUMN[within.level]]
    here = column.in_(within.among) if within.among else column == within.name
    commune: ColumnElement[str] = places.commune
    return here & (commune == within.commune) if within.commune and within.level not in SPANNING else here
