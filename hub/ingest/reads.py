"""What others may know of the nodes' state: plain dataclasses read by true SQL, never the tables.

Every function takes a connection, best one of `hub.db.reading(engine)`. `since` is a revision: only rows
that changed after it are returned, which is how the live pages follow along.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, Select, func, select

from hub.ingest.histogram import Histogram
from hub.ingest.tables import (
    ingest_stat,
    node_event,
    node_state,
    pole_state,
    reject,
    reject_count,
    telemetry_outbox,
)
from hub.revision import latest_revision

__all__ = [
    "CameraStatus",
    "EventView",
    "NodeStatus",
    "PoleStatus",
    "RejectCount",
    "RejectView",
    "another_hears",
    "cabinet_of",
    "events",
    "ingest_seen_at",
    "latency_histogram",
    "latest_revision",
    "newest_events",
    "node_state_of",
    "node_states",
    "node_status_counts",
    "pole_state_of",
    "pole_states",
    "reject_counts",
    "rejects",
    "stats",
]

NodeWord = Literal["online", "silent", "lost", "stopped"]

_ALIVE = (ingest_stat.c.key == "alive") | ingest_stat.c.key.startswith("alive@", autoescape=True)
_SIGNS_LAST = timedelta(seconds=10)
"""Five signs of life."""

_EVENT_COLUMNS = [column for column in node_event.c if column.name not in ("epoch", "seq")]


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """One node as the hub last knew it. A node that was never heard has none."""

    node: str
    commune: str
    session: str | None
    status: NodeWord
    last_seen_at: datetime
    """Right to within five seconds while the node speaks, exact once it is silent."""
    heartbeat_s: int
    connected_at: datetime | None
    epoch: str | None
    queued: int
    agent_version: str
    config_version: int
    clock: str
    revision: int


@dataclass(frozen=True, slots=True)
class CameraStatus:
    """A camera's last word, as far as it was asked; see `protocol.CameraReading` for the words."""

    camera: str
    reachable: bool
    latency_ms: float | None = None
    stream: str | None = None
    picture: str | None = None
    clock_offset_s: float | None = None
    recording_age_s: float | None = None
    powered: bool | None = None


@dataclass(frozen=True, slots=True)
class PoleStatus:
    """The newest sample of one pole. None means unknown (a silent meter), never zero."""

    pole: str
    node: str
    sample_at: datetime
    received_at: datetime
    epoch: str
    seq: int
    effect_level: float
    reason: str
    commanded_level: float | None
    override_until: datetime | None
    power_w: float | None
    voltage_v: float | None
    current_a: float | None
    energy_wh: float | None
    dark: bool | None
    cameras: tuple[CameraStatus, ...]
    clock: str
    revision: int
    told: Mapping[str, Any]
    """What the node told beside, where it did: `faults` (kinds that stand), `due`, `counters` (the last
    told), `battery`, `cabinet`; their fields are those of `protocol.messages`."""

    @property
    def faults(self) -> tuple[str, ...]:
        """The diagnoses that stand on this pole, by event kind."""
        return tuple(self.told.get("faults", ()))


@dataclass(frozen=True, slots=True)
class EventView:
    """What a node reported beside its samples, e.g. `supply_loss`."""

    id: int
    node: str
    pole: str | None
    kind: str
    at: datetime
    received_at: datetime
    clock: str
    historical: bool
    detail: Mapping[str, str | int | float | bool | None]
    revision: int
    camera: str | None
    active: bool | None
    """True: it began; False: it ended; None: it happened at that moment."""


@dataclass(frozen=True, slots=True)
class RejectView:
    """A payload that was kept aside; `payload` holds its first 16 kB, `size` the whole in bytes."""

    id: int
    received_at: datetime
    topic: str
    node: str | None
    epoch: str | None
    seq: int | None
    reason: str
    detail: str
    size: int
    sha256: str
    payload: bytes


def node_states(conn: Connection, since: int = 0) -> list[NodeStatus]:
    """All nodes whose state changed after revision `since`, by name."""
    query = select(node_state).where(node_state.c.revision > since).order_by(node_state.c.node)
    return [NodeStatus(*row) for row in conn.execute(query)]


def node_state_of(conn: Connection, node: str) -> NodeStatus | None:
    """One node's state; None when it was never heard."""
    row = conn.execute(select(node_state).where(node_state.c.node == node)).one_or_none()
    return NodeStatus(*row) if row is not None else None


