"""What a sample means for incidents: the faults its node tells, and what its readings show by themselves."""

from __future__ import annotations

from datetime import datetime

from hub.incidents.model import (
    CLOCK_UNSYNCED,
    CYCLING_FAILURE,
    LAMP_FAILURE,
    LAMP_UNEXPECTED_ON,
    METER_STALE,
    SUPPLY_LOSS,
    Evidence,
    Subject,
    Verdict,
)
from hub.incidents.rulebook import Limits
from hub.incidents.rules import (
    PICTURE_KINDS,
    judge_burning,
    judge_camera,
    judge_flag,
    judge_high,
    judge_lamp,
    judge_low,
)
from hub.incidents.told import Word
from hub.ingest.judging.batch import Batch
from hub.ingest.judging.directory import KnownNode
from hub.ingest.state import IngestState, PoleMark
from protocol import CabinetReading, CameraReading, Sample

_EXPLAINS_BURNING = frozenset({LAMP_UNEXPECTED_ON, METER_STALE, "relay_failure", "power_tapping"})
_NO_FAULTS: tuple[str, ...] = ()
_LIVES_FROM_V = 5.0
"""A solar lamp lives at 12 V; below this there is no supply of any kind."""


def observe_sample(
    batch: Batch, known: KnownNode, epoch: str, sample: Sample, before: PoleMark | None, filed: datetime
) -> None:
    """Take a pole's newest live sample in; `before` is what was known of the pole until now."""
    subject = known.pole_subject(sample.pole)
    _observe_maintenance(batch, subject, sample)
    faults = before.faults if before is not None else _NO_FAULTS
    _observe_faults(batch, known, subject, epoch, sample, faults, filed)
    diagnosed = _is_diagnosed(sample, before)
    _observe_lamp(batch, known, subject, sample, filed, diagnosed=diagnosed)
    _observe_meter(batch, subject, sample, filed, diagnosed=diagnosed)
    if sample.cabinet is not None:
        _observe_cabinet(batch, known, sample.cabinet, filed)
    _observe_clock(batch, known, sample, filed)
    for camera in sample.cameras:
        if camera.camera in known.cameras:
            _observe_camera(batch, known.camera_subject(camera.camera), camera, filed)


def observe_history(batch: Batch, known: KnownNode, sample: Sample, filed: datetime) -> None:
    """Take a sample of history in: it raises no alarm, and corrects what was written without it."""
    power_w = sample.meter.power_w if sample.meter is not None else None
    verdict = judge_lamp(
        effect_level=sample.lamp.effect_level,
        power_w=power_w,
        lamp_rated_w=known.lamp_rated_w.get(sample.pole),
        is_open=False,
        params=batch.state.watcher.rules.of(LAMP_FAILURE, known.commune).params,
    )
    verdict = _with_the_nodes_word(verdict, sample)
    batch.state.watcher.corrections.take(known.name, sample.pole, filed, verdict, batch.now)


def is_routine(state: IngestState, known: KnownNode, sample: Sample, before: PoleMark) -> bool:
    """Whether `observe_sample` would surely change nothing: true of nearly every sample, and cheap to tell."""
    watcher, pole = state.watcher, sample.pole
    concerned = watcher.concerned
    if sample.faults or before.faults or pole in concerned or known.name in concerned:
        return False
    lamp, meter = sample.lamp, sample.meter
    # The first word of a meter, and the silence of one that has spoken, are news.
    if (meter is None) is (pole in state.metered):
        return False
    if sample.clock != "synced" or lamp.reason == "maintenance":
        return False
    rules = watcher.rules
    limits = rules.known_limits.get(known.commune) or rules.limits(known.commune)
    if meter is not None:
        volts = meter.voltage_v
        if volts is not None and not limits.voltage_low_v <= volts < limits.voltage_high_v:
            return False
        rated_w = known.lamp_rated_w.get(pole)
        if rated_w:
            level = lamp.effect_level
            if level > 0:
                if meter.power_w < limits.fail_share * rated_w * level:
                    return False
            elif meter.power_w >= limits.on_share * rated_w:
                return False
    if sample.cabinet is not None and not _is_quiet_cabinet(state, known, sample.cabinet, limits):
        return False
    return not sample.cameras or all(_is_quiet_camera(state, one, limits) for one in sample.cameras)


