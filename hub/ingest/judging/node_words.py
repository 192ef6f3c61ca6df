"""What a node says beside its samples: state messages and wills, events, receipts."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import msgspec

from hub.bulk import utc_text
from hub.incidents.model import DEVICE_RESET
from hub.incidents.told import Word
from hub.ingest.judging.batch import Batch, ReceiptRow
from hub.ingest.judging.directory import KnownNode
from hub.ingest.judging.gaps import told_gap
from hub.ingest.link.arrival import Arrival
from hub.ingest.state import NodeLive
from protocol import Event, NodeState, Receipt, TimeVerdict, judge_time

_JSON = msgspec.json.Encoder()
_NUL = "a text holds U+0000, which PostgreSQL does not store"
_LARGEST_COUNT = 2**53
_LARGEST_VERSION = 2**31 - 1

EVENT_COLUMNS = (
    "node",
    "epoch",
    "seq",
    "pole",
    "kind",
    "at",
    "received_at",
    "clock",
    "historical",
    "detail",
    "camera",
    "active",
    "revision",
)
"""The order in which `take_event` fills a row; the revision is added at the commit."""


def take_state(
    batch: Batch, came: Arrival, received_at: datetime, known: KnownNode, message: NodeState
) -> None:
    """Take a birth, a heartbeat, a farewell or a will.

    A retained message tells what the broker last heard, not that the node lives: it only teaches the
    session, and a farewell or will is believed of a session that is not older than the known one.
    """
    if b"\\u0000" in came.payload:
        batch.refuse(came, received_at, "nul_character", _NUL, known=known)
        return
    live = batch.state.nodes.get(known.name)
    if message.status != "online":
        _take_end(batch, came, received_at, known, live, message)
        return
    if came.retain:
        batch.state.promised_s[known.name] = message.heartbeat_s
        if live is not None and _not_older(live, message):
            _learn(live, message)
            batch.changed_nodes.add(known.name)
        return
    live = batch.heard_from(known)
    if live.session != str(message.session):
        batch.born.add(known.name)
    _learn(live, message)
    batch.heard[known.name] = live.heartbeat_s
    batch.changed_nodes.add(known.name)


def _take_end(
    batch: Batch,
    came: Arrival,
    received_at: datetime,
    known: KnownNode,
    live: NodeLive | None,
    message: NodeState,
) -> None:
    if live is None:
        plausible = message.clock == "synced" and message.connected_at <= received_at
        seen = message.connected_at if plausible else received_at
        live = batch.state.nodes[known.name] = NodeLive(known.name, known.commune, seen)
    elif not _not_older(live, message):
        return  # the will of a connection that the node has since replaced
    _learn(live, message)
    live.status = "lost" if message.status == "lost" else "stopped"
    if live.status == "stopped" and not came.retain:
        live.last_seen_at = batch.now  # a farewell is the node's own word, a will is the broker's
    batch.changed_nodes.add(known.name)
    batch.ended[known.name] = not came.retain


def _not_older(live: NodeLive, message: NodeState) -> bool:
    if live.session is None or live.session == str(message.session) or live.connected_at is None:
        return True
    return message.connected_at > live.connected_at


def _learn(live: NodeLive, message: NodeState) -> None:
    live.session = str(message.session)
    live.connected_at = message.connected_at.astimezone(UTC)
    live.heartbeat_s = message.heartbeat_s
    live.epoch = str(message.epoch)
    live.queued = min(message.queued, _LARGEST_COUNT)
    live.agent_version = message.agent_version
    live.config_version = min(message.config_version, _LARGEST_VERSION)
    live.clock = message.clock


def take_event(
    batch: Batch, came: Arrival, received_at: datetime, known: KnownNode, epoch: str, event: Event
) -> None:
    """Keep one event of a known node, or set it aside."""
    ranges = batch.ranges_of(known.name, epoch)
    if event.seq in ranges:
        batch.state.counters.duplicates += 1
        batch.confirmation(known, epoch).stored.append(event.seq)
        return
    refuse = partial(
        batch.refuse, came, received_at, known=known, epoch=epoch, seq=event.seq, part=_JSON.encode(event)
    )
    if event.pole is not None and event.pole not in known.poles:
        refuse("foreign_pole", f"{event.pole} is not a pole of {known.name}")
        return
    filed = _filed(batch, event, received_at)
    if filed is None:
        refuse("implausible_time", _clock_fault(event))
        return
    detail = _JSON.encode(event.detail).decode()
    if "\\u0000" in detail:
        refuse("nul_character", _NUL)
        return
    ranges.add(event.seq)
    batch.changed_ranges.add((known.name, epoch))
    gap = told_gap(event, epoch)
    if gap is not None:
        for first, last in gap[1]:
            batch.ranges_of(known.name, gap[0]).add_span(first, last)
        batch.changed_ranges.add((known.name, gap[0]))
    batch.event_rows.append(
        (
            known.name,
            epoch,
            event.seq,
            event.pole,
            event.kind,
            utc_text(filed),
            utc_text(received_at),
            event.clock,
            event.historical,
            detail,
            event.camera,
            event.active,
        )
    )
    _observe(batch, known, epoch, event, filed)
    batch.state.counters.events_stored += 1
    batch.confirmation(known, epoch).stored.append(event.seq)


def _observe(batch: Batch, known: KnownNode, epoch: str, event: Event, filed: datetime) -> None:
    """A fault that begins or has ended; one of a camera that the registry does not have here is none."""
    age_s = (batch.now - filed).total_seconds()
    is_live = not event.historical and age_s <= batch.live_max_age_s
    watcher, told = batch.state.watcher, batch.state.told
    if event.active is None:
        if event.kind == DEVICE_RESET:
            cause = str(event.detail.get("cause", ""))
            told.reset(watcher, known.as_subject(), filed, cause, live=is_live)
        return
    if event.camera is not None:
        if event.camera not in known.cameras:
            return
        subject = known.camera_subject(event.camera)
    elif event.pole is not None:
        subject = known.pole_subject(event.pole)
    else:
        subject = known.as_subject()
    if event.kind == "maintenance_mode":
        if is_live:
            watcher.arranging.maintain(subject, begins=event.active)
        return
    told.take(
        watcher,
        event.kind,
        subject,
        stands=event.active,
        word=Word(epoch, event.seq, filed, live=is_live),
        evidence=lambda: {**event.detail, "told_by": known.name, "told_at": filed.isoformat()},
    )


def take_receipt(
    batch: Batch, came: Arrival, received_at: datetime, known: KnownNode, receipt: Receipt
) -> None:
    """Note a receipt for its command; whether there is such a command is seen at the commit."""
    epoch = str(receipt.epoch)
    ranges = batch.ranges_of(known.name, epoch)
    if receipt.seq in ranges:
        batch.state.counters.duplicates += 1
        batch.confirmation(known, epoch).stored.append(receipt.seq)
        return
    refuse = partial(batch.refuse, came, received_at, known=known, epoch=epoch, seq=receipt.seq)
    if b"\\u0000" in came.payload:
        refuse("nul_character", _NUL)
        return
    filed = _filed(batch, receipt, received_at)
    if filed is None:
        refuse("implausible_time", _clock_fault(receipt))
        return
    ranges.add(receipt.seq)
    batch.changed_ranges.add((known.name, epoch))
    batch.receipts.append(ReceiptRow(receipt, filed, came, received_at, known))


def _filed(batch: Batch, item: Event | Receipt, received_at: datetime) -> datetime | None:
    verdict = judge_time(
        item.time, now=batch.now, clock_synced=item.clock == "synced", historical=item.historical
    )
    if verdict is TimeVerdict.REFUSE:
        return None
    return item.time if verdict is TimeVerdict.USE_SAMPLE_TIME else received_at


def _clock_fault(item: Event | Receipt) -> str:
    return f"{item.time.isoformat()} with a clock that is {item.clock}"
