"""What the ingest keeps in memory between commits, all of it rebuilt from the database.

After a failed commit this is thrown away and read again: it may already hold what was rolled back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Column, Connection, Select, select

from hub.incidents.loading import ended_by_measure, load_watcher
from hub.incidents.model import METER_STALE, Place, Subject
from hub.incidents.told import ToldFaults
from hub.incidents.watcher import Watcher
from hub.ingest.histogram import Histogram
from hub.ingest.ranges import RangeSet
from hub.ingest.scope import ALONE, Scope
from hub.ingest.tables import ingest_stat, node_state, pole_state, received
from hub.ingest.unflushed import Unflushed
from hub.uptime.coverage.keeper import CoverageKeeper
from protocol import LampCounters

NodeWord = Literal["online", "silent", "lost", "stopped"]


@dataclass(slots=True)
class NodeLive:
    """One node as last heard; mirrors a row of `node_state`."""

    node: str
    commune: str
    last_seen_at: datetime
    session: str | None = None
    status: NodeWord = "online"
    heartbeat_s: int = 30
    connected_at: datetime | None = None
    epoch: str | None = None
    queued: int = 0
    agent_version: str = ""
    config_version: int = 0
    clock: str = "unsynced"
    written_seen_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    """`last_seen_at` as it stands in the database."""


@dataclass(slots=True)
class PoleMark:
    """Which sample of a pole is the newest so far."""

    node: str
    epoch: str
    seq: int
    sample_at: datetime
    faults: tuple[str, ...] = ()
    """The diagnoses that stood when it was taken."""
    counters: LampCounters | None = None
    """The last that were told, in this sample or in an earlier one."""
    facet: tuple[object, ...] | None = None
    """What a person sees of it at once, as the fast lane last wrote it; None where the slow lane did."""
    replaced: bool = False
    """Another mark of the pole stands in its place."""


@dataclass(slots=True)
class Counters:
    """Totals since the database was created."""

    messages: int = 0
    samples_stored: int = 0
    events_stored: int = 0
    receipts_stored: int = 0
    duplicates: int = 0
    rejects: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, Any]:
        """As kept in `ingest_stat`."""
        return {
            "messages": self.messages,
            "samples_stored": self.samples_stored,
            "events_stored": self.events_stored,
            "receipts_stored": self.receipts_stored,
            "duplicates": self.duplicates,
            "rejects": dict(self.rejects),
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Counters:
        """What `to_json` wrote, or an empty dict."""
        return cls(**{**stored, "rejects": Counter(stored.get("rejects", {}))})


@dataclass(slots=True)
class IngestState:
    """Everything a batch is judged against."""

    watcher: Watcher
    told: ToldFaults = field(default_factory=ToldFaults)
    nodes: dict[str, NodeLive] = field(default_factory=dict)
    promised_s: dict[str, int] = field(default_factory=dict)
    """Heartbeats that retained messages promise for nodes not heard yet: their first word may be a report."""
    poles: dict[str, PoleMark] = field(default_factory=dict)
    ranges: dict[tuple[str, str], RangeSet] = field(default_factory=dict)
    coverage: CoverageKeeper = field(default_factory=CoverageKeeper)
    counters: Counters = field(default_factory=Counters)
    latency_ms: Histogram = field(default_factory=Histogram)
    scope: Scope = ALONE
    unflushed: Unflushed = field(default_factory=Unflushed)
    batches: int = 1
    """The number of the last batch; the first is what `restore` took from the log."""
    drained: dict[str, int] = field(default_factory=lambda: {"points_written": 0, "points_refused": 0})
    metered: set[str] = field(default_factory=set)
    """Poles whose meter has spoken: only there does its silence mean something."""
    alive_at: datetime | None = None
    """The last sign of life of any ingest on this database."""

    def ranges_of(self, node: str, epoch: str) -> RangeSet:
        """The seqs received of an epoch; a new epoch starts empty."""
        ranges = self.ranges.get((node, epoch))
        if ranges is None:
            ranges = self.ranges[(node, epoch)] = RangeSet()
        return ranges


def load_state(conn: Connection, now: datetime, scope: Scope = ALONE) -> IngestState:
    """Read what is the scope's; one row per node, pole and epoch, so this takes a moment at most."""
    nodes = {row.node: row for row in conn.execute(_of_scope(select(node_state), scope))}
    watcher = load_watcher(
        conn, now, scope.tokens, set() if scope.tokens is None else _originators(conn, nodes, scope)
    )
    state = IngestState(watcher, ToldFaults(ended_by_measure(conn, now)), scope=scope)
    for row in nodes.values():
        state.nodes[row.node] = NodeLive(
            node=row.node,
            commune=row.commune,
            last_seen_at=row.last_seen_at,
            session=row.session,
            status=row.status,
            heartbeat_s=row.heartbeat_s,
            connected_at=row.connected_at,
            epoch=row.epoch,
            queued=row.queued,
            agent_version=row.agent_version,
            config_version=row.config_version,
            clock=row.clock,
            written_seen_at=row.last_seen_at,
        )
    _load_marks(conn, state)
    every = select(received.c.node, received.c.epoch, received.c.ranges)
    for node, epoch, ranges in conn.execute(_of_scope(every, scope, node=received.c.node)):
        state.ranges[(node, epoch)] = RangeSet(ranges)
    stats = {row.key: row.value for row in conn.execute(select(ingest_stat))}
    state.counters = Counters.from_json(stats.get(scope.stat("counters"), {}))
    state.unflushed = Unflushed(int(stats.get(scope.stat("checkpoint"), {}).get("after", 0)))
    state.latency_ms = Histogram.from_json(stats.get(scope.stat("latency_ms"), {}))
    # Whoever it was: while another worker listened, the hub was not away.
    alive = [value["at"] for key, value in stats.items() if key.partition("@")[0] == "alive"]
    state.alive_at = max(map(datetime.fromisoformat, alive), default=None)
    drained = stats.get(scope.stat("telemetry"), {})
    for key in state.drained:
        state.drained[key] = drained.get(key, 0)
    return state


