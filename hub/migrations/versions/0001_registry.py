"""Areas, programmes, groups, feeders, nodes, poles, cameras."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.db import BigId, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "area",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("parent_id", BigId, sa.ForeignKey("area.id"), index=True),
        sa.Column("tier", sa.String(16), nullable=False),
        sa.Column("code", sa.String(160), nullable=False),
        sa.Column("name", sa.String(160), nullable=False),
        sa.Column("latitude", sa.Float),
        sa.Column("longitude", sa.Float),
        sa.Column("search_key", sa.String(1000), nullable=False),
        sa.UniqueConstraint("tier", "code"),
        sa.CheckConstraint("tier IN ('province', 'commune', 'hamlet')", name="tier"),
    )
    op.create_table(
        "area_alias",
        sa.Column("area_id", BigId, sa.ForeignKey("area.id"), primary_key=True),
        sa.Column("former_name", sa.String(160), primary_key=True),
    )
    op.create_table(
        "programme",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("name", sa.String(160), nullable=False),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "resident_group",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("commune_id", BigId, sa.ForeignKey("area.id"), nullable=False),
        sa.Column("name", sa.String(160), nullable=False),
        sa.UniqueConstraint("commune_id", "name"),
    )
    op.create_table(
        "feeder",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("commune_id", BigId, sa.ForeignKey("area.id"), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("name", sa.String(160), nullable=False),
        sa.UniqueConstraint("commune_id", "code"),
    )
    op.create_table(
        "node",
        sa.Column("name", sa.String(63), primary_key=True),
        sa.Column("commune_id", BigId, sa.ForeignKey("area.id"), nullable=False),
    )
    op.create_table(
        "pole",
        sa.Column("code", sa.String(31), primary_key=True),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("commune_id", BigId, sa.ForeignKey("area.id"), nullable=False, index=True),
        sa.Column("hamlet_id", BigId, sa.ForeignKey("area.id")),
        sa.Column("feeder_id", BigId, sa.ForeignKey("feeder.id"), index=True),
        sa.Column("node_name", sa.String(63), sa.ForeignKey("node.name"), index=True),
        sa.Column("latitude", sa.Float, nullable=False),
        sa.Column("longitude", sa.Float, nullable=False),
        sa.Column("lamp_rated_w", sa.Float, nullable=False),
        sa.Column("programme_id", BigId, sa.ForeignKey("programme.id")),
        sa.Column("group_id", BigId, sa.ForeignKey("resident_group.id")),
        sa.Column("search_key", sa.String(600), nullable=False),
        sa.CheckConstraint("lamp_rated_w > 0", name="lamp_rated_w"),
    )
    op.create_table(
        "camera",
        sa.Column("code", sa.String(31), primary_key=True),
        sa.Column("pole_code", sa.String(31), sa.ForeignKey("pole.code"), nullable=False, index=True),
        sa.Column("place_in_list", sa.Integer, nullable=False),
    )
    revision_table = op.create_table(
        "registry_revision",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("revision", BigId, nullable=False),
        sa.Column("changed_at", UtcDateTime),
        sa.CheckConstraint("id = 1", name="one_row"),
    )
    op.bulk_insert(revision_table, [{"id": 1, "revision": 0}])


def downgrade() -> None:
    for table in (
        "registry_revision",
        "camera",
        "pole",
        "node",
        "feeder",
        "resident_group",
        "programme",
        "area_alias",
        "area",
    ):
        op.drop_table(table)