def _is_quiet_cabinet(
    state: IngestState, known: KnownNode, cabinet: CabinetReading, limits: Limits
) -> bool:
    if cabinet.door_open or cabinet.supply_present is False or state.told.has_begun(known.name):
        return False
    return cabinet.temperature_c is None or cabinet.temperature_c < limits.temperature_c


def _is_quiet_camera(state: IngestState, camera: CameraReading, limits: Limits) -> bool:
    if not camera.reachable or camera.stream not in (None, "live") or camera.picture in PICTURE_KINDS:
        return False
    if camera.camera in state.watcher.concerned or state.told.has_begun(camera.camera):
        return False
    offset_s, age_s = camera.clock_offset_s, camera.recording_age_s
    if offset_s is not None and abs(offset_s) > limits.camera_clock_s:
        return False
    return age_s is None or age_s <= limits.recording_age_s


def _observe_maintenance(batch: Batch, subject: Subject, sample: Sample) -> None:
    """Also where the event got lost in a restart; an override given later hides whether it goes on."""
    reason = sample.lamp.reason
    if reason != "override":
        batch.state.watcher.arranging.maintain(subject, begins=reason == "maintenance")


def _observe_faults(
    batch: Batch,
    known: KnownNode,
    subject: Subject,
    epoch: str,
    sample: Sample,
    before: tuple[str, ...],
    filed: datetime,
) -> None:
    """What the pole's diagnosis tells, and what it told in the sample before and no longer does."""
    if not before and not sample.faults:
        return
    word = Word(epoch, sample.seq, filed, live=True)

    def evidence() -> Evidence:
        return {"told_by": known.name, "sample_at": filed.isoformat()}

    for kind in dict.fromkeys((*before, *sample.faults)):
        batch.state.told.take(
            batch.state.watcher, kind, subject, stands=kind in sample.faults, word=word, evidence=evidence
        )


def _has_supply(batch: Batch, known: KnownNode, sample: Sample) -> bool:
    """Without mains a lamp is dark and no fault of its own."""
    if batch.state.watcher.is_open(known.name, SUPPLY_LOSS):
        return False
    if sample.cabinet is not None and sample.cabinet.supply_present is False:
        return False
    meter = sample.meter
    return meter is None or meter.voltage_v is None or meter.voltage_v >= _LIVES_FROM_V


def _is_diagnosed(sample: Sample, before: PoleMark | None) -> bool:
    """Whether its node diagnoses the lamp: what keeps a lamp's counters watches it, too."""
    return sample.counters is not None or (before is not None and before.counters is not None)


def _with_the_nodes_word(verdict: Verdict, sample: Sample) -> Verdict:
    """The node expects what it has learned, not what the registry says, and knows its meter and its lamp.

    What it explains otherwise starts anew once its own word has ended.
    """
    if LAMP_FAILURE in sample.faults:
        return Verdict.BAD
    if METER_STALE in sample.faults or (CYCLING_FAILURE in sample.faults and verdict is Verdict.BAD):
        return Verdict.NOT_DUE
    return verdict


def _observe_lamp(
    batch: Batch,
    known: KnownNode,
    subject: Subject,
    sample: Sample,
    filed: datetime,
    *,
    diagnosed: bool,
) -> None:
    watcher, commune = batch.state.watcher, known.commune
    rated_w = known.lamp_rated_w.get(sample.pole)
    power_w = sample.meter.power_w if sample.meter is not None else None
    level = sample.lamp.effect_level
    failure = judge_lamp(
        effect_level=level,
        power_w=power_w,
        lamp_rated_w=rated_w,
        is_open=watcher.is_open(sample.pole, LAMP_FAILURE),
        params=watcher.rules.of(LAMP_FAILURE, commune).params,
    )
    burning = judge_burning(
        effect_level=level,
        due=sample.lamp.due,
        power_w=power_w,
        lamp_rated_w=rated_w,
        params=watcher.rules.of(LAMP_UNEXPECTED_ON, commune).params,
    )
    if failure is Verdict.BAD and not _has_supply(batch, known, sample):
        failure = Verdict.NO_EVIDENCE
    failure = _with_the_nodes_word(failure, sample)
    if not _EXPLAINS_BURNING.isdisjoint(sample.faults):
        burning = Verdict.NOT_DUE  # the node has a word of its own for it

    def evidence() -> Evidence:
        return {
            "power_w": power_w,
            "expected_w": round(rated_w * level, 1) if rated_w else None,
            "effect_level": level,
            "sample_at": filed.isoformat(),
        }

    for kind, verdict in ((LAMP_FAILURE, failure), (LAMP_UNEXPECTED_ON, burning)):
        watcher.observe(subject, kind, verdict, filed, evidence=evidence, diagnosed=diagnosed)


