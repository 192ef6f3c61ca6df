"""A watcher out of the database, and what other processes change about it afterwards."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, func, select

from hub.incidents.catalogue import CATALOGUE, GROUP_KINDS, TOLD_KINDS
from hub.incidents.history import KEEP, Ended
from hub.incidents.model import (
    COMMUNICATION_FAILURE,
    HUB_BLIND,
    LAMP_FAILURE,
    SUPPLY_LOSS,
    Key,
    Place,
    Subject,
    Watch,
)
from hub.incidents.quieting.maintenance import Window
from hub.incidents.rulebook import RuleBook, RuleRow
from hub.incidents.standing import Standing
from hub.incidents.tables import incident, incident_rule, incident_watch, maintenance_window
from hub.incidents.watcher import Watcher

_REMEMBERED = timedelta(days=2)
_LOOK_EVERY_S = 1.0


def load_rules(conn: Connection) -> RuleBook:
    """The thresholds in force: the table's rows, and the catalogue's for kinds it does not have."""
    return RuleBook(
        RuleRow(
            row.commune, row.kind, row.hold_off_s, row.clear_after_s, row.params, row.severity, row.enabled
        )
        for row in conn.execute(select(incident_rule))
    )


_WINDOWS = (
    select(*(maintenance_window.c[name] for name in Window.__slots__))
    .where(maintenance_window.c.ends_at > bindparam("now"), maintenance_window.c.cancelled_at.is_(None))
    .order_by(maintenance_window.c.id)
)
"""Put together once: it is asked every second."""


def load_windows(conn: Connection, now: datetime) -> list[Window]:
    """Announced work that has not ended and was not cancelled."""
    return [Window(*row) for row in conn.execute(_WINDOWS, {"now": now})]


def load_watcher(
    conn: Connection,
    now: datetime | None = None,
    communes: Collection[str] | None = None,
    originators: Container[str] = (),
) -> Watcher:
    """A watcher that knows what is open, pending, of late resolved by hand, and coming and going.

    With `communes`, only what is open there and what is pending of these `originators`. That the hub itself is
    blind concerns all. A node's silence is not carried over as pending: a hub that
    was away has nothing to judge it by.
    """
    now = now if now is not None else datetime.now(UTC)
    watches = {
        Key(row.originator, row.kind): Watch(
            bad_since=row.bad_since, good_since=row.good_since, by_word=row.by_word
        )
        for row in conn.execute(select(incident_watch))
        if row.kind != COMMUNICATION_FAILURE
    }
    still_open = select(incident).where(incident.c.closed_at.is_(None))
    if communes is not None:
        still_open = still_open.where(
            incident.c.commune.in_(list(communes)) | (incident.c.kind == HUB_BLIND)
        )
    open_rows = conn.execute(still_open).all()
    of_id = {row.id: Key(row.originator, row.kind) for row in open_rows}
    standing = []
    for row in open_rows:
        key = of_id[row.id]
        known = watches.get(key, Watch(bad_since=row.since_at or row.opened_at))
        watches[key] = Watch(
            is_open=True, bad_since=known.bad_since, good_since=known.good_since, by_word=known.by_word
        )
        standing.append(_standing(row, of_id))
    if communes is not None:
        watches = {
            key: watch for key, watch in watches.items() if watch.is_open or key.originator in originators
        }
    watcher = Watcher(load_rules(conn), watches, standing)
    _load_members(conn, watcher, {row.id: of_id[row.id] for row in open_rows if row.kind in GROUP_KINDS})
    _load_recent(conn, watcher, now)
    watcher.plan(load_windows(conn, now))
    return watcher


def ended_by_measure(conn: Connection, now: datetime) -> dict[Key, datetime]:
    """When what nodes tell of, and is over now, ended last, within the time in which it may be corrected."""
    query = (
        select(incident.c.originator, incident.c.kind, func.max(incident.c.closed_at).label("ended_at"))
        .where(
            incident.c.closed_at > now - KEEP,
            incident.c.closed_how == "measured",
            incident.c.kind.in_(sorted(TOLD_KINDS)),
        )
        .group_by(incident.c.originator, incident.c.kind)
    )
    return {Key(row.originator, row.kind): row.ended_at for row in conn.execute(query)}


def _standing(row: Any, of_id: Mapping[int, Key]) -> Standing:
    standing = Standing(
        key=of_id[row.id],
        subject=_subject(row),
        since=row.since_at or row.opened_at,
        opened_at=row.opened_at,
        severity=row.severity,
        parent=of_id.get(row.parent_id) if row.parent_id is not None else None,
        quiet=row.quiet_reason,
        flapping=row.quiet_reason == "flapping",
        last_bad=row.opened_at,
        notify_after=row.notify_after,
    )
    heartbeat_s = row.opened_evidence.get("heartbeat_s")
    standing.spread_s = heartbeat_s if isinstance(heartbeat_s, int) else 0
    return standing


def _subject(row: Any) -> Subject:
    """As far as the incident's own row tells; the next observation brings the rest from the registry."""
    node = row.originator if row.originator_type == "node" else ""
    place = Place(commune=row.commune, feeder=row.feeder or "")
    return Subject(row.originator_type, row.originator, row.pole, node, place)


