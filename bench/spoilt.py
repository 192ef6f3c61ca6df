"""Thousands of malformed messages among good ones: the good are stored, the bad kept aside, nothing crashes.

A node of its own, with its own certificate, sends both in a shuffled order while real agents go on working. The
hub's own counters and tables are then asked for every one of them.
"""

from __future__ import annotations

import random
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from bench.children import ChildError, wait_until
from bench.kills import nodes_seen, telemetry_waiting
from bench.stack import COMMUNE, Plan, Stack
from hub.ingest.reads import stats
from hub.telemetry.factory import open_store
from protocol import Kind, LampReading, MeterReading, Sample, Telemetry, encode, topic
from simulators.traffic.malformed import malformed

IN_FLIGHT = 200


@dataclass(frozen=True, slots=True)
class SpoiltReport:
    """What was sent and what the hub says of it; `aside` and `expected_aside` count by reason."""

    good_sent: int
    good_stored: int
    bad_sent: int
    aside: dict[str, int]
    expected_aside: dict[str, int]
    hub_survived: bool

    @property
    def sound(self) -> bool:
        """Every good message stored, every bad one aside under its reason, the hub never restarted."""
        return (
            self.good_sent == self.good_stored and self.aside == self.expected_aside and self.hub_survived
        )


def run_spoilt(data: Path, *, bad: int, seed: int, progress: Callable[[int], None]) -> SpoiltReport:
    """Send `bad` malformed messages and as many good ones. Raises ChildError when a process fails."""
    stack = Stack(Plan(data=data, agents=3, interval_s=0.2))
    stack.prepare()
    sender, agents = stack.nodes[-1], stack.agents[:-1]
    epoch = uuid4()
    expected: Counter[str] = Counter()
    try:
        stack.broker.start()
        stack.hub.start()
        for agent in agents:
            agent.start(wait=False)
        wait_until(
            lambda: stack.ask(nodes_seen) == len(agents), within_s=60, what="the agents to reach the hub"
        )
        hub_pid = stack.hub.pid
        messages = _shuffled(bad, sender, epoch, seed, expected)
        _publish_all(stack, sender[0], messages, progress)
        wait_until(
            lambda: sum(_aside(stack).values()) >= bad and stack.ask(telemetry_waiting) == 0,
            within_s=300,
            every_s=0.25,
            what=f"the hub to keep {bad} messages aside",
        )
        survived = stack.hub.pid == hub_pid
        store = open_store(stack.telemetry_url)
        stored = store.count(sender[0], str(epoch)).distinct
        store.close()
        return SpoiltReport(bad, stored, bad, _aside(stack), dict(sorted(expected.items())), survived)
    finally:
        for child in stack.everyone:
            child.kill()


def _shuffled(
    bad: int, sender: tuple[str, str], epoch: UUID, seed: int, expected: Counter[str]
) -> Iterator[tuple[str, bytes]]:
    node, pole = sender
    rng = random.Random(seed)  # noqa: S311 (a campaign that can be repeated, not a secret)
    order = [True] * bad + [False] * bad
    rng.shuffle(order)
    spoilt = malformed(bad, commune=COMMUNE, node=node, pole=pole, now=datetime.now(UTC), seed=seed)
    seq = 0
    for is_bad in order:
        if is_bad:
            item = next(spoilt)
            expected[item.reason] += 1
            yield item.topic, item.payload
        else:
            seq += 1
            yield topic(COMMUNE, node, Kind.TELEMETRY), _good(node, pole, epoch, seq)


def _good(node: str, pole: str, epoch: UUID, seq: int) -> bytes:
    now = datetime.now(UTC)
    sample = Sample(
        seq=seq,
        pole=pole,
        time=now,
        clock="synced",
        lamp=LampReading(effect_level=1.0, reason="photocell"),
        meter=MeterReading(power_w=60.0),
    )
    return encode(Telemetry(v=1, node=node, epoch=epoch, sent_at=now, samples=[sample]))


def _publish_all(
    stack: Stack, node: str, messages: Iterator[tuple[str, bytes]], progress: Callable[[int], None]
) -> None:
    identity = stack.layout.node_identity(node)
    context = ssl.create_default_context(cafile=str(stack.layout.authority.certificate))
    context.load_cert_chain(identity.certificate, identity.key)
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=node, protocol=mqtt.MQTTv5)
    client.tls_set_context(context)
    client.max_inflight_messages_set(IN_FLIGHT)
    room = threading.Semaphore(IN_FLIGHT)
    client.on_publish = lambda *_: room.release()
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.ReceiveMaximum = 10
    client.connect("127.0.0.1", stack.broker_port, properties=properties)
    client.loop_start()
    try:
        for number, (name, payload) in enumerate(messages, start=1):
            if not room.acquire(timeout=60):
                raise ChildError("the broker took no message for 60 s")
            client.publish(name, payload, qos=1)
            if number % 500 == 0:
                progress(number)
        for _ in range(IN_FLIGHT):
            if not room.acquire(timeout=60):
                raise ChildError("the broker left messages unacknowledged for 60 s")
    finally:
        client.disconnect()
        client.loop_stop()


def _aside(stack: Stack) -> dict[str, int]:
    by_reason: dict[str, int] = stack.ask(stats)["rejects"]["by_reason"]
    return dict(sorted(by_reason.items()))
