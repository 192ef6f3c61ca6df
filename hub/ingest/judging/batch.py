"""Everything that one commit writes, and what is owed to nodes and broker once it has happened."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub.bulk import Value
from hub.ingest.judging.directory import Directory, KnownNode
from hub.ingest.link.arrival import Arrival, Reject, rejected
from hub.ingest.ranges import RangeSet
from hub.ingest.state import IngestState, NodeLive
from hub.ingest.unflushed import Slot
from hub.telemetry.port import Point
from protocol import Receipt

SEEN_RESOLUTION = timedelta(seconds=5)
"""`last_seen_at` alone is not worth a row more often than this."""


@dataclass(slots=True)
class Confirmation:
    """What one node is told about one epoch."""

    stored: list[int] = field(default_factory=list)
    aside: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """A receipt that is to move its command on, with all that is needed to set it aside instead."""

    receipt: Receipt
    at: datetime
    came: Arrival
    received_at: datetime
    known: KnownNode


@dataclass(slots=True)
class Batch:
    """Filled message by message by `judge`; rows lack only the revision, which comes last."""

    state: IngestState
    directory: Directory
    now: datetime
    live_max_age_s: float
    number: int = 0
    """Counts up from 1 within one IngestState; 0 where no log row is written."""
    may_refresh: bool = False
    """Whether a name that is not known is reason to read the registry again."""
    oldest_s: float = 0.0
    latest_s: float = 0.0
    """Between these Unix seconds a sample's time is live and plausible."""
    messages: list[tuple[str, int, int, bytes]] = field(default_factory=list)
    """What took the fast lane: commune, arrival in Unix milliseconds, number of samples, payload as it came."""
    runs: dict[Slot, list[int]] = field(default_factory=dict)
    """First and last seq that the fast lane took of a node without a break."""
    points: list[Point] = field(default_factory=list)
    pole_rows: dict[str, Sequence[Value]] = field(default_factory=dict)
    event_rows: list[Sequence[Value]] = field(default_factory=list)
    receipts: list[ReceiptRow] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    changed_nodes: set[str] = field(default_factory=set)
    changed_ranges: set[tuple[str, str]] = field(default_factory=set)
    confirmations: dict[tuple[str, str, str], Confirmation] = field(default_factory=dict)
    heard: dict[str, int] = field(default_factory=dict)
    ended: dict[str, bool] = field(default_factory=dict)
    """Nodes that said farewell or died, and whether it was told live (else by a retained message)."""
    born: set[str] = field(default_factory=set)
    live_sample_times: array[float] = field(default_factory=lambda: array("d"))
    """Unix seconds."""

    def look_up(self, node: str) -> KnownNode | None:
        """The node in the registry, which may have learned of it a moment ago."""
        known = self.directory.lookup(node)
        if known is None and self.may_refresh:
            self.may_refresh = False
            self.directory.refresh()
            known = self.directory.lookup(node)
        return known

    def heard_from(self, known: KnownNode) -> NodeLive:
        """Any message that the node itself sent now is a sign of life."""
        live = self.state.nodes.get(known.name)
        if live is None:
            live = NodeLive(known.name, known.commune, self.now)
            live.heartbeat_s = self.state.promised_s.get(known.name, live.heartbeat_s)
            self.state.nodes[known.name] = live
            self.changed_nodes.add(known.name)
        live.last_seen_at = self.now
        live.commune = known.commune
        if live.status != "online" or self.now - live.written_seen_at > SEEN_RESOLUTION:
            live.status = "online"
            self.changed_nodes.add(known.name)
        self.heard[known.name] = live.heartbeat_s
        self.ended.pop(known.name, None)
        return live

    def ranges_of(self, node: str, epoch: str) -> RangeSet:
        """The seqs received of an epoch; a new epoch starts empty."""
        return self.state.ranges_of(node, epoch)

    def close_run(self, slot: Slot, run: list[int]) -> None:
        """Confirm a run of seqs apart from what follows it."""
        self.confirmation(slot.known, slot.epoch).stored.extend(range(run[0], run[1] + 1))

    def confirmation(self, known: KnownNode, epoch: str) -> Confirmation:
        """Where to note what the node is told after the commit."""
        key = (known.commune, known.name, epoch)
        found = self.confirmations.get(key)
        if found is None:
            found = self.confirmations[key] = Confirmation()
        return found

    def refuse(
        self,
        came: Arrival,
        received_at: datetime,
        reason: str,
        detail: str,
        *,
        known: KnownNode | None = None,
        node: str | None = None,
        epoch: str | None = None,
        seq: int | None = None,
        part: bytes | None = None,
    ) -> None:
        """Set a message or a part of it aside; a known node is told where its seq could be read."""
        name = known.name if known is not None else node
        self.rejects.append(
            rejected(came, received_at, reason, detail, node=name, epoch=epoch, seq=seq, part=part)
        )
        if known is None or epoch is None or seq is None:
            return
        confirmation = self.confirmation(known, epoch)
        if seq in self.ranges_of(known.name, epoch):
            confirmation.stored.append(seq)  # a good one under this seq is committed: that counts
        else:
            confirmation.aside.append((seq, reason))