def pole_states(conn: Connection, since: int = 0) -> list[PoleStatus]:
    """All poles whose newest sample changed after revision `since`, by code."""
    query = select(pole_state).where(pole_state.c.revision > since).order_by(pole_state.c.pole)
    return [_pole(row) for row in conn.execute(query)]


def pole_state_of(conn: Connection, pole: str) -> PoleStatus | None:
    """One pole's newest sample; None when there never was one."""
    row = conn.execute(select(pole_state).where(pole_state.c.pole == pole)).one_or_none()
    return _pole(row) if row is not None else None


def cabinet_of(conn: Connection, node: str) -> Mapping[str, Any] | None:
    """The newest reading of a node's cabinet; it travels with the sample of one of its poles."""
    query = (
        select(pole_state.c.told).where(pole_state.c.node == node).order_by(pole_state.c.sample_at.desc())
    )
    return next((told["cabinet"] for told in conn.execute(query).scalars() if "cabinet" in told), None)


def events(
    conn: Connection,
    *,
    pole: str | None = None,
    node: str | None = None,
    nodes: Collection[str] | None = None,
    kind: str | None = None,
    limit: int = 100,
) -> list[EventView]:
    """The newest node events first; with `pole` and `node`, those of the pole or of the node as a whole.

    `nodes` bounds whose are told at all.
    """
    query = select(*_EVENT_COLUMNS).order_by(node_event.c.id.desc())
    if pole is not None and node is not None:
        whole = (node_event.c.node == node) & node_event.c.pole.is_(None)
        query = query.where((node_event.c.pole == pole) | whole)
    elif pole is not None:
        query = query.where(node_event.c.pole == pole)
    elif node is not None:
        query = query.where(node_event.c.node == node)
    if nodes is not None:
        query = query.where(node_event.c.node.in_(nodes))
    if kind is not None:
        query = query.where(node_event.c.kind == kind)
    return [EventView(*row) for row in conn.execute(query.limit(limit))]


def newest_events(conn: Connection, kind: str, *, node: str | None = None) -> dict[str, EventView]:
    """The newest event of a kind by node, of one node or of all that ever told it."""
    ids = select(func.max(node_event.c.id)).where(node_event.c.kind == kind).group_by(node_event.c.node)
    if node is not None:
        ids = ids.where(node_event.c.node == node)
    query = select(*_EVENT_COLUMNS).where(node_event.c.id.in_(ids))
    return {row.node: EventView(*row) for row in conn.execute(query)}


@dataclass(frozen=True, slots=True)
class RejectCount:
    """How many messages of one sender were ever set aside, for which reasons, and when the last one came.

    `node` None: of no node of the registry.
    """

    node: str | None
    count: int
    reasons: Mapping[str, int]
    last_at: datetime


def reject_counts(conn: Connection, *, nodes: Collection[str] | None = None) -> list[RejectCount]:
    """What was ever set aside by sender, the most first; with `nodes`, of these alone."""
    table = reject_count.c
    query = select(table.node, table.reason, table.count, table.last_at)
    if nodes is not None:
        query = query.where(table.node.in_(nodes))
    found: dict[str, list[tuple[str, int, datetime]]] = {}
    for node, reason, number, last_at in conn.execute(query.order_by(table.count.desc(), table.reason)):
        found.setdefault(node, []).append((reason, int(number), last_at))
    counts = [
        RejectCount(
            node or None,
            sum(number for _, number, _ in lines),
            {reason: number for reason, number, _ in lines},
            max(last_at for _, _, last_at in lines),
        )
        for node, lines in found.items()
    ]
    return sorted(counts, key=lambda one: (-one.count, one.node or ""))


def rejects(
    conn: Connection,
    *,
    node: str | None = None,
    nodes: Collection[str] | None = None,
    limit: int = 100,
) -> list[RejectView]:
    """The newest rejects first, of one node or of all; `nodes` bounds whose are told at all."""
    query: Select[Any] = select(reject).order_by(reject.c.id.desc()).limit(limit)
    if node is not None:
        query = query.where(reject.c.node == node)
    if nodes is not None:
        query = query.where(reject.c.node.in_(nodes))
    fields = RejectView.__slots__
    return [RejectView(**{name: row._mapping[name] for name in fields}) for row in conn.execute(query)]


