"""A prepared stream of QoS 1 publishes, sent as fast as a broker takes them.

No client library serves here: the sender must cost so little that both cores are left to the broker and the
receiver under measurement. So the packets are encoded beforehand and written to a plain socket in large pieces,
and the acknowledgements are counted by their fixed length. `mosquitto_pub -l` would be as fast, but can only
speak under one topic, which one node would be.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import lcm
from uuid import UUID, uuid5

from protocol import Kind, LampReading, MeterReading, Sample, Telemetry, encode, topic
from simulators.traffic.packets import LoadError, connected, disconnect, publish_qos1, utf8

_EPOCH_NAMESPACE = UUID("6f0f6f0c-7d3f-4d8f-9f53-0f1f9f8b2c11")
_PIECE = 256 * 1024

SPACING = timedelta(milliseconds=50)
"""Between two samples of a node, at most."""

SPAN = timedelta(seconds=30)
"""From the first to the last sample: a whole load is young enough to count as live, however large it is."""


@dataclass(frozen=True, slots=True)
class PreparedLoad:
    """Publish packets ready for the wire; `messages` of them, from `nodes` nodes in turn."""

    packets: bytes
    messages: int
    nodes: int
    made: dict[tuple[str, str], int]
    """(node, epoch) → highest seq."""


def prepare(
    nodes: list[tuple[str, str]],
    messages: int,
    *,
    commune: str,
    run: str,
    now: datetime,
    lead: timedelta = timedelta(0),
    first_seq: int = 1,
    spacing: timedelta | None = None,
) -> PreparedLoad:
    """Encode `messages` telemetry messages of one sample each, the nodes taking turns.

    `nodes` are (node, pole) pairs, `run` keeps the epochs of one run apart from another's, and one message in
    a hundred reports a lamp that is dark this once, so that the incident rules have work. `lead` is how far
    beyond `now` the samples reach, for a load that takes long to prepare and to send. With `first_seq` it goes
    on where an earlier load of the run ended. A node's samples are `spacing` apart, by default `SPACING` or
    less.
    """
    made: dict[tuple[str, str], int] = {}
    parts: list[bytes] = []
    epochs = [uuid5(_EPOCH_NAMESPACE, f"{run}/{node}") for node, _ in nodes]
    topics = [utf8(topic(commune, node, Kind.TELEMETRY)) for node, _ in nodes]
    per_node = messages // len(nodes) + 1
    round_trip = lcm(len(nodes), 100)
    spacing = min(SPACING, SPAN / per_node) if spacing is None else spacing
    start = now - spacing * per_node + lead
    for number in range(messages):
        place = number % len(nodes)
        node, pole = nodes[place]
        turn = number // len(nodes)
        seq = first_seq + turn
        made[(node, str(epochs[place]))] = seq
        taken = start + spacing * (turn + 1)
        is_dark = (number + number // round_trip) % 100 == 0  # never the same lamp twice in a row
        sample = Sample(
            seq=seq,
            pole=pole,
            time=taken,
            clock="synced",
            lamp=LampReading(effect_level=1.0, reason="photocell"),
            meter=MeterReading(power_w=0.4 if is_dark else 61.2, voltage_v=224.1, current_a=0.29),
            dark=True,
        )
        message = Telemetry(v=1, node=node, epoch=epochs[place], sent_at=taken, samples=[sample])
        parts.append(publish_qos1(topics[place], number % 65_535 + 1, encode(message)))
    return PreparedLoad(packets=b"".join(parts), messages=messages, nodes=len(nodes), made=made)


def send(load: PreparedLoad, *, host: str, port: int, limit_s: float) -> float:
    """Write the whole load and wait for every acknowledgement; returns the seconds it took.

    Raises LoadError when the broker closes the connection or `limit_s` passes first.
    """
    with connected("ngonden-load", host=host, port=port) as link:
        link.setblocking(False)
        started = time.monotonic()
        acknowledged_bytes = _pump(link, load, deadline=started + limit_s)
        if acknowledged_bytes < 4 * load.messages:
            raise LoadError(f"only {acknowledged_bytes // 4} of {load.messages} messages were acknowledged")
        return time.monotonic() - started


def forget_session(client_id: str, *, host: str, port: int) -> None:
    """Let the broker drop what it keeps for a client that is away; raises LoadError where it refuses."""
    with connected(client_id, host=host, port=port) as link:
        disconnect(link)


def _pump(link: socket.socket, load: PreparedLoad, *, deadline: float) -> int:
    """Write and read until all is acknowledged (a PUBACK is 4 bytes; with a reason code a little more)."""
    view = memoryview(load.packets)
    sent = received = 0
    with selectors.DefaultSelector() as ready:
        ready.register(link, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while received < 4 * load.messages and time.monotonic() < deadline:
            for _, events in ready.select(timeout=1.0):
                if events & selectors.EVENT_READ:
                    data = link.recv(_PIECE)
                    if not data:
                        raise LoadError(f"the broker closed the connection after {received // 4} messages")
                    received += len(data)
                if events & selectors.EVENT_WRITE:
                    sent += link.send(view[sent : sent + _PIECE])
                    if sent == len(view):
                        ready.modify(link, selectors.EVENT_READ)
    return received


def node_names(count: int) -> Iterable[tuple[str, str]]:
    """(node, pole) pairs as a commune's registry numbers them: tg-0001 with TG-0001."""
    for number in range(1, count + 1):
        name = f"tg-{number:04d}"
        yield name, name.upper()
