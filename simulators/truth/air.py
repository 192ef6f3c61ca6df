"""Broker and links between nodes and hub: sessions, wills, what waits for a hub that is away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from random import Random
from typing import NamedTuple

from protocol import Kind, topic
from simulators.truth.moment import moment_at
from simulators.truth.node import VirtualNode, Words

KEEPALIVE_S = 30.0
WILL_DELAY_S = 30.0

Later = Callable[[float, Callable[[float], None]], None]
"""Lets something happen at a moment; it is called with that moment."""


class Delivery(NamedTuple):
    """One MQTT message as the hub gets it."""

    topic: str
    payload: bytes
    retain: bool = False


class Air:
    """What is sent comes out of `take`, unless broker or hub are away."""

    def __init__(
        self, commune: str, nodes: Mapping[str, VirtualNode], later: Later, random: Random
    ) -> None:
        self.broker_up = True
        self.hub_up = True
        self.notable = False
        """Whether anything but routine came since `take`: then the hub may have something to decide soon."""
        self._commune = commune
        self._nodes = nodes
        self._later = later
        self._random = random
        self._cuts: dict[str, set[str]] = {name: set() for name in nodes}
        self._connected: set[str] = set()
        self._wills: dict[str, bytes] = {}
        self._retained: dict[str, bytes] = {}
        self._topics: dict[tuple[str, Kind], str] = {}
        self._out: list[Delivery] = []
        self._queued: list[Delivery] = []

    def take(self) -> list[Delivery]:
        """What has reached the hub since the last call."""
        out, self._out = self._out, []
        self.notable = False
        return out

    def connected(self, name: str) -> bool:
        """Whether the node has a session that it and the broker believe in."""
        return name in self._connected

    def send(self, name: str, words: Words) -> None:
        """Give the broker a node's messages; the caller has seen that it is connected."""
        for kind, payload in words:
            self._deliver(Delivery(self._topic(name, kind), payload))

    def cut(self, name: str, why: str, at_s: float) -> None:
        """The node's way to the broker breaks, for one more reason."""
        self._cuts[name].add(why)
        self.drop(name, at_s)

    def mend(self, name: str, why: str, at_s: float) -> None:
        """One of the reasons is gone."""
        self._cuts[name].discard(why)
        self.reconnect_soon(name, at_s)

    def drop(self, name: str, at_s: float, *, farewell: bool = False) -> None:
        """The connection is gone. Without a farewell the broker finds out by the keep-alive, and then waits for
        the will's delay.
        """
        if name not in self._connected:
            return
        self._connected.discard(name)
        if farewell:
            self._state(name, self._nodes[name].state("stopped", at_s))
            self._wills.pop(name, None)
            return
        will = self._wills[name]
        since_word_s = self._random.uniform(0, KEEPALIVE_S)
        due_s = at_s + 1.5 * KEEPALIVE_S - since_word_s + WILL_DELAY_S

        def publish(_: float) -> None:
            if self._wills.get(name) is will and name not in self._connected and self.broker_up:
                del self._wills[name]
                self._state(name, will)

        self._later(due_s, publish)

    def reconnect_soon(self, name: str, at_s: float, within_s: float = 20.0) -> None:
        """Connect after a moment, if nothing stands in the way by then."""
        self._later(at_s + self._random.uniform(1, within_s), lambda now_s: self._connect(name, now_s))

    def heartbeat(self, name: str, at_s: float) -> None:
        """A word that the node lives, where it can be sent."""
        if name in self._connected:
            payload = self._nodes[name].state("online", at_s)
            self._retained[name] = payload
            self._deliver(Delivery(self._topic(name, Kind.STATE), payload))

    def break_broker(self) -> None:
        """The broker dies: no wills, and what it held for the hub is gone."""
        self.broker_up = False
        self._connected.clear()
        self._wills.clear()
        self._queued.clear()

    def mend_broker(self, at_s: float) -> None:
        """It is back; every node comes back by itself, within a minute."""
        self.broker_up = True
        self._repeat_retained()
        for name in self._nodes:
            self.reconnect_soon(name, at_s, within_s=60)

    def stop_hub(self) -> None:
        """The hub's process is gone; the broker holds its messages."""
        self.hub_up = False

    def start_hub(self, at_s: float) -> None:
        """It is back, gets what the broker held, and confirms; then the nodes send what they had kept."""
        self.hub_up = True
        self._repeat_retained()
        queued, self._queued = self._queued, []
        self._out += queued
        for name in self._nodes:
            self._later(at_s + self._random.uniform(5, 60), partial(self._again, name))

    def send_history(self, name: str, at_s: float) -> None:
        """What a node has kept goes, once its clock can be believed."""
        node = self._nodes[name]
        if node.alive and self.connected(name) and node.clock == "synced" and node.outbox.behind:
            self.send(name, node.history(at_s))

    def _again(self, name: str, at_s: float) -> None:
        self._nodes[name].outbox.lost()
        self.send_history(name, at_s)

    def _connect(self, name: str, at_s: float) -> None:
        node = self._nodes[name]
        if not node.alive or self._cuts[name] or not self.broker_up or name in self._connected:
            return
        self._connected.add(name)
        birth = node.connect(at_s)
        self._wills[name] = node.state("lost", at_s)
        self._state(name, birth)
        node.outbox.lost()
        # The present goes before the past.
        self.send(name, node.tick(moment_at(at_s), can_send=True))
        self._later(at_s + 2, lambda now_s: self.send_history(name, now_s))

    def _state(self, name: str, payload: bytes) -> None:
        self._retained[name] = payload
        self.notable = True
        self._deliver(Delivery(self._topic(name, Kind.STATE), payload))

    def _topic(self, name: str, kind: Kind) -> str:
        found = self._topics.get((name, kind))
        if found is None:
            found = self._topics[(name, kind)] = topic(self._commune, name, kind)
        return found

    def _deliver(self, message: Delivery) -> None:
        (self._out if self.hub_up else self._queued).append(message)

    def _repeat_retained(self) -> None:
        self.notable = True
        if self.hub_up:
            self._out += (
                Delivery(self._topic(name, Kind.STATE), payload, retain=True)
                for name, payload in self._retained.items()
            )


def connect_all(air: Air, names: Iterable[str]) -> None:
    """Everybody at the beginning."""
    for name in names:
        air.reconnect_soon(name, 0.0, within_s=50)
