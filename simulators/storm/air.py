"""The air between nodes and hub, and a hub that confirms: an in-memory wire in place of MQTT over TCP.

The agent's uplink runs on it unchanged. While the air is dead a connection stands and nothing passes, as on
4G that has half died; publishing then ends as aiomqtt ends it, by its time limit.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self, cast
from uuid import UUID

import aiomqtt

from edge.config import BrokerSettings
from edge.outbox.ranges import RangeSet
from protocol import Kind, Range, Stored, decode, encode, parse_topic, topic, unpack
from protocol.messages import Event, EventMessage, NodeState, Sample, Telemetry
from simulators.storm.log import StormLog, span

LATENCY_S = 0.12
COMMIT_S = 0.05
LATE = timedelta(minutes=10)
"""A metered node's samples travel together every five."""
SILENT_AFTER = 3
"""Heartbeats, as the hub counts them."""


@dataclass(slots=True)
class Known:
    """What the hub knows of one node."""

    have: RangeSet = field(default_factory=RangeSet)
    epoch: UUID | None = None
    heard_at: datetime | None = None
    heartbeat_s: int = 30
    silent: bool = False
    behind: bool = False
    late: int = 0
    latest_s: float = 0.0
    """How late the latest of them was."""


class Hub:
    """Takes what comes, confirms it after its commit, and notes when it learnt what."""

    def __init__(self, log: StormLog, now: Callable[[], datetime], commune: str) -> None:
        self._log = log
        self._now = now
        self._commune = commune
        self.nodes: dict[str, Known] = {}
        self.events: list[tuple[str, Event, datetime]] = []
        self.samples = 0
        self.twice = 0

    def take(self, name: str, payload: bytes, answer: Callable[[str, bytes], None]) -> None:
        """One message from the air. Raises DecodeError for one that breaks the contract."""
        place = parse_topic(name)
        message = decode(place.kind, unpack(payload), node=place.node)
        known = self.nodes.setdefault(place.node, Known())
        known.heard_at = self._now()
        if known.silent:
            known.silent = False
            self._log.say("hub", f"hears {place.node} again")
        items: Sequence[Event | Sample] = ()
        if isinstance(message, EventMessage):
            items = message.events
        elif isinstance(message, Telemetry):
            items = message.samples
        elif isinstance(message, NodeState):
            known.heartbeat_s = message.heartbeat_s
        if not isinstance(message, (EventMessage, Telemetry)):
            return
        if known.epoch != message.epoch:
            known.epoch, known.have = message.epoch, RangeSet()
        self._file(place.node, known, items)
        ranges = [Range(item.seq, item.seq) for item in items]
        stored = Stored(v=1, node=place.node, epoch=message.epoch, ranges=ranges)
        answer(topic(self._commune, place.node, Kind.STORED), encode(stored))

    def look_around(self) -> None:
        """Note who has been silent for three heartbeats."""
        for node, known in self.nodes.items():
            heard_at = known.heard_at
            if heard_at is None or known.silent:
                continue
            silent_s = SILENT_AFTER * known.heartbeat_s
            if self._now() - heard_at > timedelta(seconds=silent_s):
                known.silent = True
                self._log.say("hub", f"has heard nothing of {node} for {span(silent_s)}")

    def _file(self, node: str, known: Known, items: Sequence[Event | Sample]) -> None:
        now = self._now()
        for item in items:
            if item.seq in known.have:
                self.twice += 1
                continue
            known.have.add(item.seq, item.seq)
            believed = item.clock == "synced" or item.time_corrected
            late_s = (now - item.time).total_seconds() if believed else 0.0
            if isinstance(item, Event):
                self.events.append((node, item, now))
                made = "" if late_s < 60 else f", {span(late_s)} after it happened"
                made = made if believed else f", which says it is {item.time:%Y}"
                self._log.say("hub", f"learns from {node}: {in_words(item)}{made}")
                continue
            self.samples += 1
            if late_s > LATE.total_seconds():
                known.late += 1
                known.latest_s = max(known.latest_s, late_s)
        whole = known.have.ranges == 1
        if not whole:
            known.behind = True
        elif known.behind:
            if known.late:
                self._log.say(
                    "hub",
                    f"has all of {node} without a gap: {known.late} samples came late, "
                    f"by up to {span(known.latest_s)}",
                )
            known.behind, known.late, known.latest_s = False, 0, 0.0


def in_words(event: Event) -> str:
    """An event as a line has it."""
    about = event.camera or event.pole
    state = {True: " begins", False: " ends", None: ""}[event.active]
    return f"{event.kind}{state}" + (f" ({about})" if about else "")


class Air:
    """A wire for `edge.link.uplink.Uplink`. `dead` lists nodes whose 4G passes nothing."""

    def __init__(self, hub: Hub) -> None:
        self.dead: set[str] = set()
        self.hub = hub

    async def open_client(
        self,
        broker: BrokerSettings,
        *,
        node: str,
        will: tuple[str, bytes],
        keepalive_s: int,
        answer_within_s: float,
    ) -> aiomqtt.Client:
        """A client of this air."""
        del broker, will
        return cast(aiomqtt.Client, AirClient(self, node, keepalive_s, answer_within_s))

    def when_unheard(self, client: aiomqtt.Client, tell: Callable[[], None]) -> None:
        """This hub always listens."""

    def spoke(self, client: aiomqtt.Client) -> None:
        """This air has no pings."""

    def cut(self, client: aiomqtt.Client) -> None:
        """Nothing is left open."""

    def laid_down(self, client: aiomqtt.Client) -> None:
        """Nothing is left open."""


@dataclass(frozen=True, slots=True)
class _Message:
    topic: str
    payload: bytes


class AirClient:
    """What the uplink uses of an aiomqtt client."""

    def __init__(self, air: Air, node: str, keepalive_s: int, answer_within_s: float) -> None:
        self._air = air
        self._node = node
        self._keepalive_s = keepalive_s
        self._answer_within_s = answer_within_s
        self._incoming: asyncio.Queue[_Message] = asyncio.Queue()

    @property
    def messages(self) -> AsyncIterator[Any]:
        """What comes for this node, until the keep-alive finds the air dead."""
        return self._receive()

    async def __aenter__(self) -> Self:
        await self._pass()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing to close."""

    async def subscribe(self, wanted: Sequence[tuple[str, int]]) -> list[int]:
        """Granted."""
        await self._pass()
        return [qos for _, qos in wanted]

    async def publish(self, topic: str, payload: bytes, **options: Any) -> None:
        """Returns with the broker's PUBACK; the hub's commit and its confirmation follow."""
        await self._pass(options["timeout"])
        self._air.hub.take(topic, payload, self._answer)

    def _answer(self, topic: str, payload: bytes) -> None:
        if self._node not in self._air.dead:
            loop = asyncio.get_running_loop()
            loop.call_later(COMMIT_S + LATENCY_S, self._incoming.put_nowait, _Message(topic, payload))

    async def _pass(self, within_s: float | None = None) -> None:
        if self._node in self._air.dead:
            await asyncio.sleep(within_s or self._answer_within_s)
            raise aiomqtt.MqttError("Operation timed out")
        await asyncio.sleep(LATENCY_S)

    async def _receive(self) -> AsyncIterator[_Message]:
        while True:
            try:
                async with asyncio.timeout(self._keepalive_s * 1.5):
                    message = await self._incoming.get()
            except TimeoutError:
                if self._node in self._air.dead:
                    raise aiomqtt.MqttError("Keep alive timeout") from None
                continue
            yield message
