"""What people ask of uptime, and the answer: shares with their seconds, failures, energy and its cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal, get_args

from hub.uptime.daily.reckoning import Sums

Kind = Literal["lamp", "camera"]
Level = Literal["pole", "segment", "hamlet", "group", "programme", "commune", "province"]
LEVELS: tuple[Level, ...] = get_args(Level)

FAILURE_KINDS: dict[Kind, tuple[str, ...]] = {
    "lamp": (
        "lamp_failure",
        "cycling_failure",
        "relay_failure",
        "supply_loss",
        "feeder_outage",
    ),
    "camera": (
        "camera_offline",
        "camera_stream_lost",
        "camera_frozen",
        "camera_dark",
        "camera_covered",
        "camera_defocused",
        "camera_moved",
    ),
}
"""What makes a road dark or a camera useless; a node that is only silent is unknown, not failed."""


@dataclass(frozen=True, slots=True)
class Within:
    """An area: its level and its name; `commune` where the name alone is not one of a kind."""

    level: Level
    name: str
    commune: str = ""
    among: tuple[str, ...] = ()
    """Several names in place of the one: an area in any of them is within."""


@dataclass(frozen=True, slots=True)
class Question:
    """Uptime by `level` within all the areas of `of`, from a local day to another, both included."""

    kind: Kind
    level: Level
    first_day: date
    last_day: date
    of: tuple[Within, ...] = ()


@dataclass(frozen=True, slots=True)
class Energy:
    """What lamps drew, and what it cost; None where no meter told, or no tariff was in force."""

    energy_wh: int | None = None
    cost_before_vat_vnd: int | None = None
    cost_vnd: int | None = None
    priced_share: float = 0.0
    """The part of the energy (0 to 1) for which a tariff was in force."""


@dataclass(frozen=True, slots=True)
class Line:
    """One pole's or area's uptime."""

    name: str
    commune: str
    """Empty where it spans communes."""
    place: str
    """The hamlet of a pole; else empty."""
    sums: Sums
    days: int
    """Pole-days (camera-days) added up."""
    metered_days: int
    """Those in which a meter told the energy."""
    failures: int = 0
    repaired: int = 0
    repair_s: float = 0.0
    """How long those that were repaired in the time had lasted in all, seconds."""
    energy: Energy = field(default_factory=Energy)

    @property
    def mttr_s(self) -> float | None:
        """Mean time to repair: from a failure's begin to its end, of those that ended in the time."""
        return None if self.repaired == 0 else self.repair_s / self.repaired

    @property
    def mtbf_s(self) -> float | None:
        """Mean time between failures: seconds up per failure that began in the time."""
        return None if self.failures == 0 else (self.sums.up_s + self.sums.up_said_s) / self.failures
