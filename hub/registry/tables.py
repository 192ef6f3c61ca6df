"""The registry's tables. Areas are a tree held as data: tiers come and go by law, names live on."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Float, ForeignKey, Integer, String, Table, UniqueConstraint

from hub.db import BigId, UtcDateTime, metadata

TIERS = ("province", "commune", "hamlet")

area = Table(
    "area",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("parent_id", BigId, ForeignKey("area.id"), index=True),
    Column("tier", String(16), nullable=False),
    Column(
        "code", String(160), nullable=False
    ),  # a hamlet's code starts with its commune's: `tram-than/khu-3`
    Column("name", String(160), nullable=False),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("search_key", String(1000), nullable=False),  # name and former names, folded
    UniqueConstraint("tier", "code"),
    CheckConstraint("tier IN ('province', 'commune', 'hamlet')", name="tier"),
)

area_alias = Table(
    "area_alias",
    metadata,
    Column("area_id", BigId, ForeignKey("area.id"), primary_key=True),
    Column("former_name", String(160), primary_key=True),
)

programme = Table(
    "programme",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("name", String(160), nullable=False, unique=True),
)

resident_group = Table(
    "resident_group",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("commune_id", BigId, ForeignKey("area.id"), nullable=False),
    Column("name", String(160), nullable=False),
    UniqueConstraint("commune_id", "name"),
)

feeder = Table(
    "feeder",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("commune_id", BigId, ForeignKey("area.id"), nullable=False),
    Column("code", String(64), nullable=False),
    Column("name", String(160), nullable=False),
    UniqueConstraint("commune_id", "code"),
)

node = Table(
    "node",
    metadata,
    Column("name", String(63), primary_key=True),
    Column("commune_id", BigId, ForeignKey("area.id"), nullable=False),
)

pole = Table(
    "pole",
    metadata,
    Column("code", String(31), primary_key=True),
    Column("place", String(200), nullable=False),
    Column("commune_id", BigId, ForeignKey("area.id"), nullable=False, index=True),
    Column("hamlet_id", BigId, ForeignKey("area.id")),
    Column("feeder_id", BigId, ForeignKey("feeder.id"), index=True),
    Column("node_name", String(63), ForeignKey("node.name"), index=True),
    Column("latitude", Float, nullable=False),
    Column("longitude", Float, nullable=False),
    Column("lamp_rated_w", Float, nullable=False),
    Column("programme_id", BigId, ForeignKey("programme.id")),
    Column("group_id", BigId, ForeignKey("resident_group.id")),
    Column("search_key", String(600), nullable=False),  # code and place, folded
    CheckConstraint("lamp_rated_w > 0", name="lamp_rated_w"),
)

camera = Table(
    "camera",
    metadata,
    Column("code", String(31), primary_key=True),
    Column("pole_code", String(31), ForeignKey("pole.code"), nullable=False, index=True),
    Column("place_in_list", Integer, nullable=False),
)

registry_revision = Table(
    "registry_revision",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row, id 1
    Column("revision", BigId, nullable=False),
    Column("changed_at", UtcDateTime),
    CheckConstraint("id = 1", name="one_row"),
)
