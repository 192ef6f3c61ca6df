"""What others may ask the registry. Plain values; no table leaves this room."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, func, literal, or_, select

from hub.registry import tables as t
from hub.registry.folding import fold, like_pattern


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """A node, the commune whose topic it speaks under, and the poles it may speak for."""

    name: str
    commune: str
    poles: frozenset[str]


@dataclass(frozen=True, slots=True)
class PoleInfo:
    """One pole as registered. Degrees WGS 84, watts; an empty text or None where nothing is known."""

    code: str
    place: str
    commune_code: str
    commune_name: str
    hamlet: str
    feeder: str
    node: str | None
    latitude: float
    longitude: float
    lamp_rated_w: float
    programme: str
    group: str
    cameras: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CommuneInfo:
    """A commune under its present name, with the names people still use for it."""

    code: str
    name: str
    province: str
    former_names: tuple[str, ...]
    latitude: float | None
    longitude: float | None


def revision(conn: Connection) -> int:
    """A number that grows with every change of the registry; cheap enough to ask often."""
    found = conn.execute(select(t.registry_revision.c.revision)).scalar_one_or_none()
    return 0 if found is None else int(found)


def known_nodes(conn: Connection) -> dict[str, NodeInfo]:
    """Every registered node by name; a node without poles has an empty set."""
    poles: dict[str, set[str]] = defaultdict(set)
    for code, name in conn.execute(
        select(t.pole.c.code, t.pole.c.node_name).where(t.pole.c.node_name.is_not(None))
    ):
        poles[name].add(code)
    rows = conn.execute(
        select(t.node.c.name, t.area.c.code).join(t.area, t.area.c.id == t.node.c.commune_id)
    )
    return {name: NodeInfo(name, commune, frozenset(poles[name])) for name, commune in rows}


def communes_with_nodes(conn: Connection) -> set[str]:
    """The codes of all communes in which a node is registered."""
    held = select(t.node.c.commune_id).distinct()
    return set(conn.execute(select(t.area.c.code).where(t.area.c.id.in_(held))).scalars())


def node(conn: Connection, name: str) -> NodeInfo | None:
    """One node, or None where no such one is registered."""
    statement = select(t.area.c.code).join(t.node, t.node.c.commune_id == t.area.c.id)
    commune = conn.execute(statement.where(t.node.c.name == name)).scalar_one_or_none()
    if commune is None:
        return None
    codes = conn.execute(select(t.pole.c.code).where(t.pole.c.node_name == name)).scalars()
    return NodeInfo(name, commune, frozenset(codes))


def poles(
    conn: Connection,
    *,
    commune: str | None = None,
    communes: Collection[str] | None = None,
    node: str | None = None,
    query: str | None = None,
) -> list[PoleInfo]:
    """Poles by code, of one commune, of several or of all.

    `query` finds each of its words, with or without accents, in code, place, feeder, hamlet, commune or
    province, present or former names alike; a word of one or two letters as a whole word.
    """
    statement = _pole_select().order_by(t.pole.c.code)
    if commune is not None:
        statement = statement.where(_commune.c.code == commune)
    if communes is not None:
        statement = statement.where(_commune.c.code.in_(communes))
    if node is not None:
        statement = statement.where(t.pole.c.node_name == node)
    for word in fold(query or "").split():
        pattern = like_pattern(word, whole=len(word) <= 2)
        statement = statement.where(
            or_(
                *(
                    (literal(" ") + column + " ").like(pattern, escape="\\")
                    for column in (
                        t.pole.c.search_key,
                        func.lower(t.feeder.c.code),
                        _commune.c.search_key,
                        _hamlet.c.search_key,
                        _province.c.search_key,
                    )
                )
            )
        )
    rows = conn.execute(statement).all()
    cameras = _cameras(conn, None)
    return [_pole_info(row, cameras) for row in rows]


def pole(conn: Connection, code: str) -> PoleInfo | None:
    """One pole, or None where no such code is registered."""
    row = conn.execute(_pole_select().where(t.pole.c.code == code)).one_or_none()
    return None if row is None else _pole_info(row, _cameras(conn, code))


def pole_codes(conn: Connection, *, commune: str | None = None) -> list[str]:
    """Codes alone, of one commune or of all."""
    statement = select(t.pole.c.code).order_by(t.pole.c.code)
    if commune is not None:
        statement = statement.join(t.area, t.area.c.id == t.pole.c.commune_id).where(
            t.area.c.code == commune
        )
    return list(conn.execute(statement).scalars())


def pole_counts(conn: Connection) -> dict[str, int]:
    """How many poles each commune has, by its code; communes without any are absent."""
    query = (
        select(t.area.c.code, func.count())
        .join(t.pole, t.pole.c.commune_id == t.area.c.id)
        .group_by(t.area.c.code)
    )
    return {code: int(number) for code, number in conn.execute(query)}


def places(conn: Connection, codes: Collection[str]) -> dict[str, str]:
    """Where poles stand, in words, by code; codes that are not registered are absent."""
    query = (
        select(t.pole.c.code, t.pole.c.place, _hamlet.c.name)
        .outerjoin(_hamlet, _hamlet.c.id == t.pole.c.hamlet_id)
        .where(t.pole.c.code.in_(codes))
    )
    return {code: ", ".join(filter(None, (place, hamlet))) for code, place, hamlet in conn.execute(query)}


def groups(conn: Connection, commune: str) -> list[str]:
    """The residents' groups of a commune, by name."""
    query = (
        select(t.resident_group.c.name)
        .join(t.area, t.area.c.id == t.resident_group.c.commune_id)
        .where(t.area.c.code == commune)
        .order_by(t.resident_group.c.name)
    )
    return list(conn.execute(query).scalars())


