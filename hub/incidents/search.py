"""Incidents by what people ask for, in pages; and what hangs on one: its parts."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, literal, or_, select, tuple_

from hub.incidents.reads import PLACED, IncidentView, Severity, Status
from hub.incidents.tables import incident

_parent = incident.alias("parent")


class Position(NamedTuple):
    """Where a page ended: the sort key of its last row."""

    opened_at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for; None leaves a thing open. All of them must hold."""

    status: Status = "open"
    communes: Collection[str] | None = None
    kind: str | None = None
    severity: Severity | None = None
    poles: Collection[str] | None = None
    """With `nodes`: what concerns any of these poles or of these nodes."""
    nodes: Collection[str] = ()
    feeder: str | None = None
    group: str | None = None
    """The one it is assigned to; what is not assigned yet counts by `group_poles`."""
    group_poles: Collection[str] = ()
    acknowledged: bool | None = None
    quiet: bool | None = None
    start: datetime | None = None
    """Lasted at this moment or began after it."""
    end: datetime | None = None
    """Began before this moment."""
    folded: bool = False
    """Leave out what an open incident explains: its parts are found by `parts`."""


def search(
    conn: Connection, wanted: Wanted, *, after: Position | None = None, limit: int = 200
) -> list[IncidentView]:
    """The newest first, at most `limit`, behind the position of an earlier page."""
    query = _chosen(select(incident), wanted).order_by(incident.c.opened_at.desc(), incident.c.id.desc())
    if after is not None:
        query = query.where(tuple_(incident.c.opened_at, incident.c.id) < tuple_(*_typed(after)))
    return [IncidentView(*row) for row in conn.execute(query.limit(limit))]


def count(conn: Connection, wanted: Wanted) -> int:
    """How many there are."""
    query = _chosen(select(func.count()).select_from(incident), wanted)
    return int(conn.execute(query).scalar_one())


def count_open(conn: Connection, communes: Collection[str] | None) -> int:
    """How many are open; what another open one explains is not counted again."""
    return count(conn, Wanted(status="open", communes=communes, folded=True))


def open_by_commune(conn: Connection, communes: Collection[str] | None) -> dict[str, int]:
    """How many are open in each commune; what another open one explains is not counted again."""
    query = select(incident.c.commune, func.count()).select_from(incident).group_by(incident.c.commune)
    wanted = Wanted(status="open", communes=communes, folded=True)
    return {code: int(number) for code, number in conn.execute(_chosen(query, wanted))}


def kinds_seen(conn: Connection, communes: Collection[str] | None) -> list[str]:
    """The kinds that ever occurred, by name."""
    query = select(incident.c.kind).distinct().order_by(incident.c.kind)
    if communes is not None:
        query = query.where(incident.c.commune.in_(communes))
    return list(conn.execute(query).scalars())


def parts(conn: Connection, incident_id: int, *, limit: int = 500) -> list[IncidentView]:
    """The incidents that this one explains, by originator."""
    query = (
        select(incident)
        .where(incident.c.parent_id == incident_id)
        .order_by(incident.c.originator, incident.c.id)
        .limit(limit)
    )
    return [IncidentView(*row) for row in conn.execute(query)]


def part_counts(conn: Connection, incident_ids: Iterable[int]) -> dict[int, int]:
    """How many incidents each of these explains; those without any are absent."""
    query = (
        select(incident.c.parent_id, func.count())
        .where(incident.c.parent_id.in_(list(incident_ids)))
        .group_by(incident.c.parent_id)
    )
    return {parent: int(number) for parent, number in conn.execute(query)}


def _typed(after: Position) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """The bound values carry their columns' types: a plain datetime would be compared as another text."""
    return literal(after.opened_at, incident.c.opened_at.type), literal(after.id, incident.c.id.type)


def _chosen(query: Select[Any], wanted: Wanted) -> Select[Any]:
    column = incident.c
    if wanted.status != "all":
        is_open = column.closed_at.is_(None)
        query = query.where(is_open if wanted.status == "open" else ~is_open)
    if wanted.communes is not None:
        of_hub = and_(column.commune == "", column.originator_type.not_in(PLACED))
        query = query.where(or_(column.commune.in_(wanted.communes), of_hub))
    for name in ("kind", "severity", "feeder"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(column[name] == value)
    if wanted.poles is not None:
        of_node = and_(column.originator_type == "node", column.originator.in_(wanted.nodes))
        query = query.where(or_(column.pole.in_(wanted.poles), of_node))
    if wanted.group is not None:
        theirs = and_(column.assigned_group.is_(None), column.pole.in_(wanted.group_poles))
        query = query.where(or_(column.assigned_group == wanted.group, theirs))
    if wanted.acknowledged is not None:
        query = query.where(column.acknowledged_at.is_not(None) == wanted.acknowledged)
    if wanted.quiet is not None:
        query = query.where(column.quiet_reason.is_not(None) == wanted.quiet)
    if wanted.start is not None:
        query = query.where(or_(column.closed_at.is_(None), column.closed_at > wanted.start))
    if wanted.end is not None:
        query = query.where(column.opened_at < wanted.end)
    if wanted.folded:
        explained = exists().where(
            _parent.c.id == column.parent_id,
            or_(_parent.c.closed_at.is_(None), column.closed_at.is_not(None)),
        )
        query = query.where(~explained)
    return query