def stats(conn: Connection) -> dict[str, Any]:
    """The ingest's counters since the database was created, as plain JSON.

    Keys: `at` (the ingest's last sign of life, RFC 3339, or None), `broker_connected`, `messages`,
    `samples_stored`, `events_stored`, `receipts_stored`, `duplicates`, `rejects` {`total`, `by_reason`},
    `latency_ms` {`count`, `p50`, `p99`} from a live, clock-synchronised sample's time to its commit,
    `telemetry` {`points_written`, `points_refused`, `store_up`}, `outbox` {`batches`, `points`}.
    """
    stored: dict[str, Any] = {row.key: row.value for row in conn.execute(select(ingest_stat))}
    counters = _summed(stored, "counters")
    alive: Mapping[str, Any] = max(_each(stored, "alive"), key=lambda one: str(one["at"]), default={})
    drain = _summed(stored, "telemetry")
    by_reason = _added(one.get("rejects", {}) for one in _each(stored, "counters"))
    latency = Histogram.from_json(_summed(stored, "latency_ms"))
    batches, points = conn.execute(
        select(func.count(), func.coalesce(func.sum(telemetry_outbox.c.points), 0))
    ).one()
    return {
        "at": alive.get("at"),
        "broker_connected": bool(alive.get("broker_connected", False)),
        "messages": counters.get("messages", 0),
        "samples_stored": counters.get("samples_stored", 0),
        "events_stored": counters.get("events_stored", 0),
        "receipts_stored": counters.get("receipts_stored", 0),
        "duplicates": counters.get("duplicates", 0),
        "rejects": {"total": sum(by_reason.values()), "by_reason": dict(by_reason)},
        "latency_ms": {
            "count": latency.count,
            "p50": latency.percentile(0.50),
            "p99": latency.percentile(0.99),
        },
        "telemetry": {
            "points_written": drain.get("points_written", 0),
            "points_refused": drain.get("points_refused", 0),
            "store_up": bool(drain.get("store_up", False)),
        },
        "outbox": {"batches": int(batches), "points": int(points)},
    }


def latency_histogram(conn: Connection) -> Histogram:
    """Milliseconds from a live, clock-synchronised sample's time to its commit, since the database was made."""
    stored = {row.key: row.value for row in conn.execute(select(ingest_stat))}
    return Histogram.from_json(_summed(stored, "latency_ms"))


def node_status_counts(conn: Connection) -> dict[str, int]:
    """How many nodes stand in each status; nodes that were never heard are in none."""
    query = select(node_state.c.status, func.count()).group_by(node_state.c.status)
    return {status: int(count) for status, count in conn.execute(query)}


def ingest_seen_at(conn: Connection) -> datetime | None:
    """When the ingest last wrote its sign of life (it does so every few seconds); None if never."""
    signs = conn.execute(select(ingest_stat.c.value).where(_ALIVE)).scalars()
    return max((datetime.fromisoformat(one["at"]).astimezone(UTC) for one in signs), default=None)


def ingest_disk_full(conn: Connection) -> bool:
    """Whether the ingest last said that it takes nothing in for want of room on the database's disk."""
    signs = conn.execute(select(ingest_stat.c.value).where(_ALIVE)).scalars()
    return any(one.get("disk_full", False) for one in signs)


def another_hears(conn: Connection, own_key: str, now: datetime) -> bool:
    """Whether an ingest other than the one that signs under `own_key` has had a broker in the last 10 s."""
    query = select(ingest_stat.c.value).where(_ALIVE, ingest_stat.c.key != own_key)
    return any(
        one["broker_connected"] and now - datetime.fromisoformat(one["at"]) <= _SIGNS_LAST
        for one in conn.execute(query).scalars()
    )


def _each(stored: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """What each worker keeps under a key; a lone ingest keeps it under the bare key."""
    return [value for name, value in stored.items() if name.partition("@")[0] == key]


def _summed(stored: Mapping[str, Any], key: str) -> dict[str, Any]:
    return _added(_each(stored, key))


def _added(several: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Whole numbers are added up, yes or no holds where it holds for all."""
    total: dict[str, Any] = {}
    for one in several:
        for name, value in one.items():
            if isinstance(value, bool):
                total[name] = total.get(name, True) and value
            elif isinstance(value, int):
                total[name] = total.get(name, 0) + value
    return total


_CAMERA_FIELDS = CameraStatus.__slots__


def _pole(row: Row[Any]) -> PoleStatus:
    values = dict(row._mapping)
    values["cameras"] = _cameras(values["cameras"])
    return PoleStatus(**values)


def _cameras(stored: Sequence[Mapping[str, Any]]) -> tuple[CameraStatus, ...]:
    return tuple(
        CameraStatus(**{name: entry[name] for name in _CAMERA_FIELDS if name in entry}) for entry in stored
    )
