"""Incidents, watches and rules in SQL, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Executable, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.bulk import BulkWriter, utc_text
from hub.incidents.model import COMMUNICATION_FAILURE, DEFAULT_RULES, Change, Rule, Watch
from hub.incidents.tables import incident, incident_change, incident_rule, incident_watch
from hub.incidents.watcher import IncidentChange, Key, Outcome, Watcher

_WATCHES = BulkWriter(
    incident_watch, ("originator", "kind", "bad_since", "good_since"), key=("originator", "kind")
)


def load_rules(conn: Connection) -> Mapping[str, Rule]:
    """The thresholds in force: the table's rows, and the defaults for kinds it does not have."""
    rows = conn.execute(select(incident_rule).where(incident_rule.c.commune == ""))
    found = {row.kind: Rule(row.kind, row.hold_off_s, row.clear_after_s, dict(row.params)) for row in rows}
    merged = dict(DEFAULT_RULES)
    for kind, rule in found.items():
        defaults = DEFAULT_RULES[kind].params if kind in DEFAULT_RULES else {}
        merged[kind] = Rule(kind, rule.hold_off_s, rule.clear_after_s, {**defaults, **rule.params})
    return merged


def load_watcher(conn: Connection) -> Watcher:
    """A watcher that knows what is open and pending.

    A node's silence is not carried over as pending: a hub that was away has nothing to judge it by.
    """
    watches = {
        Key(row.originator, row.kind): Watch(bad_since=row.bad_since, good_since=row.good_since)
        for row in conn.execute(select(incident_watch))
        if row.kind != COMMUNICATION_FAILURE
    }
    query = select(incident.c.originator, incident.c.kind, incident.c.opened_at).where(
        incident.c.closed_at.is_(None)
    )
    for row in conn.execute(query):
        key = Key(row.originator, row.kind)
        known = watches.get(key, Watch(bad_since=row.opened_at))
        watches[key] = Watch(is_open=True, bad_since=known.bad_since, good_since=known.good_since)
    return Watcher(load_rules(conn), watches)


def write(conn: Connection, outcome: Outcome, revision: int) -> None:
    """Write what a watcher's `take` returned."""
    for change in outcome.changes:
        _write_change(conn, change, revision)
    kept = [
        (
            key.originator,
            key.kind,
            utc_text(watch.bad_since) if watch.bad_since else None,
            utc_text(watch.good_since) if watch.good_since else None,
        )
        for key, watch in outcome.watches.items()
        if watch is not None
    ]
    _WATCHES.write(conn, kept)
    for key, watch in outcome.watches.items():
        if watch is None:
            conn.execute(
                delete(incident_watch).where(
                    incident_watch.c.originator == key.originator, incident_watch.c.kind == key.kind
                )
            )


def _write_change(conn: Connection, change: IncidentChange, revision: int) -> None:
    if change.change is Change.OPENED:
        values = {
            "kind": change.key.kind,
            "originator_type": change.originator_type,
            "originator": change.key.originator,
            "pole": change.pole,
            "opened_at": change.at,
            "opened_evidence": dict(change.evidence),
            "revision": revision,
        }
        touched = conn.execute(_opening(conn, values)).scalar()
    else:
        touched = conn.execute(
            update(incident)
            .where(
                incident.c.originator == change.key.originator,
                incident.c.kind == change.key.kind,
                incident.c.closed_at.is_(None),
            )
            .values(
                closed_at=change.at,
                closed_evidence=dict(change.evidence),
                closed_how="measured",
                closed_by="",
                revision=revision,
            )
            .returning(incident.c.id)
        ).scalar()
    if touched is not None:
        note_change(
            conn, touched, change.at, change.change.value, revision=revision, detail=change.evidence
        )


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


def _opening(conn: Connection, values: Mapping[str, Any]) -> Executable:
    """One open incident per (originator, kind): a second opening is none, and returns no id."""
    dialect = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    return (
        dialect(incident)
        .values(**values)
        .on_conflict_do_nothing(
            index_elements=["originator", "kind"], index_where=incident.c.closed_at.is_(None)
        )
        .returning(incident.c.id)
    )
