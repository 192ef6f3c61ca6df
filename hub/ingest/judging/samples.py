"""One sample of a known node: filed in time, deduped, made a point, a pole's state and an observation."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from hub.bulk import utc_text
from hub.ingest.judging.batch import Batch
from hub.ingest.judging.directory import KnownNode
from hub.ingest.judging.observing import observe_history, observe_sample
from hub.ingest.link.arrival import Arrival
from hub.ingest.state import NodeLive, PoleMark
from hub.telemetry.port import CameraPoint, Point
from protocol import LampCounters, Sample, TimeVerdict, judge_time

POLE_COLUMNS = (
    "pole",
    "node",
    "sample_at",
    "received_at",
    "epoch",
    "seq",
    "effect_level",
    "reason",
    "commanded_level",
    "override_until",
    "power_w",
    "voltage_v",
    "current_a",
    "energy_wh",
    "dark",
    "cameras",
    "clock",
    "told",
    "revision",
)
"""The order in which `take_sample` fills a row of `pole_state`; the revision is added at the commit."""

LONGEST_WAIT = timedelta(hours=1)
"""The contract's bound of `report_interval_s`: no live sample waits longer on its node."""

_JSON = msgspec.json.Encoder()


def take_sample(
    batch: Batch,
    came: Arrival,
    received_at: datetime,
    known: KnownNode,
    live: NodeLive,
    epoch: str,
    sample: Sample,
    raw: bytes | None = None,
    sent_at: datetime | None = None,
) -> None:
    """Put one decoded sample into the batch, or set it aside with its reason.

    `sent_at` is the message's own time, by the same clock as the sample's.
    """
    ranges = batch.ranges_of(known.name, epoch)
    seq = sample.seq
    if seq in ranges:
        batch.state.counters.duplicates += 1
        batch.confirmation(known, epoch).stored.append(seq)
        return
    synced = sample.clock == "synced"
    if sample.pole not in known.poles:
        _refuse(
            batch,
            came,
            received_at,
            known,
            epoch,
            sample,
            raw,
            "foreign_pole",
            f"{sample.pole} is not {known.name}'s",
        )
        return
    verdict = judge_time(sample.time, now=batch.now, clock_synced=synced, historical=sample.historical)
    if verdict is TimeVerdict.REFUSE:
        detail = f"{sample.time.isoformat()} with a clock that is {sample.clock}"
        _refuse(batch, came, received_at, known, epoch, sample, raw, "implausible_time", detail)
        return
    filed = sample.time if verdict is TimeVerdict.USE_SAMPLE_TIME else received_at - _age(sample, sent_at)
    filed_s = filed.timestamp()
    is_live = not sample.historical and batch.now.timestamp() - filed_s <= batch.live_max_age_s
    if _is_newest(batch, known, epoch, sample, filed, is_live):
        try:
            _keep_newest(batch, known, live, epoch, sample, filed, received_at, is_live)
        except (
            OverflowError
        ) as error:  # an override until the year 9999, with an offset out of the calendar
            _refuse(batch, came, received_at, known, epoch, sample, raw, "out_of_range", str(error))
            return
    if not is_live:
        observe_history(batch, known, sample, filed)
    ranges.add(seq)
    batch.changed_ranges.add((known.name, epoch))
    batch.points.append(
        point_of(
            known.name,
            known.commune,
            epoch,
            sample,
            round(filed_s * 1000),
            round(came.at * 1000),
            is_live=is_live,
        )
    )
    batch.state.coverage.sample(sample, filed_s, known.lamp_rated_w.get(sample.pole))
    batch.state.counters.samples_stored += 1
    batch.confirmation(known, epoch).stored.append(seq)
    if is_live and synced:
        batch.live_sample_times.append(filed_s)


def _age(sample: Sample, sent_at: datetime | None) -> timedelta:
    """How long a live sample had waited on its node when it left: a wrong clock still measures that.

    Nothing where the wall clock was moved in between, which shows as a length that no node waits.
    """
    age = timedelta(0) if sent_at is None else sent_at - sample.time
    return age if timedelta(0) <= age <= LONGEST_WAIT else timedelta(0)


