"""What a live sample means for incidents: the faults its node tells, and the lamp as its meter shows it."""

from __future__ import annotations

from datetime import datetime

from hub.incidents.model import LAMP_FAILURE, Evidence, Verdict
from hub.incidents.rules import judge_lamp
from hub.incidents.told import Originator, Word
from hub.ingest.judging.batch import Batch
from hub.ingest.judging.directory import KnownNode
from hub.ingest.state import IngestState, PoleMark
from protocol import Sample


def observe_sample(
    batch: Batch, known: KnownNode, epoch: str, sample: Sample, before: PoleMark | None, filed: datetime
) -> None:
    """Take a pole's newest live sample in; `before` is what was known of the pole until now."""
    _observe_faults(batch, known, epoch, sample, before.faults if before is not None else (), filed)
    _observe_lamp(batch, known, sample, filed)


def is_routine(state: IngestState, known: KnownNode, sample: Sample, before: PoleMark) -> bool:
    """Whether `observe_sample` would surely change nothing: true of nearly every sample, and cheap to tell."""
    if sample.faults or before.faults or state.watcher.concerns(sample.pole):
        return False
    level = sample.lamp.effect_level
    if level <= 0 or sample.meter is None:
        return True
    rated_w = known.lamp_rated_w.get(sample.pole)
    if not rated_w:
        return True
    fail_share = state.watcher.rules[LAMP_FAILURE].params["fail_share"]
    return sample.meter.power_w >= fail_share * rated_w * level


def _observe_faults(
    batch: Batch, known: KnownNode, epoch: str, sample: Sample, before: tuple[str, ...], filed: datetime
) -> None:
    """What the pole's diagnosis tells, and what it told in the sample before and no longer does."""
    if not before and not sample.faults:
        return
    word = Word(epoch, sample.seq, filed, live=True)
    whose = Originator("pole", sample.pole, sample.pole)

    def evidence() -> Evidence:
        return {"told_by": known.name, "sample_at": filed.isoformat()}

    for kind in dict.fromkeys((*before, *sample.faults)):
        batch.state.told.take(
            batch.state.watcher, kind, whose, stands=kind in sample.faults, word=word, evidence=evidence
        )


def _observe_lamp(batch: Batch, known: KnownNode, sample: Sample, filed: datetime) -> None:
    watcher = batch.state.watcher
    rated_w = known.lamp_rated_w.get(sample.pole)
    power_w = sample.meter.power_w if sample.meter is not None else None
    level = sample.lamp.effect_level
    verdict = judge_lamp(
        effect_level=level,
        power_w=power_w,
        lamp_rated_w=rated_w,
        is_open=watcher.is_open(sample.pole, LAMP_FAILURE),
        params=watcher.rules[LAMP_FAILURE].params,
    )

    if LAMP_FAILURE in sample.faults:
        verdict = Verdict.BAD  # the node expects what it has learned, not what the registry says

    def evidence() -> Evidence:
        return {
            "power_w": power_w,
            "expected_w": round(rated_w * level, 1) if rated_w else None,
            "effect_level": level,
            "sample_at": filed.isoformat(),
        }

    watcher.observe(
        sample.pole,
        LAMP_FAILURE,
        verdict,
        filed,
        originator_type="pole",
        pole=sample.pole,
        evidence=evidence,
    )
