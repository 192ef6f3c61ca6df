"""How areas and days are called in the tables of this capability."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import ColumnElement, Table

from hub.uptime.model import Level, Within

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


def inside(places: Table, within: Within) -> ColumnElement[bool]:
    """Whether a row of a table with the areas' columns lies in the area."""
    here = places.c[COLUMN[within.level]] == within.name
    if within.commune and within.level not in SPANNING:
        return here & (places.c.commune == within.commune)
    return here
