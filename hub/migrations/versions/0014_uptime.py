"""Coverage by minute, uptime by day, and dated tariffs."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from hub.db import BigId, UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_TABLES = (
    "tariff",
    "uptime_cursor",
    "uptime_area_stale",
    "uptime_area_month",
    "uptime_area_day",
    "uptime_failure",
    "uptime_day",
    "uptime_place",
    "coverage_day",
)


def _seconds() -> tuple[sa.Column[Any], ...]:
    told = ("due_s", "up_s", "up_said_s", "down_s", "down_said_s", "ordered_off_s")
    beside = ("maintenance_s", "hub_blind_s", "unknown_s", "burning_s")
    return tuple(sa.Column(name, sa.BigInteger, nullable=False) for name in (*told, *beside))


def upgrade() -> None:
    op.create_table(
        "coverage_day",
        sa.Column("kind", sa.String(6), nullable=False),
        sa.Column("subject", sa.String(31), nullable=False, comment="the code of a pole or a camera"),
        sa.Column("local_day", sa.Integer, nullable=False),
        sa.Column("runs", sa.Text, nullable=False, comment="states by minute"),
        sa.Column("first_wh_at_s", sa.Float),
        sa.Column("first_wh", sa.Float),
        sa.Column("last_wh_at_s", sa.Float),
        sa.Column("last_wh", sa.Float),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject", "local_day", name="pk_coverage_day"),
    )
    op.create_index("ix_coverage_day_revision", "coverage_day", ["revision"])
    op.create_index("ix_coverage_day_local_day", "coverage_day", ["local_day"])
    _places()
    op.create_table(
        "uptime_day",
        sa.Column("place_id", BigId, nullable=False),
        sa.Column("local_day", sa.Integer, nullable=False),
        *_seconds(),
        sa.Column("energy_wh", sa.BigInteger, comment="none: no meter told"),
        sa.PrimaryKeyConstraint("place_id", "local_day", name="pk_uptime_day"),
        sa.ForeignKeyConstraint(
            ["place_id"], ["uptime_place.id"], name="fk_uptime_day_place_id_uptime_place"
        ),
    )
    op.create_table(
        "uptime_failure",
        sa.Column("incident_id", BigId, nullable=False),
        sa.Column("place_id", BigId, nullable=False),
        sa.Column("began_day", sa.Integer, nullable=False),
        sa.Column("ended_day", sa.Integer, comment="none: it lasts"),
        sa.Column("lasted_s", sa.Float, nullable=False, comment="0 while it lasts"),
        sa.PrimaryKeyConstraint("incident_id", "place_id", name="pk_uptime_failure"),
        sa.ForeignKeyConstraint(
            ["place_id"], ["uptime_place.id"], name="fk_uptime_failure_place_id_uptime_place"
        ),
    )
    op.create_index("ix_uptime_failure_place_id", "uptime_failure", ["place_id"])
    _area_sums("uptime_area_day", "the day")
    _area_sums("uptime_area_month", "the first day of the month")
    op.create_table(
        "uptime_area_stale",
        sa.Column("kind", sa.String(6), nullable=False),
        sa.Column("commune", sa.String(160), nullable=False),
        sa.Column("local_day", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("kind", "commune", "local_day", name="pk_uptime_area_stale"),
    )
    op.create_table(
        "uptime_cursor",
        sa.Column("name", sa.String(20), nullable=False),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_uptime_cursor"),
    )
    op.create_table(
        "tariff",
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("vnd_per_kwh_hundredths", sa.Integer, nullable=False, comment="before VAT"),
        sa.Column("vat_permille", sa.Integer, nullable=False),
        sa.Column("source", sa.String(300), nullable=False),
        sa.Column("recorded_at", UtcDateTime, nullable=False),
        sa.Column("recorded_by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("valid_from", name="pk_tariff"),
        sa.CheckConstraint("vnd_per_kwh_hundredths > 0", name="positive"),
        sa.CheckConstraint("vat_permille >= 0 AND vat_permille < 1000", name="vat_share"),
    )


def _places() -> None:
    op.create_table(
        "uptime_place",
        sa.Column("id", BigId, nullable=False),
        sa.Column("kind", sa.String(6), nullable=False),
        sa.Column("code", sa.String(31), nullable=False),
        sa.Column("pole", sa.String(31), nullable=False),
        sa.Column("province", sa.String(160), nullable=False),
        sa.Column("commune", sa.String(160), nullable=False),
        sa.Column("hamlet", sa.String(160), nullable=False),
        sa.Column("feeder", sa.String(64), nullable=False),
        sa.Column("programme", sa.String(160), nullable=False),
        sa.Column("resident_group", sa.String(160), nullable=False),
        sa.Column("node", sa.String(63), nullable=False),
        sa.Column("latitude", sa.Float, nullable=False),
        sa.Column("longitude", sa.Float, nullable=False),
        sa.Column("since_at", UtcDateTime, nullable=False, comment="from here on a silence is told"),
        sa.Column("gone_at", UtcDateTime, comment="when the registry no longer had it"),
        sa.PrimaryKeyConstraint("id", name="pk_uptime_place"),
        sa.UniqueConstraint("kind", "code", name="uq_uptime_place_kind_code"),
    )
    op.create_index("ix_uptime_place_commune", "uptime_place", ["commune", "kind"])


def _area_sums(name: str, day: str) -> None:
    op.create_table(
        name,
        sa.Column("kind", sa.String(6), nullable=False),
        sa.Column("province", sa.String(160), nullable=False),
        sa.Column("commune", sa.String(160), nullable=False),
        sa.Column("programme", sa.String(160), nullable=False),
        sa.Column("local_day", sa.Integer, nullable=False, comment=day),
        *_seconds(),
        sa.Column("energy_wh", sa.BigInteger, nullable=False),
        sa.Column("days", sa.Integer, nullable=False, comment="pole-days that were added up"),
        sa.Column("metered_days", sa.Integer, nullable=False, comment="those with energy"),
        sa.Column("failures", sa.Integer, nullable=False, comment="that began"),
        sa.Column("repaired", sa.Integer, nullable=False, comment="failures that ended"),
        sa.Column("repair_s", sa.Float, nullable=False, comment="how long these had lasted"),
        sa.Column(
            "failures_once", sa.Integer, nullable=False, comment="told to one of their programmes only"
        ),
        sa.Column("repaired_once", sa.Integer, nullable=False),
        sa.Column("repair_once_s", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("kind", "commune", "programme", "local_day", name=f"pk_{name}"),
    )


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
