"""Faults that a node itself diagnoses and tells of: they open and close by its word, without a hold-off here.

The node has watched long enough before it speaks. Which kinds become incidents is data: `TOLD_KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from hub.incidents.model import LAMP_FAILURE, Evidence, OriginatorType, Rule, Verdict
from hub.incidents.watcher import Key, Watcher

TOLD_KINDS = frozenset(
    {
        # a pole's lamp, meter and board
        LAMP_FAILURE,
        "lamp_unexpected_on",
        "cycling_failure",
        "lamp_power_too_low",
        "lamp_power_too_high",
        "relay_failure",
        "power_factor_too_low",
        "supply_voltage_too_low",
        "supply_voltage_too_high",
        "power_tapping",
        "meter_stale",
        "board_silent",
        "board_fault",
        "motion_sensor_stuck",
        # a node's cabinet
        "feeder_loss",
        "phase_open",
        "supply_loss",
        "cabinet_door_open",
        "high_temperature",
        "serial_line_lost",
        # a camera
        "camera_offline",
        "camera_stream_lost",
        "camera_frozen",
        "camera_dark",
        "camera_covered",
        "camera_defocused",
        "camera_moved",
        "camera_clock_drift",
        "recording_gap",
    }
)


@dataclass(frozen=True, slots=True)
class Originator:
    """Whose fault it is; `pole` is where people look for it, where there is one."""

    type: OriginatorType
    name: str
    pole: str | None


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a node: (epoch, seq) tells its order among the others, whatever the clocks did."""

    epoch: str
    seq: int
    at: datetime
    live: bool


class ToldFaults:
    """Turns nodes' words into observations of a watcher.

    Samples wait and travel together while events go at once, so a word may arrive after a newer one. The
    order of what was heard is kept in memory only: after a restart of the hub a late sample can at most
    open or close what the next sample puts right.
    """

    def __init__(self) -> None:
        self._heard: dict[Key, tuple[str, int]] = {}

    def take(
        self,
        watcher: Watcher,
        kind: str,
        originator: Originator,
        *,
        stands: bool,
        word: Word,
        evidence: Callable[[], Evidence],
    ) -> None:
        """A fault begins or stands, or has ended. History opens nothing; it closes what it came after."""
        if kind not in TOLD_KINDS:
            return
        key = Key(originator.name, kind)
        epoch, seq = self._heard.get(key, ("", 0))
        if epoch == word.epoch and word.seq <= seq:
            return
        if not word.live and not _closes(watcher, key, word, stands=stands):
            return
        self._heard[key] = (word.epoch, word.seq)
        watcher.observe(
            originator.name,
            kind,
            Verdict.BAD if stands else Verdict.GOOD,
            word.at,
            originator_type=originator.type,
            pole=originator.pole,
            evidence=evidence,
            rule=Rule(kind, hold_off_s=0, clear_after_s=0),
        )


def _closes(watcher: Watcher, key: Key, word: Word, *, stands: bool) -> bool:
    since = watcher.open_since(key.originator, key.kind)
    return not stands and since is not None and word.at >= since
