"""A message as it came in, and a message or part of one as it is set aside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

import msgspec

from hub.telemetry.port import Point
from protocol.codec import MAX_BYTES

KEEP_BYTES = 16 * 1024
"""So much of a refused payload is kept."""


class Arrival(NamedTuple):
    """One MQTT message. `at` is its arrival in Unix seconds; `generation` the connection it came by."""

    topic: str
    payload: bytes
    mid: int
    qos: int
    retain: bool
    dup: bool
    generation: int
    at: float
    whole: tuple[int, str] | None = None
    """Size and SHA-256 where the payload was too large to be held: then only its beginning is here."""


@dataclass(frozen=True, slots=True)
class Reject:
    """What was refused, why, and whether the broker may have delivered it before."""

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
    maybe_again: bool


def arrival(
    topic: str, payload: bytes, *, mid: int, qos: int, retain: bool, dup: bool, generation: int, at: float
) -> Arrival:
    """Take a message over from the client; what no decoder would take is cut to its beginning at once."""
    if len(payload) <= MAX_BYTES:
        return Arrival(topic, payload, mid, qos, retain, dup, generation, at)
    whole = (len(payload), sha256(payload).hexdigest())
    return Arrival(topic, payload[:KEEP_BYTES], mid, qos, retain, dup, generation, at, whole)


def rejected(
    came: Arrival,
    received_at: datetime,
    reason: str,
    detail: str,
    *,
    node: str | None = None,
    epoch: str | None = None,
    seq: int | None = None,
    part: bytes | None = None,
) -> Reject:
    """Set a message aside, or the `part` of it that is bad."""
    data = came.payload if part is None else part
    size, digest = came.whole if came.whole and part is None else (len(data), sha256(data).hexdigest())
    return Reject(
        received_at=received_at,
        topic=came.topic[:500],
        node=node,
        epoch=epoch,
        seq=seq,
        reason=reason,
        detail=detail[:1000].replace("\x00", "\\0"),
        size=size,
        sha256=digest,
        payload=data[:KEEP_BYTES],
        maybe_again=came.dup or came.retain,
    )


def rejected_point(point: Point, words: str, now: datetime) -> Reject:
    """Set aside what the telemetry store will never take, with the store's own words."""
    data = msgspec.json.encode(point)
    return Reject(
        received_at=now,
        topic="telemetry store",
        node=point.node,
        epoch=point.epoch,
        seq=point.seq,
        reason="store_refused",
        detail=words[:1000].replace("\x00", "\\0"),
        size=len(data),
        sha256=sha256(data).hexdigest(),
        payload=data[:KEEP_BYTES],
        maybe_again=False,
    )
