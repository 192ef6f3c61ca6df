"""Incidents that people work on: the history of each, groups, maintenance windows, rules per commune."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from hub.db import BigId, UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _added() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("commune", sa.String(63), nullable=False, server_default=""),
        sa.Column("feeder", sa.String(64)),
        sa.Column("severity", sa.String(8), nullable=False, server_default="major"),
        sa.Column("since_at", UtcDateTime),
        sa.Column("parent_id", BigId),
        sa.Column("quiet_reason", sa.String(16)),
        sa.Column("acknowledged_at", UtcDateTime),
        sa.Column("acknowledged_by", sa.String(200)),
        sa.Column("assigned_group", sa.String(160)),
        sa.Column("closed_how", sa.String(12)),
        sa.Column("closed_by", sa.String(200)),
    )


def upgrade() -> None:
    for column in _added():
        op.add_column("incident", column)
    op.create_index("ix_incident_parent_id", "incident", ["parent_id"])
    op.create_index("ix_incident_commune_opened_at", "incident", ["commune", "opened_at"])
    op.create_table(
        "incident_change",
        sa.Column("id", BigId, nullable=False),
        sa.Column("incident_id", BigId, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("change", sa.String(16), nullable=False),
        sa.Column("by", sa.String(200), nullable=False, comment="a user, or empty: the hub itself"),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incident_change"),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name="fk_incident_change_incident_id_incident"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incident_change_incident_id", "incident_change", ["incident_id"])
    op.create_table(
        "maintenance_window",
        sa.Column("id", BigId, nullable=False),
        sa.Column("commune", sa.String(63), nullable=False),
        sa.Column(
            "scope", sa.String(8), nullable=False, comment="commune, hamlet, feeder, group, pole, node"
        ),
        sa.Column("name", sa.String(160), nullable=False, comment="code or name within the scope"),
        sa.Column("starts_at", UtcDateTime, nullable=False),
        sa.Column("ends_at", UtcDateTime, nullable=False),
        sa.Column("why", sa.String(300), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("cancelled_at", UtcDateTime),
        sa.Column("cancelled_by", sa.String(200)),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_maintenance_window"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_maintenance_window_ends_at", "maintenance_window", ["ends_at"])
    _rules_per_commune()


def _rules_per_commune() -> None:
    """The old rows go on as the defaults of every commune (''); SQLite can't change a primary key in place."""
    op.rename_table("incident_rule", "incident_rule_before")
    op.create_table(
        "incident_rule",
        sa.Column("commune", sa.String(63), nullable=False, comment="empty: all communes"),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("hold_off_s", sa.Float, nullable=False),
        sa.Column("clear_after_s", sa.Float, nullable=False),
        sa.Column("params", sa.JSON, nullable=False),
        sa.Column("severity", sa.String(8)),
        sa.Column("enabled", sa.Boolean, nullable=False, server_default=sa.true()),
        # Not the naming convention's: the old table's constraint keeps that name until it is dropped.
        sa.PrimaryKeyConstraint("commune", "kind", name="pk_incident_rule_per_commune"),
    )
    op.execute(
        "INSERT INTO incident_rule (commune, kind, hold_off_s, clear_after_s, params) "
        "SELECT '', kind, hold_off_s, clear_after_s, params FROM incident_rule_before"
    )
    op.drop_table("incident_rule_before")


def downgrade() -> None:
    op.rename_table("incident_rule", "incident_rule_after")
    op.create_table(
        "incident_rule",
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("hold_off_s", sa.Float, nullable=False),
        sa.Column("clear_after_s", sa.Float, nullable=False),
        sa.Column("params", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("kind", name="pk_incident_rule"),
    )
    op.execute(
        "INSERT INTO incident_rule (kind, hold_off_s, clear_after_s, params) "
        "SELECT kind, hold_off_s, clear_after_s, params FROM incident_rule_after WHERE commune = ''"
    )
    op.drop_table("incident_rule_after")
    op.drop_table("maintenance_window")
    op.drop_table("incident_change")
    for index in ("ix_incident_commune_opened_at", "ix_incident_parent_id"):
        op.drop_index(index, "incident")
    with op.batch_alter_table("incident") as batch:
        for column in reversed(_added()):
            batch.drop_column(column.name)
