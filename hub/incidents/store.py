"""Incidents, their history and their watches into SQL, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import Connection, Executable, bindparam, delete, func, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.bulk import BulkWriter, Value, utc_text
from hub.incidents.model import HUB_BLIND, Key
from hub.incidents.standing import Outcome, Step
from hub.incidents.tables import incident, incident_change, incident_watch

_WATCHES = BulkWriter(
    incident_watch,
    ("originator", "kind", "bad_since", "good_since", "by_word"),
    key=("originator", "kind"),
)
_CHANGES = BulkWriter(incident_change, ("incident_id", "at", "change", "by", "note", "detail", "revision"))
_ROWS_PER_STATEMENT = 200
_SIGNS_APART = timedelta(seconds=10)
"""A hub's last sign of life may be this much older than the end of a blindness it still wrote."""

_JSON = msgspec.json.Encoder()


def write(conn: Connection, outcome: Outcome, revision: int) -> None:
    """Write what a watcher's `take` returned."""
    history: list[Sequence[Value]] = []
    for way, steps in groupby(outcome.changes, key=_way):
        if way == "open":
            _open(conn, list(steps), revision, history)
        elif way == "close":
            _close(conn, list(steps), revision, history)
        else:
            for step in steps:
                _change(conn, step, revision, history)
    _CHANGES.write(conn, history)
    _link(conn, outcome.parents, revision)
    _write_watches(conn, outcome)


def _way(step: Step) -> str:
    """Openings and endings come by thousands when a backhaul goes and returns; the rest, singly."""
    if step.standing is not None:
        return "open"
    return "close" if step.change == "closed" else "change"


def _open(conn: Connection, steps: Sequence[Step], revision: int, history: list[Sequence[Value]]) -> None:
    """Rows for what opened, and for what is kept after the fact; one that is open already gets none."""
    opening = [
        step for step in steps if "closed_at" not in step.columns and not _is_known_blind(conn, step)
    ]
    ids: dict[Key, int] = {}
    for start in range(0, len(opening), _ROWS_PER_STATEMENT):
        rows = [_row(step, revision) for step in opening[start : start + _ROWS_PER_STATEMENT]]
        for found, originator, kind in conn.execute(_opening(conn), rows):
            ids[Key(originator, kind)] = found
    for step in steps:
        if "closed_at" in step.columns:
            row = _row(step, revision)
            found = conn.execute(insert(incident).values(**row).returning(incident.c.id)).scalar_one()
            history.append(_history(found, step.at, "opened", _birth(step), revision))
            closed = step.columns["closed_evidence"]
            history.append(_history(found, step.columns["closed_at"], "closed", closed, revision))
        elif step.key in ids:
            history.append(_history(ids[step.key], step.at, step.change, _birth(step), revision))


def _is_known_blind(conn: Connection, step: Step) -> bool:
    """Whether another worker has written, and closed, the time of blindness that this one noticed too.

    All of them notice it, each by its own clock's ticks; writers take turns, so the second sees the first's.
    """
    if step.key.kind != HUB_BLIND:
        return False
    assert step.standing is not None
    ended = conn.execute(
        select(func.max(incident.c.closed_at)).where(
            incident.c.originator == step.key.originator, incident.c.kind == HUB_BLIND
        )
    ).scalar()
    return ended is not None and (ended >= step.at or ended - step.standing.since > _SIGNS_APART)


def _birth(step: Step) -> Mapping[str, Any]:
    """What the history says of an opening: its row will change, and must not hide that it was born quiet."""
    standing = step.standing
    if standing is None or standing.quiet is None:
        return step.detail
    told = {**step.detail, "quiet_reason": standing.quiet}
    if standing.parent is not None:
        told |= {"parent": standing.parent.originator, "parent_kind": standing.parent.kind}
    return told


def _row(step: Step, revision: int) -> dict[str, Any]:
    standing = step.standing
    assert standing is not None
    subject = standing.subject
    return {
        "kind": step.key.kind,
        "originator_type": subject.type,
        "originator": step.key.originator,
        "pole": subject.pole,
        "opened_at": step.at,
        "opened_evidence": dict(step.detail),
        "revision": revision,
        "commune": subject.place.commune,
        "feeder": subject.place.feeder or None,
        "severity": standing.severity,
        "since_at": standing.since,
        "quiet_reason": standing.quiet,
        "notify_after": standing.notify_after,
        **step.columns,
    }


def _opening(conn: Connection) -> Executable:
    """One open incident per (originator, kind): a second opening is none, and returns no id."""
    dialect = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    return (
        dialect(incident)
        .on_conflict_do_nothing(
            index_elements=["originator", "kind"], index_where=incident.c.closed_at.is_(None)
        )
        .returning(incident.c.id, incident.c.originator, incident.c.kind)
    )


