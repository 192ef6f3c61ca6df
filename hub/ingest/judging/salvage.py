"""What can still be read of a message that does not decode: good neighbours are kept, bad ones named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from protocol import DecodeError, Event, Sample, decode_envelope, decode_sample
from protocol.codec import MAX_BYTES, Reason, seq_of
from protocol.messages import Name, SchemaVersion

MAX_ITEMS = 500

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Part:
    """One item of a message: `sample` or `event` where it is good, `error` where it is not."""

    raw: bytes
    seq: int | None
    sample: Sample | None = None
    event: Event | None = None
    error: DecodeError | None = None


class _EventEnvelope(Struct, frozen=True):
    v: SchemaVersion
    node: Name
    epoch: UUID
    events: list[Raw]


class _ReceiptKey(Struct, frozen=True):
    node: Name
    epoch: UUID
    seq: int


_EVENTS = msgspec.json.Decoder(_EventEnvelope)
_EVENT = msgspec.json.Decoder(Event)
_RECEIPT_KEY = msgspec.json.Decoder(_ReceiptKey)


def salvage_telemetry(payload: bytes, *, node: str, error: DecodeError) -> tuple[str, list[Part]]:
    """The epoch, and each sample judged alone; raises `error` or DecodeError when there is no telling."""
    envelope = decode_envelope(payload, node=node)
    if not 1 <= len(envelope.samples) <= MAX_ITEMS:
        raise error
    return str(envelope.epoch), list(_samples(envelope.samples))


def salvage_events(payload: bytes, *, node: str, error: DecodeError) -> tuple[str, list[Part]]:
    """The same for a message of events."""
    try:
        envelope = _EVENTS.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise error from None
    if envelope.node != node or len(payload) > MAX_BYTES or not 1 <= len(envelope.events) <= MAX_ITEMS:
        raise error
    return str(envelope.epoch), list(_events(envelope.events))


def receipt_key(payload: bytes, *, node: str) -> tuple[str, int] | None:
    """Epoch and seq of a receipt that does not decode, where at least those can be read."""
    try:
        key = _RECEIPT_KEY.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return (str(key.epoch), key.seq) if key.node == node and 1 <= key.seq < 2**53 else None


def _samples(raws: list[Raw]) -> Iterator[Part]:
    for raw in raws:
        try:
            sample = decode_sample(raw)
        except DecodeError as error:
            yield Part(bytes(raw), _seq(raw), error=error)
        else:
            yield Part(bytes(raw), sample.seq, sample=sample)


def _events(raws: list[Raw]) -> Iterator[Part]:
    for raw in raws:
        try:
            event = _EVENT.decode(raw)
        except msgspec.ValidationError as error:
            reason: Reason = "out_of_range" if "out of range" in str(error) else "wrong_type"
            yield Part(bytes(raw), _seq(raw), error=DecodeError(reason, str(error)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            yield Part(bytes(raw), None, error=DecodeError("not_json", str(error)))
        else:
            yield Part(bytes(raw), event.seq, event=event)


def _seq(raw: Raw) -> int | None:
    try:
        return seq_of(raw)
    except RecursionError:
        return None
