"""Stores checked registry rows and counts what really changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, and_, bindparam, delete, func, insert, select, update

from hub.registry import tables as t
from hub.registry.folding import fold, slug
from hub.registry.rows import PoleRow


class Writer:
    """One import within one transaction.

    What is there is read once and what changes is written at the end in a few statements: while an import holds
    the database, the ingest waits.
    """

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._ids: dict[tuple[object, ...], int] = {}
        self._changed = False
        self._poles = {row.code: row for row in conn.execute(select(t.pole))}
        self._nodes: dict[str, int] = {row.name: row.commune_id for row in conn.execute(select(t.node))}
        self._cameras: dict[str, list[str]] = {}
        for row in conn.execute(select(t.camera).order_by(t.camera.c.place_in_list, t.camera.c.code)):
            self._cameras.setdefault(row.pole_code, []).append(row.code)
        self._new_nodes: list[dict[str, Any]] = []
        self._new_poles: list[dict[str, Any]] = []
        self._other_poles: list[dict[str, Any]] = []
        self._new_cameras: dict[str, Sequence[str]] = {}

    def store(self, rows: Sequence[PoleRow], now: datetime) -> Counter[str]:
        """Store all rows; how many poles were `created`, `updated`, `unchanged`."""
        by_commune: dict[str, list[PoleRow]] = {}
        for row in rows:
            by_commune.setdefault(row.commune_code, []).append(row)
        for code, within in by_commune.items():
            self._store_commune(code, within)
        counts = Counter(self._take(row) for row in rows)
        self._write()
        for code in by_commune:
            self._centre(self._commune(code))
        if self._changed:
            self._conn.execute(
                update(t.registry_revision).values(
                    revision=t.registry_revision.c.revision + 1, changed_at=now
                )
            )
        return counts

    def _take(self, row: PoleRow) -> str:
        """Note what a row changes; tells whether its pole is created, updated or unchanged."""
        values = self._values(row)
        before = self._poles.get(row.code)
        new_cameras = row.cameras is not None and list(row.cameras) != self._cameras.get(row.code, [])
        if before is None:
            self._new_poles.append({"code": row.code, **values})
            outcome = "created"
        elif new_cameras or any(getattr(before, name) != value for name, value in values.items()):
            self._other_poles.append({"of_code": row.code, **values})
            outcome = "updated"
        else:
            return "unchanged"
        if new_cameras:
            self._new_cameras[row.code] = row.cameras or ()
        self._changed = True
        return outcome

    def _values(self, row: PoleRow) -> dict[str, Any]:
        """The columns of a pole that its row speaks of."""
        commune = self._commune(row.commune_code)
        values: dict[str, Any] = {
            "place": row.place,
            "commune_id": commune,
            "latitude": row.latitude,
            "longitude": row.longitude,
            "lamp_rated_w": row.lamp_rated_w,
            "search_key": fold(f"{row.code} {row.place}"),
        }
        if row.hamlet is not None:
            values["hamlet_id"] = (
                self._hamlet(commune, row.commune_code, row.hamlet) if row.hamlet else None
            )
        if row.feeder is not None:
            values["feeder_id"] = self._feeder(commune, row.feeder) if row.feeder else None
        if row.node is not None:
            values["node_name"] = self._node(commune, row.node) if row.node else None
        if row.programme is not None:
            values["programme_id"] = self._programme(row.programme) if row.programme else None
        if row.group is not None:
            values["group_id"] = self._group(commune, row.group) if row.group else None
        return values

    def _write(self) -> None:
        """Nodes before the poles that name them, poles before their cameras."""
        if self._new_nodes:
            self._conn.execute(insert(t.node), self._new_nodes)
        if self._new_poles:
            self._conn.execute(insert(t.pole), self._new_poles)
        if self._other_poles:
            self._conn.execute(
                update(t.pole).where(t.pole.c.code == bindparam("of_code")), self._other_poles
            )
        if self._new_cameras:
            taken_off = delete(t.camera).where(t.camera.c.pole_code == bindparam("of_pole"))
            self._conn.execute(taken_off, [{"of_pole": pole} for pole in self._new_cameras])
        cameras = [
            {"code": code, "pole_code": pole, "place_in_list": at}
            for pole, codes in self._new_cameras.items()
            for at, code in enumerate(codes)
        ]
        if cameras:
            self._conn.execute(insert(t.camera), cameras)

    def _commune(self, code: str) -> int:
        return self._ids[("commune", code)]

    def _store_commune(self, code: str, rows: Sequence[PoleRow]) -> None:
        """A commune as all its rows together describe it: an empty cell says nothing."""
        found = self._conn.execute(
            select(t.area).where(t.area.c.tier == "commune", t.area.c.code == code)
        ).one_or_none()
        said = next((row.commune_name for row in rows if row.commune_name), None)
        within = next((row.province for row in rows if row.province), None)
        name = said or (code if found is None else found.name)
        if within is not None:
            province: int | None = self._province(within)
        else:
            province = None if found is None else found.parent_id
        area_id = (
            self._insert(
                t.area, parent_id=province, tier="commune", code=code, name=name, search_key=fold(name)
            )
            if found is None
            else int(found.id)
        )
        aliases = self._aliases(area_id, [one for row in rows for one in row.former_names or ()])
        search_key = fold(" ".join((name, *aliases)))[:1000]
        if found is None or (found.name, found.parent_id, found.search_key) != (name, province, search_key):
            self._conn.execute(
                update(t.area)
                .where(t.area.c.id == area_id)
                .values(name=name, parent_id=province, search_key=search_key)
            )
            self._changed = True
        self._ids[("commune", code)] = area_id

    def _aliases(self, area_id: int, former: Sequence[str]) -> list[str]:
        """Former names only ever join: a file that leaves one out does not make people forget it."""
        known = list(
            self._conn.execute(
                select(t.area_alias.c.former_name)
                .where(t.area_alias.c.area_id == area_id)
                .order_by(t.area_alias.c.former_name)
            ).scalars()
        )
        for name in former:
            if name not in known:
                self._conn.execute(insert(t.area_alias).values(area_id=area_id, former_name=name))
                known.append(name)
                self._changed = True
        return sorted(known)

    def _province(self, name: str) -> int:
        return self._area("province", slug(name), name, None)

    def _hamlet(self, commune: int, commune_code: str, name: str) -> int:
        return self._area("hamlet", f"{commune_code}/{slug(name)}"[:160], name, commune)

    def _area(self, tier: str, code: str, name: str, parent: int | None) -> int:
        key = (tier, code)
        if key not in self._ids:
            found = self._conn.execute(
                select(t.area.c.id).where(t.area.c.tier == tier, t.area.c.code == code)
            ).scalar_one_or_none()
            self._ids[key] = (
                self._insert(
                    t.area, parent_id=parent, tier=tier, code=code, name=name, search_key=fold(name)
                )
                if found is None
                else found
            )
        return self._ids[key]

    def _feeder(self, commune: int, code: str) -> int:
        return self._find_or_add(t.feeder, {"commune_id": commune, "code": code}, name=code)

    def _programme(self, name: str) -> int:
        return self._find_or_add(t.programme, {"name": name})

    def _group(self, commune: int, name: str) -> int:
        return self._find_or_add(t.resident_group, {"commune_id": commune, "name": name})

    def _node(self, commune: int, name: str) -> str:
        before = self._nodes.get(name)
        if before is None:
            self._new_nodes.append({"name": name, "commune_id": commune})
        elif before != commune:
            self._conn.execute(update(t.node).where(t.node.c.name == name).values(commune_id=commune))
        if before != commune:
            self._nodes[name] = commune
            self._changed = True
        return name

    def _find_or_add(self, table: Table, identity: Mapping[str, Any], **more: Any) -> int:
        key = (table.name, *identity.values())
        if key not in self._ids:
            where = and_(*(table.c[name] == value for name, value in identity.items()))
            found = self._conn.execute(select(table.c.id).where(where)).scalar_one_or_none()
            self._ids[key] = self._insert(table, **identity, **more) if found is None else found
        return self._ids[key]

    def _insert(self, table: Table, **values: Any) -> int:
        self._changed = True
        key = self._conn.execute(insert(table).values(**values)).inserted_primary_key
        assert key is not None
        return int(key[0])

    def _centre(self, commune_id: int) -> None:
        """A commune's place on the map is the middle of its poles."""
        latitude, longitude = self._conn.execute(
            select(func.avg(t.pole.c.latitude), func.avg(t.pole.c.longitude)).where(
                t.pole.c.commune_id == commune_id
            )
        ).one()
        self._conn.execute(
            update(t.area).where(t.area.c.id == commune_id).values(latitude=latitude, longitude=longitude)
        )
