"""The telemetry store as the hub sees it: one interface, InfluxDB or embedded behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

import msgspec


class CameraPoint(NamedTuple):
    """Whether a camera answered; `latency_ms` None when it did not say."""

    camera: str
    reachable: bool
    latency_ms: float | None


class Point(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One sample as it is filed. Identified by (node, epoch, seq); None means unknown, never zero."""

    node: str
    epoch: str
    seq: int
    commune: str
    pole: str
    time_ms: int
    """Unix milliseconds under which it is filed: the sample's time, or its arrival (see judge_time)."""
    received_ms: int
    clock: Literal["synced", "unsynced"]
    historical: bool
    effect_level: float
    reason: str
    commanded_level: float | None
    power_w: float | None
    voltage_v: float | None
    current_a: float | None
    power_factor: float | None
    energy_wh: float | None
    dark: bool | None
    cameras: tuple[CameraPoint, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """A pole's chart as columns of equal length, ascending; each entry is the mean of its interval.

    `time` holds Unix seconds at the interval's start; `camera_reachable` the share of camera checks that
    were answered (0 to 1). None stands where nothing was measured.
    """

    pole: str
    start: datetime
    end: datetime
    time: list[float]
    power_w: list[float | None]
    voltage_v: list[float | None]
    level: list[float | None]
    camera_reachable: list[float | None]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many points a store holds of one (node, epoch): more points than distinct seqs are doubles."""

    points: int
    distinct: int
    last_seq: int
    """0 when there are none; nothing is missing when it equals `distinct`."""


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the store answers, and what it says of itself."""

    up: bool
    detail: str


class TelemetryError(Exception):
    """Base of what a store can answer; the text says what went wrong."""


class StoreUnavailableError(TelemetryError):
    """The store does not take this now (down, overloaded, wrong credentials): try again later."""

    def __init__(self, detail: str, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class PointsRefusedError(TelemetryError):
    """The store will never take at least one of these points; the others may still be stored."""


class TelemetryStore(Protocol):
    """What a store must do. One thread writes; reads may come from others."""

    def write(self, batch_id: int, points: Sequence[Point]) -> None:
        """Keep the points on disk; writing a point again, in any batch, changes nothing.

        `batch_id` names the batch in logs. Raises StoreUnavailableError or PointsRefusedError.
        """

    def series(self, pole: str, start: datetime, end: datetime, max_points: int) -> Series:
        """A pole's points from `start` to before `end`, averaged to at most `max_points` intervals.

        History that was stamped with a wrong clock is left out: kept, counted, but nobody knows when it was.

        Raises StoreUnavailableError.
        """

    def count(self, node: str, epoch: str) -> Tally:
        """What is stored of one node's epoch as samples: sums of older ones are not counted.

        Raises StoreUnavailableError.
        """

    def health(self) -> Health:
        """Ask the store how it is; never raises."""

    def close(self) -> None:
        """Let go of files and connections."""
