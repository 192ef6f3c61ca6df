"""Items as they lie in the outbox's rows: the contract's JSON, packed as on a metered link.

A row must stand alone, because rows are deleted one by one; alone a sample is too short to be compressed. With
the contract's words known beforehand (`protocol.packing`) it shrinks to about a quarter. JSON below it means
that a later agent reads what an earlier one wrote: plain rows of older outboxes too.
"""

from __future__ import annotations

from uuid import UUID

import msgspec

from protocol.codec import DecodeError
from protocol.messages import Event, Receipt, Sample
from protocol.packing import pack, unpack

Item = Sample | Event | Receipt
"""Made on the node, kept until the hub confirms its seq."""

SAMPLE, EVENT, RECEIPT = 0, 1, 2
"""The kinds as the rows name them."""

_DECODERS: dict[int, msgspec.json.Decoder[Item]] = {
    SAMPLE: msgspec.json.Decoder(Sample),
    EVENT: msgspec.json.Decoder(Event),
    RECEIPT: msgspec.json.Decoder(Receipt),
}
_ENCODER = msgspec.json.Encoder()


def to_row(item: Item) -> tuple[int, int, bytes]:
    """The row of a numbered item: seq, kind, body."""
    kind = SAMPLE if isinstance(item, Sample) else EVENT if isinstance(item, Event) else RECEIPT
    return item.seq, kind, pack(_ENCODER.encode(item))


def from_row(kind: int, body: bytes) -> Item:
    """The item of a row. Raises ValueError for one that can't be read, as a worn card may give it back."""
    try:
        return _DECODERS[kind].decode(unpack(body))
    except (KeyError, DecodeError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"an item of kind {kind} that can't be read: {error}") from error


def is_plain(body: bytes) -> bool:
    """Whether a row's body is JSON as it is, as older agents wrote it."""
    return body.startswith(b"{")


def numbered(item: Item, seq: int, epoch: UUID) -> Item:
    """The item with its place in the epoch."""
    if isinstance(item, Receipt):
        return msgspec.structs.replace(item, seq=seq, epoch=epoch)
    return msgspec.structs.replace(item, seq=seq)
