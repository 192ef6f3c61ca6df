"""How long a telemetry store keeps which resolution: the same setting for every store."""

from __future__ import annotations

from dataclasses import dataclass

DAY_MS = 86_400_000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Retention:
    """Days for which samples, their 1-minute and their 1-hour sums are kept.

    Raises ValueError unless 2 ≤ raw ≤ minute ≤ hour: what is coarser must reach further back.
    """

    raw_days: int = 35
    minute_days: int = 400
    hour_days: int = 3660

    def __post_init__(self) -> None:
        if not 2 <= self.raw_days <= self.minute_days <= self.hour_days:
            raise ValueError("raw_days ≥ 2, minute_days ≥ raw_days and hour_days ≥ minute_days are needed")
