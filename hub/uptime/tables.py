"""Coverage per pole or camera and day, what was reckoned from it, and what a kilowatt-hour costs since when.

Only `hub.uptime` reads and writes here. `local_day` is a day in Vietnam (UTC+7), counted from 1970-01-01.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from hub.db import BigId, UtcDateTime, metadata

KINDS = ("lamp", "camera")


def _seconds() -> tuple[Column[int], ...]:
    """The same sums per pole and per area; `hub.uptime.daily.reckoning.Sums` says what each is."""
    told = ("due_s", "up_s", "up_said_s", "down_s", "down_said_s", "ordered_off_s")
    beside = ("maintenance_s", "hub_blind_s", "unknown_s", "burning_s")
    return tuple(Column(name, BigInteger, nullable=False) for name in (*told, *beside))


coverage_day = Table(
    "coverage_day",
    metadata,
    Column("kind", String(6), nullable=False),
    Column("subject", String(31), nullable=False, comment="the code of a pole or a camera"),
    Column("local_day", Integer, nullable=False),
    Column("runs", Text, nullable=False, comment="states by minute"),
    Column("first_wh_at_s", Float),
    Column("first_wh", Float),
    Column("last_wh_at_s", Float),
    Column("last_wh", Float),
    Column("revision", BigInteger, nullable=False),
    PrimaryKeyConstraint("kind", "subject", "local_day"),
    Index("ix_coverage_day_revision", "revision"),
    Index("ix_coverage_day_local_day", "local_day"),
)

uptime_place = Table(
    "uptime_place",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("kind", String(6), nullable=False),
    Column("code", String(31), nullable=False),
    Column("pole", String(31), nullable=False),
    Column("province", String(160), nullable=False),
    Column("commune", String(160), nullable=False),
    Column("hamlet", String(160), nullable=False),
    Column("feeder", String(64), nullable=False),
    Column("programme", String(160), nullable=False),
    Column("resident_group", String(160), nullable=False),
    Column("node", String(63), nullable=False),
    Column("latitude", Float, nullable=False),
    Column("longitude", Float, nullable=False),
    Column("since_at", UtcDateTime, nullable=False, comment="from here on a silence is told"),
    Column("gone_at", UtcDateTime, comment="when the registry no longer had it"),
    UniqueConstraint("kind", "code"),
    Index("ix_uptime_place_commune", "commune", "kind"),
)

uptime_day = Table(
    "uptime_day",
    metadata,
    Column("place_id", BigId, ForeignKey("uptime_place.id"), nullable=False),
    Column("local_day", Integer, nullable=False),
    *_seconds(),
    Column("energy_wh", BigInteger, comment="none: no meter told"),
    PrimaryKeyConstraint("place_id", "local_day"),
)

uptime_failure = Table(
    "uptime_failure",
    metadata,
    Column("incident_id", BigId, nullable=False),
    Column("place_id", BigId, ForeignKey("uptime_place.id"), nullable=False),
    Column("began_day", Integer, nullable=False),
    Column("ended_day", Integer, comment="none: it lasts"),
    Column("lasted_s", Float, nullable=False, comment="0 while it lasts"),
    PrimaryKeyConstraint("incident_id", "place_id"),
    Index("ix_uptime_failure_place_id", "place_id"),
)


def _area_sums(name: str, day: str) -> Table:
    return Table(
        name,
        metadata,
        Column("kind", String(6), nullable=False),
        Column("province", String(160), nullable=False),
        Column("commune", String(160), nullable=False),
        Column("programme", String(160), nullable=False),
        Column("local_day", Integer, nullable=False, comment=day),
        *_seconds(),
        Column("energy_wh", BigInteger, nullable=False),
        Column("days", Integer, nullable=False, comment="pole-days that were added up"),
        Column("metered_days", Integer, nullable=False, comment="those with energy"),
        Column("failures", Integer, nullable=False, comment="that began"),
        Column("repaired", Integer, nullable=False, comment="failures that ended"),
        Column("repair_s", Float, nullable=False, comment="how long these had lasted"),
        Column("failures_once", Integer, nullable=False, comment="told to one of their programmes only"),
        Column("repaired_once", Integer, nullable=False),
        Column("repair_once_s", Float, nullable=False),
        PrimaryKeyConstraint("kind", "commune", "programme", "local_day"),
    )


uptime_area_day = _area_sums("uptime_area_day", "the day")
uptime_area_month = _area_sums("uptime_area_month", "the first day of the month")

uptime_area_stale = Table(
    "uptime_area_stale",
    metadata,
    Column("kind", String(6), nullable=False),
    Column("commune", String(160), nullable=False),
    Column("local_day", Integer, nullable=False),
    PrimaryKeyConstraint("kind", "commune", "local_day"),
)

uptime_cursor = Table(
    "uptime_cursor",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

tariff = Table(
    "tariff",
    metadata,
    Column("valid_from", Date, primary_key=True),
    Column("vnd_per_kwh_hundredths", Integer, nullable=False, comment="before VAT"),
    Column("vat_permille", Integer, nullable=False),
    Column("source", String(300), nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("recorded_by", String(200), nullable=False),
    CheckConstraint("vnd_per_kwh_hundredths > 0", name="positive"),
    CheckConstraint("vat_permille >= 0 AND vat_permille < 1000", name="vat_share"),
)
