"""Nodes of several communes over one connection: each keeps what it made until the hub has confirmed it.

They send what the agent sends and keep its promise (a sample is the node's until `stored` names it), but send
again after a few seconds instead of twenty, so that a campaign's minutes hold many deaths. Times are seconds of
the monotonic clock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self
from uuid import UUID, uuid4

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from bench.audit import Made
from bench.children import wait_until
from protocol import Kind, LampReading, MeterReading, Sample, Stored, Telemetry, encode, topic

RATED_W = 60.0
RESEND_AFTER_S = 3.0
_EVERY_STORED = f"ngonden/1/+/+/{Kind.STORED.value}"
_PER_MESSAGE = 20
_LOOK_EVERY_S = 0.02
_DECODE = msgspec.json.Decoder(Stored).decode


@dataclass(slots=True)
class CrowdNode:
    """One node with one pole. `dead_lamp`: lit, but drawing nothing; `faults`: what it tells of itself."""

    name: str
    pole: str
    commune: str
    epoch: UUID = field(default_factory=uuid4)
    made: int = 0
    waiting: dict[int, Sample] = field(default_factory=dict)
    made_at_s: dict[int, float] = field(default_factory=dict)
    sent_at_s: float = 0.0
    next_s: float = 0.0
    newest_confirmed_s: float = float("-inf")
    """When the newest confirmed sample was made."""
    dead_lamp: bool = False
    faults: list[str] = field(default_factory=list)


class Crowd:
    """Makes and sends samples between `start` and `stop`; `quieten` makes no more, and hands over the rest."""

    def __init__(self, nodes: Iterable[CrowdNode], *, port: int, interval_s: float) -> None:
        self.nodes = list(nodes)
        self._by_name = {node.name: node for node in self.nodes}
        self._interval_s = interval_s
        self._lock = threading.Lock()
        self._stop, self._quiet = threading.Event(), threading.Event()
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id="crowd", protocol=mqtt.MQTTv5, reconnect_on_failure=True
        )
        self._client.on_connect = lambda client, *_: client.subscribe(_EVERY_STORED, qos=1)
        self._client.on_message = self._on_message
        self._port = port
        self._thread = threading.Thread(target=self._run, name="crowd")

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port, keepalive=30)
        self._client.loop_start()
        wait_until(self._client.is_connected, within_s=20, what="the crowd to reach the broker")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()

    def quieten(self) -> None:
        """Make no more samples."""
        self._quiet.set()

    def waiting(self) -> int:
        """How many samples nobody has confirmed yet."""
        with self._lock:
            return sum(len(node.waiting) for node in self.nodes)

    def served(self, communes: Iterable[str], since_s: float) -> bool:
        """Whether each of these communes has a sample confirmed that was made after this second."""
        newest: dict[str, float] = {}
        with self._lock:
            for node in self.nodes:
                newest[node.commune] = max(newest.get(node.commune, since_s), node.newest_confirmed_s)
        return all(newest[commune] > since_s for commune in communes)

    def made(self) -> list[Made]:
        """What there must be in the stores."""
        with self._lock:
            return [Made(one.name, str(one.epoch), one.made, len(one.waiting)) for one in self.nodes]

    def _run(self) -> None:
        for number, node in enumerate(self.nodes):
            node.next_s = time.monotonic() + self._interval_s * number / len(self.nodes)
        while not self._stop.wait(_LOOK_EVERY_S):
            now_s = time.monotonic()
            for node in self.nodes:
                with self._lock:
                    messages = self._due(node, now_s)
                for message in messages:
                    self._client.publish(topic(node.commune, node.name, Kind.TELEMETRY), message, qos=1)

    def _due(self, node: CrowdNode, now_s: float) -> list[bytes]:
        out = []
        if node.waiting and now_s - node.sent_at_s >= RESEND_AFTER_S:
            node.sent_at_s = now_s
            old = [node.waiting[seq] for seq in sorted(node.waiting)]
            starts = range(0, len(old), _PER_MESSAGE)
            out = [_message(node, old[start : start + _PER_MESSAGE]) for start in starts]
        if now_s >= node.next_s and not self._quiet.is_set():
            node.next_s = now_s + self._interval_s
            node.made += 1
            sample = _sample(node)
            if not node.waiting:
                node.sent_at_s = now_s
            node.waiting[node.made], node.made_at_s[node.made] = sample, now_s
            out.append(_message(node, [sample]))
        return out

    def _on_message(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        told = _DECODE(bytes(message.payload))
        node = self._by_name.get(told.node)
        if node is None or told.epoch != node.epoch:
            return
        with self._lock:
            for first, last in told.ranges:
                for seq in range(first, last + 1):
                    if node.waiting.pop(seq, None) is not None:
                        made_s = node.made_at_s.pop(seq)
                        node.newest_confirmed_s = max(node.newest_confirmed_s, made_s)


def _sample(node: CrowdNode) -> Sample:
    return Sample(
        seq=node.made,
        pole=node.pole,
        time=datetime.now(UTC),
        clock="synced",
        lamp=LampReading(effect_level=1.0, reason="photocell"),
        meter=MeterReading(power_w=0.3 if node.dead_lamp else RATED_W, voltage_v=224.0),
        dark=True,
        faults=list(node.faults),
    )


def _message(node: CrowdNode, samples: list[Sample]) -> bytes:
    now = datetime.now(UTC)
    return encode(Telemetry(v=1, node=node.name, epoch=node.epoch, sent_at=now, samples=samples))