def _is_newest(
    batch: Batch, known: KnownNode, epoch: str, sample: Sample, filed: datetime, is_live: bool
) -> bool:
    mark = batch.state.poles.get(sample.pole)
    if mark is None:
        return True
    if mark.node == known.name and mark.epoch == epoch:
        # Within an epoch the seq tells the order, whatever the node's clock did in between.
        return sample.seq > mark.seq
    return is_live or filed > mark.sample_at


def _keep_newest(
    batch: Batch,
    known: KnownNode,
    live: NodeLive,
    epoch: str,
    sample: Sample,
    filed: datetime,
    received_at: datetime,
    is_live: bool,
) -> None:
    before = batch.state.poles.get(sample.pole)
    counters = sample.counters or (before.counters if before is not None else None)
    batch.pole_rows[sample.pole] = pole_row(known.name, epoch, sample, counters, filed, received_at)
    if before is not None:
        before.replaced = True
    batch.state.poles[sample.pole] = PoleMark(
        known.name, epoch, sample.seq, filed, tuple(sample.faults), counters
    )
    live.clock = sample.clock
    if is_live:
        observe_sample(batch, known, epoch, sample, before, filed)


def pole_row(
    node: str,
    epoch: str,
    sample: Sample,
    counters: LampCounters | None,
    filed: datetime,
    received_at: datetime,
) -> tuple[str | int | float | bool | None, ...]:
    """A row of `pole_state` in the order of POLE_COLUMNS; raises OverflowError as `utc_text` does."""
    lamp, meter = sample.lamp, sample.meter
    return (
        sample.pole,
        node,
        utc_text(filed),
        utc_text(received_at),
        epoch,
        sample.seq,
        lamp.effect_level,
        lamp.reason,
        lamp.commanded_level,
        utc_text(lamp.override_until) if lamp.override_until is not None else None,
        meter.power_w if meter is not None else None,
        meter.voltage_v if meter is not None else None,
        meter.current_a if meter is not None else None,
        meter.energy_wh if meter is not None else None,
        sample.dark,
        _JSON.encode(sample.cameras).decode() if sample.cameras else "[]",
        sample.clock,
        _told(sample, counters),
    )


def _told(sample: Sample, counters: LampCounters | None) -> str:
    """What a sample tells beside the columns, as JSON; what it does not tell is not there."""
    told = {
        "faults": sample.faults or None,
        "due": sample.lamp.due,
        "counters": counters,
        "battery": sample.battery,
        "cabinet": sample.cabinet,
    }
    return _JSON.encode({name: value for name, value in told.items() if value is not None}).decode()


def point_of(
    node: str, commune: str, epoch: str, sample: Sample, filed_ms: int, arrived_ms: int, *, is_live: bool
) -> Point:
    """The sample as it is filed; times in Unix milliseconds."""
    lamp, meter = sample.lamp, sample.meter
    return Point(
        node,
        epoch,
        sample.seq,
        commune,
        sample.pole,
        filed_ms,
        arrived_ms,
        sample.clock,
        not is_live,
        lamp.effect_level,
        lamp.reason,
        lamp.commanded_level,
        meter.power_w if meter is not None else None,
        meter.voltage_v if meter is not None else None,
        meter.current_a if meter is not None else None,
        meter.power_factor if meter is not None else None,
        meter.energy_wh if meter is not None else None,
        sample.dark,
        tuple(CameraPoint(camera.camera, camera.reachable, camera.latency_ms) for camera in sample.cameras)
        if sample.cameras
        else (),
    )


def _refuse(
    batch: Batch,
    came: Arrival,
    received_at: datetime,
    known: KnownNode,
    epoch: str,
    sample: Sample,
    raw: bytes | None,
    reason: str,
    detail: str,
) -> None:
    part = raw if raw is not None else _JSON.encode(sample)
    batch.refuse(came, received_at, reason, detail, known=known, epoch=epoch, seq=sample.seq, part=part)
