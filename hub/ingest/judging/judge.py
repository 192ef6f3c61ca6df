"""One message judged: to which node it belongs, whether it decodes, and who takes it from there."""

from __future__ import annotations

from datetime import UTC, datetime

from hub.ingest.judging.batch import Batch
from hub.ingest.judging.directory import KnownNode
from hub.ingest.judging.node_words import take_event, take_receipt, take_state
from hub.ingest.judging.salvage import Part, receipt_key, salvage_events, salvage_telemetry
from hub.ingest.judging.samples import take_sample
from hub.ingest.link.arrival import Arrival
from protocol import DecodeError, Kind, Topic, TopicError, decode, parse_topic, unpack
from protocol.codec import MAX_BYTES

_TOPICS_HELD = 200_000
_topics: dict[str, Topic] = {}


def take(batch: Batch, came: Arrival) -> None:
    """Judge one message and put what follows from it into the batch. Raises nothing for bad input."""
    received_at = datetime.fromtimestamp(came.at, UTC)
    try:
        topic = _parsed(came.topic)
    except TopicError as error:
        batch.refuse(came, received_at, "bad_topic", str(error))
        return
    known = batch.look_up(topic.node)
    if known is None:
        # Not confirmed: the node keeps its samples until the registry knows it.
        batch.refuse(
            came, received_at, "unknown_node", f"no node {topic.node!r} in the registry", node=topic.node
        )
        return
    if known.commune != topic.commune:
        detail = f"the registry has {topic.node!r} in {known.commune!r}, the topic says {topic.commune!r}"
        batch.refuse(came, received_at, "wrong_commune", detail, node=topic.node)
        return
    if came.whole is not None:
        detail = f"{came.whole[0]} bytes, at most {MAX_BYTES} are taken"
        batch.refuse(came, received_at, "too_large", detail, known=known)
        return
    try:
        # From here on the payload is text, also where a reject keeps it for a person to read.
        came = came._replace(payload=unpack(came.payload))
        _TAKERS[topic.kind](batch, came, received_at, known)
    except DecodeError as error:
        batch.refuse(came, received_at, error.reason, error.detail, known=known)
    except OverflowError as error:
        # Year 1 or 9999 with an offset that leads out of the calendar.
        batch.refuse(came, received_at, "out_of_range", str(error), known=known)


def _parsed(text: str) -> Topic:
    topic = _topics.get(text)
    if topic is None:
        topic = parse_topic(text)
        if topic.kind not in _TAKERS:
            raise TopicError(f"topic {text[:120]!r}: {topic.kind.value} is not a node's to send")
        if len(_topics) >= _TOPICS_HELD:
            _topics.clear()
        _topics[text] = topic
    return topic


def _telemetry(batch: Batch, came: Arrival, received_at: datetime, known: KnownNode) -> None:
    live = batch.heard_from(known)
    try:
        message = decode(Kind.TELEMETRY, came.payload, node=known.name)
    except DecodeError as error:
        epoch, parts = salvage_telemetry(came.payload, node=known.name, error=error)
        for part in parts:
            if part.sample is not None:
                take_sample(batch, came, received_at, known, live, epoch, part.sample, part.raw)
        _refuse_bad_parts(batch, came, received_at, known, epoch, parts, error)
        return
    epoch = str(message.epoch)
    for sample in message.samples:
        take_sample(batch, came, received_at, known, live, epoch, sample, sent_at=message.sent_at)


def _event(batch: Batch, came: Arrival, received_at: datetime, known: KnownNode) -> None:
    batch.heard_from(known)
    try:
        message = decode(Kind.EVENT, came.payload, node=known.name)
    except DecodeError as error:
        epoch, parts = salvage_events(came.payload, node=known.name, error=error)
        for part in parts:
            if part.event is not None:
                take_event(batch, came, received_at, known, epoch, part.event)
        _refuse_bad_parts(batch, came, received_at, known, epoch, parts, error)
        return
    for event in message.events:
        take_event(batch, came, received_at, known, str(message.epoch), event)


def _receipt(batch: Batch, came: Arrival, received_at: datetime, known: KnownNode) -> None:
    batch.heard_from(known)
    try:
        receipt = decode(Kind.RECEIPT, came.payload, node=known.name)
    except DecodeError as error:
        epoch, seq = receipt_key(came.payload, node=known.name) or (None, None)
        batch.refuse(came, received_at, error.reason, error.detail, known=known, epoch=epoch, seq=seq)
        return
    take_receipt(batch, came, received_at, known, receipt)


def _state(batch: Batch, came: Arrival, received_at: datetime, known: KnownNode) -> None:
    # An empty retained message is how a broker is told to forget one.
    if came.payload:
        take_state(batch, came, received_at, known, decode(Kind.STATE, came.payload, node=known.name))


def _refuse_bad_parts(
    batch: Batch,
    came: Arrival,
    received_at: datetime,
    known: KnownNode,
    epoch: str,
    parts: list[Part],
    whole: DecodeError,
) -> None:
    bad = [part for part in parts if part.error is not None]
    for part in bad:
        assert part.error is not None
        batch.refuse(
            came,
            received_at,
            part.error.reason,
            part.error.detail,
            known=known,
            epoch=epoch,
            seq=part.seq,
            part=part.raw,
        )
    if not bad:  # the fault lies outside the items
        batch.refuse(came, received_at, whole.reason, whole.detail, known=known)


_TAKERS = {
    Kind.TELEMETRY: _telemetry,
    Kind.EVENT: _event,
    Kind.RECEIPT: _receipt,
    Kind.STATE: _state,
}