def poles_of_group(conn: Connection, group: str, *, communes: Collection[str] | None = None) -> list[str]:
    """The codes of the poles that groups of this name look after, in some communes or in all."""
    query = (
        select(t.pole.c.code)
        .join(t.resident_group, t.resident_group.c.id == t.pole.c.group_id)
        .join(t.area, t.area.c.id == t.resident_group.c.commune_id)
        .where(t.resident_group.c.name == group)
        .order_by(t.pole.c.code)
    )
    if communes is not None:
        query = query.where(t.area.c.code.in_(communes))
    return list(conn.execute(query).scalars())


def nodes_in(conn: Connection, communes: Collection[str]) -> list[str]:
    """The names of the nodes of some communes."""
    query = select(t.node.c.name).join(t.area, t.area.c.id == t.node.c.commune_id)
    return list(conn.execute(query.where(t.area.c.code.in_(communes)).order_by(t.node.c.name)).scalars())


def communes(conn: Connection) -> list[CommuneInfo]:
    """All communes, by code."""
    former: dict[int, list[str]] = defaultdict(list)
    for area_id, name in conn.execute(
        select(t.area_alias.c.area_id, t.area_alias.c.former_name).order_by(t.area_alias.c.former_name)
    ):
        former[area_id].append(name)
    rows = conn.execute(
        select(_commune, _province.c.name.label("province"))
        .outerjoin(_province, _province.c.id == _commune.c.parent_id)
        .where(_commune.c.tier == "commune")
        .order_by(_commune.c.code)
    )
    return [
        CommuneInfo(
            row.code, row.name, row.province or "", tuple(former[row.id]), row.latitude, row.longitude
        )
        for row in rows
    ]


_commune = t.area.alias("commune")
_hamlet = t.area.alias("hamlet")
_province = t.area.alias("province")


def _pole_select() -> Select[Any]:
    return (
        select(
            t.pole.c.code,
            t.pole.c.place,
            _commune.c.code.label("commune_code"),
            _commune.c.name.label("commune_name"),
            _hamlet.c.name.label("hamlet"),
            t.feeder.c.code.label("feeder"),
            t.pole.c.node_name.label("node"),
            t.pole.c.latitude,
            t.pole.c.longitude,
            t.pole.c.lamp_rated_w,
            t.programme.c.name.label("programme"),
            t.resident_group.c.name.label("resident_group"),
        )
        .join(_commune, _commune.c.id == t.pole.c.commune_id)
        .outerjoin(_province, _province.c.id == _commune.c.parent_id)
        .outerjoin(_hamlet, _hamlet.c.id == t.pole.c.hamlet_id)
        .outerjoin(t.feeder, t.feeder.c.id == t.pole.c.feeder_id)
        .outerjoin(t.programme, t.programme.c.id == t.pole.c.programme_id)
        .outerjoin(t.resident_group, t.resident_group.c.id == t.pole.c.group_id)
    )


def _cameras(conn: Connection, code: str | None) -> Mapping[str, list[str]]:
    statement = select(t.camera.c.pole_code, t.camera.c.code).order_by(
        t.camera.c.place_in_list, t.camera.c.code
    )
    if code is not None:
        statement = statement.where(t.camera.c.pole_code == code)
    found: dict[str, list[str]] = defaultdict(list)
    for pole_code, camera_code in conn.execute(statement):
        found[pole_code].append(camera_code)
    return found


def _pole_info(row: Row[Any], cameras: Mapping[str, list[str]]) -> PoleInfo:
    return PoleInfo(
        code=row.code,
        place=row.place,
        commune_code=row.commune_code,
        commune_name=row.commune_name,
        hamlet=row.hamlet or "",
        feeder=row.feeder or "",
        node=row.node,
        latitude=row.latitude,
        longitude=row.longitude,
        lamp_rated_w=row.lamp_rated_w,
        programme=row.programme or "",
        group=row.resident_group or "",
        cameras=tuple(cameras.get(row.code, ())),
    )
