"""What the ingest keeps in memory between commits, all of it rebuilt from the database.

After a failed commit this is thrown away and read again: it may already hold what was rolled back.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, select

from hub.incidents.loading import load_watcher
from hub.incidents.model import METER_STALE, Place, Subject
from hub.incidents.told import ToldFaults
from hub.incidents.watcher import Watcher
from hub.ingest.histogram import Histogram
from hub.ingest.ranges import RangeSet
from hub.ingest.tables import ingest_stat, node_state, pole_state, received
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


@dataclass(frozen=True, slots=True)
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
    counters: Counters = field(default_factory=Counters)
    latency_ms: Histogram = field(default_factory=Histogram)
    drained: dict[str, int] = field(default_factory=lambda: {"points_written": 0, "points_refused": 0})
    metered: set[str] = field(default_factory=set)
    """Poles whose meter has spoken: only there does its silence mean something."""
    alive_at: datetime | None = None
    """The last sign of life of the process that wrote the state."""


def load_state(conn: Connection, now: datetime) -> IngestState:
    """Read everything; the tables hold one row per node, pole and epoch, so this takes a moment at most."""
    state = IngestState(load_watcher(conn, now))
    for row in conn.execute(select(node_state)):
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
    for node, epoch, ranges in conn.execute(select(received)):
        state.ranges[(node, epoch)] = RangeSet(ranges)
    stats = {row.key: row.value for row in conn.execute(select(ingest_stat))}
    state.counters = Counters.from_json(stats.get("counters", {}))
    state.latency_ms = Histogram.from_json(stats.get("latency_ms", {}))
    alive_at = stats.get("alive", {}).get("at")
    state.alive_at = datetime.fromisoformat(alive_at) if alive_at is not None else None
    drained = stats.get("telemetry", {})
    for key in state.drained:
        state.drained[key] = drained.get(key, 0)
    return state


def _load_marks(conn: Connection, state: IngestState) -> None:
    names = ("pole", "node", "epoch", "seq", "sample_at", "told", "power_w", "reason")
    columns = (pole_state.c[name] for name in names)
    for pole, node, epoch, seq, sample_at, told, power_w, reason in conn.execute(select(*columns)):
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