def _close(conn: Connection, steps: Sequence[Step], revision: int, history: list[Sequence[Value]]) -> None:
    """What a person's hand has closed already stays as it was closed."""
    ids = _open_ids(conn, (step.key for step in steps))
    rows = []
    for step in steps:
        incident_id = ids.pop(step.key, None)
        if incident_id is not None:
            rows.append(
                {
                    "closing": incident_id,
                    "closed_at": step.at,
                    "closed_evidence": dict(step.detail),
                    "closed_how": "measured",
                    "closed_by": "",
                    "revision": revision,
                }
            )
            history.append(_history(incident_id, step.at, step.change, step.detail, revision))
    if rows:
        conn.execute(update(incident).where(incident.c.id == bindparam("closing")), rows)


def _change(conn: Connection, step: Step, revision: int, history: list[Sequence[Value]]) -> None:
    values: dict[str, Any] = {**step.columns, "revision": revision}
    found = _find(conn, step)
    if found is None:
        return
    incident_id, opened, closed = found
    if step.merge is not None:
        column, before = ("opened_evidence", opened) if closed is None else ("closed_evidence", closed)
        values[column] = {**before, **step.merge}
    conn.execute(update(incident).where(incident.c.id == incident_id).values(**values))
    history.append(_history(incident_id, step.at, step.change, step.detail, revision))


def _find(conn: Connection, step: Step) -> tuple[int, Mapping[str, Any], Mapping[str, Any] | None] | None:
    query = select(incident.c.id, incident.c.opened_evidence, incident.c.closed_evidence).where(
        incident.c.originator == step.key.originator, incident.c.kind == step.key.kind
    )
    if step.opened_at is None:
        query = query.where(incident.c.closed_at.is_(None))
    else:
        query = query.where(incident.c.opened_at == step.opened_at).order_by(incident.c.id.desc())
    row = conn.execute(query.limit(1)).one_or_none()
    return None if row is None else (row[0], row[1], row[2])


def _link(conn: Connection, parents: Mapping[Key, Key | None], revision: int) -> None:
    """Children are told their parents' ids once all of a transaction's incidents have one."""
    if not parents:
        return
    wanted = {*parents, *(parent for parent in parents.values() if parent is not None)}
    ids = _open_ids(conn, wanted)
    by_parent: dict[int | None, list[int]] = {}
    for child, parent in parents.items():
        if child in ids:
            by_parent.setdefault(ids.get(parent) if parent is not None else None, []).append(ids[child])
    for parent_id, children in by_parent.items():
        for start in range(0, len(children), _ROWS_PER_STATEMENT):
            some = children[start : start + _ROWS_PER_STATEMENT]
            conn.execute(
                update(incident)
                .where(incident.c.id.in_(some))
                .values(parent_id=parent_id, revision=revision)
            )


def _open_ids(conn: Connection, keys: Iterable[Key]) -> dict[Key, int]:
    wanted, found = list(keys), dict[Key, int]()
    for start in range(0, len(wanted), _ROWS_PER_STATEMENT):
        some = wanted[start : start + _ROWS_PER_STATEMENT]
        query = select(incident.c.id, incident.c.originator, incident.c.kind).where(
            incident.c.closed_at.is_(None), tuple_(incident.c.originator, incident.c.kind).in_(some)
        )
        found |= {
            Key(originator, kind): incident_id for incident_id, originator, kind in conn.execute(query)
        }
    return found


def _write_watches(conn: Connection, outcome: Outcome) -> None:
    kept: list[Sequence[Value]] = [
        (
            key.originator,
            key.kind,
            utc_text(watch.bad_since) if watch.bad_since else None,
            utc_text(watch.good_since) if watch.good_since else None,
            watch.by_word,
        )
        for key, watch in outcome.watches.items()
        if watch is not None
    ]
    _WATCHES.write(conn, kept)
    gone = [key for key, watch in outcome.watches.items() if watch is None]
    for start in range(0, len(gone), _ROWS_PER_STATEMENT):
        some = gone[start : start + _ROWS_PER_STATEMENT]
        conn.execute(
            delete(incident_watch).where(
                tuple_(incident_watch.c.originator, incident_watch.c.kind).in_(some)
            )
        )


def _history(
    incident_id: int, at: datetime, change: str, detail: Mapping[str, Any], revision: int
) -> Sequence[Value]:
    return (incident_id, utc_text(at), change, "", "", _JSON.encode(dict(detail)).decode(), revision)


def note_change(
    conn: Connection,
    incident_id: int,
    at: datetime,
    change: str,
    *,
    revision: int,
    by: str = "",
    note: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Keep one step of an incident's history; `by` is empty where the hub itself took it."""
    conn.execute(
        insert(incident_change).values(
            incident_id=incident_id,
            at=at,
            change=change,
            by=by,
            note=note,
            detail=dict(detail or {}),
            revision=revision,
        )
    )