def _load_members(conn: Connection, watcher: Watcher, groups: Mapping[int, Key]) -> None:
    """All nodes that ever were parts of a group, also those that are well again."""
    if not groups:
        return
    query = select(incident.c.parent_id, incident.c.originator, incident.c.kind).where(
        incident.c.parent_id.in_(groups), incident.c.originator_type == "node"
    )
    for parent_id, originator, kind in conn.execute(query):
        group = watcher.book.get(groups[parent_id])
        if group is not None:
            group.members.add(originator)
            if kind == SUPPLY_LOSS:
                group.supply_members.add(originator)


def _load_recent(conn: Connection, watcher: Watcher, now: datetime) -> None:
    begin = now - _REMEMBERED
    query = select(incident.c.originator, incident.c.kind, incident.c.opened_at).where(
        incident.c.opened_at > begin, incident.c.quiet_reason.is_distinct_from("history")
    )
    for row in conn.execute(query.order_by(incident.c.opened_at)):
        watcher.opened_before(Key(row.originator, row.kind), row.opened_at)
    ended = select(incident).where(incident.c.closed_at > now - KEEP).order_by(incident.c.closed_at)
    for row in conn.execute(ended):
        key = Key(row.originator, row.kind)
        if row.closed_how == "by_hand" and row.kind in CATALOGUE:
            watcher.mute(key, _subject(row), row.closed_at)
        if row.kind in (COMMUNICATION_FAILURE, LAMP_FAILURE) and row.quiet_reason != "history":
            # How long it was bad until the end is not known any more: its end is left as it was measured.
            since = row.since_at or row.opened_at
            watcher.corrections.ended(Ended(key, row.opened_at, since, row.closed_at, row.closed_at))


class Following:
    """Looks about once a second what people changed in another process: resolutions, rules, windows."""

    def __init__(self, reader: Engine) -> None:
        self._reader = reader
        self._watcher: Watcher | None = None
        self._due_s = float("-inf")
        self._revision = 0
        self._rules: list[tuple[Any, ...]] = []

    def look(self, watcher: Watcher, now: datetime, monotonic_s: float) -> None:
        """Bring a watcher up to date; a new one begins with what it was loaded with."""
        if watcher is not self._watcher:
            self._watcher, self._due_s, self._revision = watcher, float("-inf"), 0
        if monotonic_s < self._due_s:
            return
        self._due_s = monotonic_s + _LOOK_EVERY_S
        with self._reader.connect() as conn:
            self._resolved(conn, watcher, now)
            rows = [tuple(row) for row in conn.execute(select(incident_rule))]
            if rows != self._rules:
                self._rules = rows
                watcher.rules = load_rules(conn)
            watcher.plan(load_windows(conn, now))

    def _resolved(self, conn: Connection, watcher: Watcher, now: datetime) -> None:
        newest = conn.execute(select(func.max(incident.c.revision))).scalar() or 0
        if newest == self._revision:
            return
        by_hand = select(incident.c.originator, incident.c.kind, incident.c.closed_at).where(
            incident.c.closed_how == "by_hand", incident.c.closed_at > now - KEEP
        )
        # The first look goes back to before the watcher was loaded: what it holds closed is no news to it.
        by_hand = by_hand.where(incident.c.revision > self._revision, incident.c.revision <= newest)
        for originator, kind, closed_at in conn.execute(by_hand.order_by(incident.c.closed_at)):
            standing = watcher.book.get(Key(originator, kind))
            if standing is not None and standing.opened_at <= closed_at:
                watcher.resolved_by_hand(standing.key, closed_at)
        self._revision = newest
