"""What the API answers and takes about uptime; see `hub.api.schemas`. Seconds, kWh, whole đồng."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from hub.api.schemas import In, Out
from hub.uptime.model import Kind, Level


class UptimeLine(Out):
    """One pole's or area's uptime; docs/uptime.md says what each word means.

    `up_share` is up ÷ (up + down), 0 to 1, null where nothing is known; `measured_share` is the part of up and
    down that a meter stands behind. `due_s` is all of the others but `ordered_off_s` (part of down) and
    `burning_s` (not due).
    """

    name: str
    title: str
    commune: str
    place: str
    up_share: float | None
    measured_share: float | None
    due_s: int
    up_s: int
    up_said_s: int
    down_s: int
    down_said_s: int
    ordered_off_s: int
    maintenance_s: int
    hub_blind_s: int
    unknown_s: int
    burning_s: int
    days: int
    metered_days: int
    failures: int
    repaired: int
    mttr_s: float | None
    mtbf_s: float | None
    energy_kwh: float | None
    cost_before_vat_vnd: int | None
    cost_vnd: int | None
    priced_share: float


class UptimeOut(Out):
    """Uptime by level, and all of it in `total`; both days are included."""

    kind: Kind
    level: Level
    first_day: date
    last_day: date
    lines: list[UptimeLine]
    total: UptimeLine


class TariffOut(Out):
    """What a kilowatt-hour costs from a day on, đồng before VAT as an exact decimal, VAT in per cent."""

    valid_from: date
    vnd_per_kwh: str
    vat_percent: str
    source: str


class TariffList(Out):
    """All, the earliest first; each is in force until the next one's first day."""

    items: list[TariffOut]


class TariffIn(In):
    """A price with its source; one with the same first day is replaced."""

    valid_from: date
    vnd_per_kwh: Annotated[str, Field(max_length=20, examples=["2204.07"])]
    vat_percent: Annotated[str, Field(max_length=6, examples=["8"])]
    source: Annotated[str, Field(min_length=1, max_length=300)]
