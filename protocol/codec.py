"""Bytes to messages and back; everything that does not fit is refused with a reason a person can use."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal, TypeVar, overload
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from protocol.messages import (
    Command,
    Config,
    EventMessage,
    Message,
    Name,
    NodeState,
    Receipt,
    Sample,
    SchemaVersion,
    Stored,
    Telemetry,
)
from protocol.topics import Kind

MAX_BYTES = 256 * 1024
"""A larger payload is refused undecoded: 500 samples take about 150 kB."""

Reason = Literal[
    "too_large", "bad_packing", "not_json", "wrong_type", "out_of_range", "wrong_unit", "wrong_node"
]

_TYPES: dict[Kind, type[Message]] = {
    Kind.TELEMETRY: Telemetry,
    Kind.EVENT: EventMessage,
    Kind.STATE: NodeState,
    Kind.RECEIPT: Receipt,
    Kind.STORED: Stored,
    Kind.COMMAND: Command,
    Kind.CONFIG: Config,
}
_DECODERS = {kind: msgspec.json.Decoder(type_) for kind, type_ in _TYPES.items()}
_ENCODER = msgspec.json.Encoder()

# A quantity under another unit's name would pass as an unknown field and its value be lost without a word.
_WRONG_UNIT = re.compile(
    rb'"(power_(?:kw|mw|va)|voltage_(?:mv|kv)|current_(?:ma|ka)|energy_(?:kwh|mwh|j|ws)'
    rb'|latency_(?:s|us|ns)|lamp_rated_kw|heartbeat_ms|sample_interval_ms)"\s*:'
)

_OUT_OF_RANGE = re.compile(r"Expected `\w+` (?:[<>]=?|of length)|out of range")


class DecodeError(ValueError):
    """A payload that is not a message of the contract.

    `reason` is one of a few words that can be counted; the text names the field and what was expected.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: Reason = reason
        self.detail = detail


class Envelope(Struct, frozen=True, kw_only=True):
    """Telemetry with its samples still raw: lets one bad sample be set aside without its neighbours."""

    v: SchemaVersion
    node: Name
    epoch: UUID
    sent_at: datetime
    samples: list[Raw]


class _SeqOnly(Struct):
    seq: int


_ENVELOPE = msgspec.json.Decoder(Envelope)
_SAMPLE = msgspec.json.Decoder(Sample)
_SEQ_ONLY = msgspec.json.Decoder(_SeqOnly)

T = TypeVar("T")


def message_type(kind: Kind) -> type[Message]:
    """The message class of a topic kind."""
    return _TYPES[kind]


def encode(message: Message) -> bytes:
    """The message as compact UTF-8 JSON; absent optional fields are left out."""
    return _ENCODER.encode(message)


@overload
def decode(kind: Literal[Kind.TELEMETRY], payload: bytes, *, node: str | None = None) -> Telemetry: ...
@overload
def decode(kind: Literal[Kind.EVENT], payload: bytes, *, node: str | None = None) -> EventMessage: ...
@overload
def decode(kind: Literal[Kind.STATE], payload: bytes, *, node: str | None = None) -> NodeState: ...
@overload
def decode(kind: Literal[Kind.RECEIPT], payload: bytes, *, node: str | None = None) -> Receipt: ...
@overload
def decode(kind: Literal[Kind.STORED], payload: bytes, *, node: str | None = None) -> Stored: ...
@overload
def decode(kind: Literal[Kind.COMMAND], payload: bytes, *, node: str | None = None) -> Command: ...
@overload
def decode(kind: Literal[Kind.CONFIG], payload: bytes, *, node: str | None = None) -> Config: ...
@overload
def decode(kind: Kind, payload: bytes, *, node: str | None = None) -> Message: ...
def decode(kind: Kind, payload: bytes, *, node: str | None = None) -> Message:
    """Decode one payload of a topic kind; with `node`, also insist that it speaks for that node.

    Raises DecodeError: `too_large`, `not_json`, `wrong_type`, `out_of_range`, `wrong_unit`, `wrong_node`.
    """
    _check_bytes(payload)
    message: Message = _run(_DECODERS[kind], payload)
    if node is not None and message.node != node:
        raise DecodeError("wrong_node", f"`node` says {message.node!r}, the topic says {node!r}")
    return message


def decode_envelope(payload: bytes, *, node: str) -> Envelope:
    """Decode telemetry as far as its envelope; raises DecodeError when even that does not fit."""
    if len(payload) > MAX_BYTES:
        raise DecodeError("too_large", f"{len(payload)} bytes, at most {MAX_BYTES} are taken")
    envelope: Envelope = _run(_ENVELOPE, payload)
    if envelope.node != node:
        raise DecodeError("wrong_node", f"`node` says {envelope.node!r}, the topic says {node!r}")
    return envelope


def decode_sample(raw: Raw) -> Sample:
    """Decode one sample of an envelope; raises DecodeError with what is wrong in it."""
    data = bytes(raw)
    _check_bytes(data)
    sample: Sample = _run(_SAMPLE, data)
    return sample


def seq_of(raw: Raw) -> int | None:
    """The seq of a sample that does not decode, where at least that can be read."""
    try:
        seq = _SEQ_ONLY.decode(raw).seq
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return seq if 1 <= seq < 2**53 else None


def _check_bytes(payload: bytes) -> None:
    if len(payload) > MAX_BYTES:
        raise DecodeError("too_large", f"{len(payload)} bytes, at most {MAX_BYTES} are taken")
    wrong = _WRONG_UNIT.search(payload)
    if wrong:
        raise DecodeError("wrong_unit", f"field `{wrong[1].decode()}`: send the unit the contract names")


def _run(decoder: msgspec.json.Decoder[T], payload: bytes) -> T:
    try:
        return decoder.decode(payload)
    except msgspec.ValidationError as error:
        text = str(error)
        reason: Reason = "out_of_range" if _OUT_OF_RANGE.search(text) else "wrong_type"
        raise DecodeError(reason, text) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError("not_json", str(error) or "nested too deep") from None
