"""Items of the outbox to payloads of the contract: one message per kind, none larger than the hub takes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from edge.outbox.outbox_file import Item
from protocol import SCHEMA_VERSION, Event, EventMessage, Kind, Receipt, Sample, Telemetry, encode

COMFORTABLE_BYTES = 64 * 1024
"""A quarter of what the hub takes; a message that large is already slow over a weak link."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One MQTT message, and the items that travel in it."""

    kind: Kind
    payload: bytes
    items: Sequence[Item]


def wrap(
    items: Sequence[Item],
    *,
    node: str,
    epoch: UUID,
    historical: bool,
    now: datetime,
    late: Collection[int] = (),
) -> Iterator[Envelope]:
    """Events in one message, each receipt in its own, samples in as few as their size allows.

    All of them are `historical`, or those whose seq stands in `late`.
    """
    marked = [
        msgspec.structs.replace(item, historical=True) if historical or item.seq in late else item
        for item in items
    ]
    events = [item for item in marked if isinstance(item, Event)]
    if events:
        message = EventMessage(v=SCHEMA_VERSION, node=node, epoch=epoch, sent_at=now, events=events)
        yield Envelope(Kind.EVENT, encode(message), events)
    for item in marked:
        if isinstance(item, Receipt):
            yield Envelope(Kind.RECEIPT, encode(item), [item])
    samples = [item for item in marked if isinstance(item, Sample)]
    if samples:
        yield from _telemetry(samples, node=node, epoch=epoch, now=now)


def _telemetry(samples: list[Sample], *, node: str, epoch: UUID, now: datetime) -> Iterator[Envelope]:
    message = Telemetry(v=SCHEMA_VERSION, node=node, epoch=epoch, sent_at=now, samples=samples)
    payload = encode(message)
    if len(payload) <= COMFORTABLE_BYTES or len(samples) == 1:
        yield Envelope(Kind.TELEMETRY, payload, samples)
        return
    half = len(samples) // 2
    yield from _telemetry(samples[:half], node=node, epoch=epoch, now=now)
    yield from _telemetry(samples[half:], node=node, epoch=epoch, now=now)