def _observe_meter(
    batch: Batch, subject: Subject, sample: Sample, filed: datetime, *, diagnosed: bool
) -> None:
    watcher, metered, meter = batch.state.watcher, batch.state.metered, sample.meter
    name, commune = subject.name, subject.place.commune
    if meter is None:
        if name in metered:
            watcher.observe(subject, METER_STALE, Verdict.BAD, filed, evidence=dict, diagnosed=diagnosed)
        return
    metered.add(name)
    if METER_STALE not in sample.faults:
        watcher.observe(subject, METER_STALE, Verdict.GOOD, filed, evidence=dict)
    volts = meter.voltage_v
    low = watcher.rules.of("supply_voltage_too_low", commune).params
    high = watcher.rules.of("supply_voltage_too_high", commune).params
    verdicts = {
        "supply_voltage_too_low": judge_low(
            volts,
            low["voltage_low_v"],
            hysteresis=low["voltage_hysteresis_v"],
            is_open=watcher.is_open(name, "supply_voltage_too_low"),
            dead=low["voltage_dead_v"],
        ),
        "supply_voltage_too_high": judge_high(
            volts,
            high["voltage_high_v"],
            hysteresis=high["voltage_hysteresis_v"],
            is_open=watcher.is_open(name, "supply_voltage_too_high"),
        ),
    }
    for kind, verdict in verdicts.items():
        if kind not in sample.faults:  # what the node tells of stands by its word
            watcher.observe(subject, kind, verdict, filed, evidence=lambda: {"voltage_v": volts})


def _observe_cabinet(batch: Batch, known: KnownNode, cabinet: CabinetReading, filed: datetime) -> None:
    watcher = batch.state.watcher
    hot = watcher.rules.of("high_temperature", known.commune).params
    verdicts = {
        "cabinet_door_open": judge_flag(cabinet.door_open),
        SUPPLY_LOSS: judge_flag(None if cabinet.supply_present is None else not cabinet.supply_present),
        "high_temperature": judge_high(
            cabinet.temperature_c,
            hot["high_c"],
            hysteresis=hot["hysteresis_c"],
            is_open=watcher.is_open(known.name, "high_temperature"),
        ),
    }
    _observe_shown(
        batch,
        known.as_subject(),
        verdicts,
        filed,
        {"temperature_c": cabinet.temperature_c, "shown_by": "sample"},
    )


def _observe_clock(batch: Batch, known: KnownNode, sample: Sample, filed: datetime) -> None:
    synced = sample.clock == "synced"
    if not synced or batch.state.watcher.is_watched(known.name, CLOCK_UNSYNCED):
        verdict = Verdict.GOOD if synced else Verdict.BAD
        batch.state.watcher.observe(known.as_subject(), CLOCK_UNSYNCED, verdict, filed, evidence=dict)


def _observe_camera(batch: Batch, subject: Subject, camera: CameraReading, filed: datetime) -> None:
    limits = batch.state.watcher.rules.limits(subject.place.commune)
    verdicts = judge_camera(
        reachable=camera.reachable,
        stream=camera.stream,
        picture=camera.picture,
        clock_offset_s=camera.clock_offset_s,
        recording_age_s=camera.recording_age_s,
        clock_limit_s=limits.camera_clock_s,
        recording_limit_s=limits.recording_age_s,
    )
    told: Evidence = {
        "shown_by": "sample",
        "stream": camera.stream,
        "picture": camera.picture,
        "clock_offset_s": camera.clock_offset_s,
        "recording_age_s": camera.recording_age_s,
    }
    _observe_shown(batch, subject, verdicts, filed, told)


def _observe_shown(
    batch: Batch, subject: Subject, verdicts: dict[str, Verdict], filed: datetime, told: Evidence
) -> None:
    """What readings show by themselves; where history has said that it began, it opens at once."""
    watcher, has_begun = batch.state.watcher, batch.state.told.has_begun(subject.name)
    for kind, verdict in verdicts.items():
        if has_begun and verdict is Verdict.BAD:
            batch.state.told.still_shown(watcher, kind, subject, filed, lambda: told)
        watcher.observe(subject, kind, verdict, filed, evidence=lambda: told)
