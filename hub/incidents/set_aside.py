"""What uptime asks of incidents: when nobody is to blame, and how often lamps or cameras failed.

Times are aware UTC; nothing here is changed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Float, Select, cast, extract, func, literal, or_, select
from sqlalchemy import case as sql_case

from hub.incidents.tables import incident, maintenance_window

HUB_BLIND = "hub_blind"

Scope = Literal["hub", "commune", "hamlet", "feeder", "group", "pole", "node"]


@dataclass(frozen=True, slots=True)
class SetAside:
    """A time that counts for nobody, and where. `blind`: the hub was deaf; else maintenance by appointment."""

    blind: bool
    scope: Scope
    commune: str
    """Empty: everywhere."""
    name: str
    """Code or name within the scope."""
    starts_at: datetime
    ends_at: datetime | None
    """None: it goes on."""
    cancelled: bool = False
    """Called off before it began: it sets nothing aside, but what was reckoned with it is to be done again."""
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Failures:
    """Incidents that began in a time, and those that ended in it with how long they had lasted, seconds."""

    commune: str
    pole: str | None
    feeder: str | None
    originator: str
    began: int
    ended: int
    lasted_s: float


def set_aside(conn: Connection, since: datetime, until: datetime) -> list[SetAside]:
    """All that touches the time from `since` to `until`, without what was called off."""
    incidents = select(incident).where(
        incident.c.kind == HUB_BLIND,
        _begun() < until,
        or_(incident.c.closed_at.is_(None), incident.c.closed_at > since),
    )
    windows = select(maintenance_window).where(
        maintenance_window.c.starts_at < until, maintenance_window.c.ends_at > since
    )
    return [one for one in _read(conn, incidents, windows) if not one.cancelled]


def set_aside_after(conn: Connection, revision: int) -> list[SetAside]:
    """All that was made, changed, ended or called off after a revision."""
    incidents = select(incident).where(incident.c.kind == HUB_BLIND, incident.c.revision > revision)
    windows = select(maintenance_window).where(maintenance_window.c.revision > revision)
    return _read(conn, incidents, windows)


def failures(
    conn: Connection,
    since: datetime,
    until: datetime,
    *,
    kinds: Collection[str],
    commune: str | None = None,
    pole: str | None = None,
    by_pole: bool = True,
) -> list[Failures]:
    """Failures of these kinds that began or ended in the time, by where they were.

    Parts of a group (with a parent) are left out: one tripped feeder is one. Without `by_pole` only communes
    are told apart. An incident begins when its trouble did.
    """
    began, ended = _begun(), incident.c.closed_at
    places = [incident.c.commune, incident.c.pole, incident.c.feeder, incident.c.originator]
    shown = places if by_pole else places[:1]
    inside = [(moment >= since) & (moment < until) for moment in (began, ended)]
    query = (
        select(
            *shown,
            func.sum(sql_case((inside[0], 1), else_=0)),
            func.sum(sql_case((inside[1], 1), else_=0)),
            func.sum(sql_case((inside[1], _seconds(conn, ended) - _seconds(conn, began)), else_=0.0)),
        )
        .where(incident.c.kind.in_(kinds), incident.c.parent_id.is_(None), or_(*inside))
        .group_by(*shown)
    )
    if commune is not None:
        query = query.where(incident.c.commune == commune)
    if pole is not None:
        query = query.where(incident.c.pole == pole)
    if by_pole:
        return [Failures(*row[:4], int(row[4]), int(row[5]), float(row[6])) for row in conn.execute(query)]
    return [
        Failures(row[0], None, None, "", int(row[1]), int(row[2]), float(row[3]))
        for row in conn.execute(query)
    ]


def _begun() -> ColumnElement[datetime]:
    return func.coalesce(incident.c.since_at, incident.c.opened_at, type_=incident.c.opened_at.type)


def _seconds(conn: Connection, moment: ColumnElement[datetime]) -> ColumnElement[float]:
    if conn.dialect.name == "postgresql":
        return cast(extract("epoch", moment), Float)
    return func.unixepoch(moment, literal("subsec"))


def _read(conn: Connection, incidents: Select[Any], windows: Select[Any]) -> list[SetAside]:
    found = [
        SetAside(
            blind=True,
            scope="commune" if row.commune else "hub",
            commune=row.commune,
            name=row.commune,
            starts_at=row.since_at or row.opened_at,
            ends_at=row.closed_at,
            revision=row.revision,
        )
        for row in conn.execute(incidents)
    ]
    for row in conn.execute(windows):
        cut = row.cancelled_at
        found.append(
            SetAside(
                blind=False,
                scope=row.scope,
                commune=row.commune,
                name=row.name,
                starts_at=row.starts_at,
                ends_at=row.ends_at if cut is None or cut <= row.starts_at else min(cut, row.ends_at),
                cancelled=cut is not None and cut <= row.starts_at,
                revision=row.revision,
            )
        )
    return found
