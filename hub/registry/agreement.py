"""Rows that contradict each other, or what is registered already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from hub.registry import tables as t
from hub.registry.rows import PoleRow
from hub.tabular import RowError


@dataclass(slots=True)
class _Seen:
    """What earlier rows said: each thing with the row that said it first."""

    poles: dict[str, int] = field(default_factory=dict)
    cameras: dict[str, int] = field(default_factory=dict)
    names: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    nodes: dict[str, tuple[int, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Registered:
    """What the registry holds before the import."""

    communes: frozenset[str]
    commune_of_pole: dict[str, str]
    poles_of_node: dict[str, list[str]]
    pole_of_camera: dict[str, str]


def disagreements(conn: Connection, rows: Sequence[PoleRow]) -> list[RowError]:
    """All contradictions, by row."""
    registered = _registered(conn)
    named = {row.code: row for row in rows}
    given = frozenset(row.commune_code for row in rows if row.commune_name) | registered.communes
    seen = _Seen()
    errors: list[RowError] = []
    for row in rows:
        errors += _repeated(row, seen)
        errors += _about_commune(row, seen, given)
        errors += _about_node(row, seen)
        errors += _about_registered(row, named, registered)
    return errors


def _registered(conn: Connection) -> _Registered:
    codes = conn.execute(select(t.area.c.code).where(t.area.c.tier == "commune")).scalars()
    poles = conn.execute(
        select(t.pole.c.code, t.area.c.code, t.pole.c.node_name).join(
            t.area, t.area.c.id == t.pole.c.commune_id
        )
    ).all()
    poles_of_node: dict[str, list[str]] = {}
    for code, _, node in poles:
        if node is not None:
            poles_of_node.setdefault(node, []).append(code)
    cameras = conn.execute(select(t.camera.c.code, t.camera.c.pole_code)).all()
    return _Registered(
        frozenset(codes),
        {code: commune for code, commune, _ in poles},
        poles_of_node,
        dict(tuple(pair) for pair in cameras),
    )


def _repeated(row: PoleRow, seen: _Seen) -> list[RowError]:
    errors = []
    first = seen.poles.setdefault(row.code, row.number)
    if first != row.number:
        errors.append(
            RowError(
                row.number,
                "code",
                f"Mã cột {row.code} đã có ở dòng {first}. Mỗi cột chỉ một dòng.",
                f"pole {row.code} is in row {first} already: one row per pole",
            )
        )
    for camera in row.cameras or ():
        first = seen.cameras.setdefault(camera, row.number)
        if first != row.number:
            errors.append(
                RowError(
                    row.number,
                    "cameras",
                    f"Camera {camera} đã có ở dòng {first}.",
                    f"camera {camera} is in row {first} already",
                )
            )
    return errors


def _about_commune(row: PoleRow, seen: _Seen, given: frozenset[str]) -> list[RowError]:
    """A commune is named once at least, and never two ways; an empty cell agrees with any."""
    errors = []
    if row.commune_code not in given:
        errors.append(
            RowError(
                row.number,
                "commune_name",
                f"Xã {row.commune_code} chưa có trong hệ thống nên cần ghi tên xã.",
                f"commune {row.commune_code} is not registered yet, so its name is needed",
            )
        )
    for column, value in (("commune_name", row.commune_name), ("province", row.province)):
        if not value:
            continue
        first, said = seen.names.setdefault((row.commune_code, column), (row.number, value))
        if said != value:
            errors.append(
                RowError(
                    row.number,
                    column,
                    f"Dòng {first} ghi “{said}” cho cùng mã xã {row.commune_code}.",
                    f"row {first} says {said!r} for the same commune {row.commune_code}",
                )
            )
    return errors


def _about_node(row: PoleRow, seen: _Seen) -> list[RowError]:
    if not row.node:
        return []
    first, commune = seen.nodes.setdefault(row.node, (row.number, row.commune_code))
    if commune == row.commune_code:
        return []
    return [
        RowError(
            row.number,
            "node",
            f"Nút {row.node} ở dòng {first} thuộc xã {commune}: một nút chỉ thuộc một xã.",
            f"node {row.node} belongs to commune {commune} in row {first}: a node has one commune",
        )
    ]


def _about_registered(row: PoleRow, named: dict[str, PoleRow], registered: _Registered) -> list[RowError]:
    errors = []
    for camera in row.cameras or ():
        owner = registered.pole_of_camera.get(camera, row.code)
        if owner != row.code and (owner not in named or named[owner].cameras is None):
            errors.append(
                RowError(
                    row.number,
                    "cameras",
                    f"Camera {camera} đang thuộc cột {owner}. Hãy đưa cả cột {owner} vào tệp để chuyển.",
                    f"camera {camera} belongs to pole {owner}: put that pole into the file too to move it",
                )
            )
    before = registered.commune_of_pole.get(row.code, row.commune_code)
    if before != row.commune_code and None in (row.hamlet, row.feeder, row.node, row.group):
        errors.append(
            RowError(
                row.number,
                "commune_code",
                f"Cột {row.code} chuyển từ xã {before}: tệp cần đủ các cột thôn, tuyến, nút, tổ tự quản.",
                f"pole {row.code} moves from commune {before}: "
                "the columns hamlet, feeder, node and group are needed",
            )
        )
    if row.node:
        stay = [
            code
            for code in registered.poles_of_node.get(row.node, ())
            if code not in named and registered.commune_of_pole[code] != row.commune_code
        ]
        if stay:
            errors.append(
                RowError(
                    row.number,
                    "node",
                    f"Nút {row.node} còn phục vụ cột {stay[0]} của xã khác.",
                    f"node {row.node} still serves pole {stay[0]} of another commune",
                )
            )
    return errors