def checkpoint_of(conn: Connection, worker: str) -> int:
    """Up to which id of the log all state of this ingest is written; 0 where it never wrote any."""
    key = Scope(worker).stat("checkpoint")
    value = conn.execute(select(ingest_stat.c.value).where(ingest_stat.c.key == key)).scalar()
    return 0 if value is None else int(value["after"])


def _of_scope(query: Select[Any], scope: Scope, *, node: Column[str] | None = None) -> Select[Any]:
    """Narrowed to nodes of the scope's communes, by the database: each of many workers reads its share.

    `node` is the column that names the node where the query is not of `node_state` itself.
    """
    if scope.tokens is None:
        return query
    if node is not None:
        query = query.join(node_state, node_state.c.node == node)
    return query.where(node_state.c.commune.in_(list(scope.tokens)))


def _originators(conn: Connection, nodes: Collection[str], scope: Scope) -> set[str]:
    """These nodes, with their poles and cameras: what incidents can be about."""
    found = set(nodes)
    query = select(pole_state.c.pole, pole_state.c.node, pole_state.c.cameras)
    for pole, node, seen in conn.execute(_of_scope(query, scope, node=pole_state.c.node)):
        if node in nodes:
            found |= {pole, *(one["camera"] for one in seen)}
    return found


def _load_marks(conn: Connection, state: IngestState) -> None:
    names = ("pole", "node", "epoch", "seq", "sample_at", "told", "power_w", "reason")
    columns = (pole_state.c[name] for name in names)
    query = _of_scope(select(*columns), state.scope, node=pole_state.c.node)
    for pole, node, epoch, seq, sample_at, told, power_w, reason in conn.execute(query):
        if power_w is not None or state.watcher.is_watched(pole, METER_STALE):
            state.metered.add(pole)
        if reason == "maintenance":
            state.watcher.arranging.maintain(Subject("pole", pole, pole, node, Place()), begins=True)
        counters = told.get("counters")
        state.poles[pole] = PoleMark(
            node,
            epoch,
            seq,
            sample_at,
            tuple(told.get("faults", ())),
            None if counters is None else msgspec.convert(counters, LampCounters),
        )


def load_coverage(conn: Connection, state: IngestState) -> None:
    """Put back what coverage was not written; by marks that hold all that was committed, the log included."""
    lamps = {pole: mark.sample_at.timestamp() for pole, mark in state.poles.items()}
    cameras: dict[str, float] = {}
    query = select(pole_state.c.pole, pole_state.c.cameras)
    for pole, seen in conn.execute(_of_scope(query, state.scope, node=pole_state.c.node)):
        if pole in lamps:
            cameras |= dict.fromkeys((one["camera"] for one in seen), lamps[pole])
    state.coverage.load(conn, lamps, cameras)
