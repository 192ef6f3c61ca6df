"""The poles and cameras that uptime is told of, where each belongs: a copy of what the registry says.

A copy, so that sums over a province are one join within this capability. History goes with the pole: a pole
that moves to another programme takes its past along, so that poles always add up to their areas.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, text, update

from hub.registry import reads as registry
from hub.uptime.tables import uptime_cursor, uptime_day, uptime_failure, uptime_place


@dataclass(frozen=True, slots=True)
class Place:
    """One pole or camera; degrees, empty texts where nothing is known."""

    id: int
    kind: str
    code: str
    pole: str
    province: str
    commune: str
    hamlet: str
    feeder: str
    programme: str
    resident_group: str
    node: str
    latitude: float
    longitude: float
    since_at: datetime
    """From here on a silence of it is told."""
    gone_at: datetime | None


_AREAS = ("province", "commune", "hamlet", "feeder", "programme", "resident_group")
_FACTS = ("pole", *_AREAS, "node", "latitude", "longitude")


def places(conn: Connection) -> list[Place]:
    """All, also those that the registry no longer has, by id."""
    return [Place(*row) for row in conn.execute(select(uptime_place).order_by(uptime_place.c.id))]


def refresh(conn: Connection, now: datetime) -> bool:
    """Take over what the registry says where its revision has grown; whether it had. Writes only then.

    The sums of communes whose poles came, went or moved are marked as stale.
    """
    revision = registry.revision(conn)
    if cursor(conn, "registry") == revision:
        return False
    before = {(one.kind, one.code): one for one in places(conn)}
    wanted = {(kind, code): facts for kind, code, facts in _registered(conn)}
    touched: set[tuple[str, str]] = set()
    new: list[dict[str, Any]] = []
    for key, facts in wanted.items():
        known = before.get(key)
        if known is None:
            new.append({"kind": key[0], "code": key[1], "since_at": now, "gone_at": None, **facts})
        elif known.gone_at is not None or any(getattr(known, name) != facts[name] for name in _FACTS):
            touched |= {(key[0], known.commune), (key[0], facts["commune"])}
            conn.execute(
                update(uptime_place).where(uptime_place.c.id == known.id).values(gone_at=None, **facts)
            )
    for key, known in before.items():
        if key not in wanted and known.gone_at is None:
            conn.execute(update(uptime_place).where(uptime_place.c.id == known.id).values(gone_at=now))
    for start in range(0, len(new), 1000):
        conn.execute(insert(uptime_place), new[start : start + 1000])
    for kind, commune in touched:
        _mark_stale(conn, kind, commune)
    set_cursor(conn, "registry", revision)
    return True


def cursor(conn: Connection, name: str) -> int | None:
    """Up to where a task has come; None where it never ran."""
    return conn.execute(select(uptime_cursor.c.value).where(uptime_cursor.c.name == name)).scalar()


def set_cursor(conn: Connection, name: str, value: int) -> None:
    """Note where a task has come; it never goes back."""
    conn.execute(
        text(
            "INSERT INTO uptime_cursor (name, value) VALUES (:name, :value) ON CONFLICT (name) "
            "DO UPDATE SET value = excluded.value WHERE uptime_cursor.value < excluded.value"
        ),
        {"name": name, "value": value},
    )


def _registered(conn: Connection) -> Iterator[tuple[str, str, dict[str, Any]]]:
    provinces = {one.code: one.province for one in registry.communes(conn)}
    for pole in registry.poles(conn):
        facts = {
            "pole": pole.code,
            "province": provinces.get(pole.commune_code, ""),
            "commune": pole.commune_code,
            "hamlet": pole.hamlet,
            "feeder": pole.feeder,
            "programme": pole.programme,
            "resident_group": pole.group,
            "node": pole.node or "",
            "latitude": pole.latitude,
            "longitude": pole.longitude,
        }
        yield "lamp", pole.code, facts
        for camera in pole.cameras:
            yield "camera", camera, facts


def _mark_stale(conn: Connection, kind: str, commune: str) -> None:
    """Every day on which this commune has, or had, anything reckoned."""
    days = (
        select(uptime_day.c.local_day)
        .join(uptime_place, uptime_place.c.id == uptime_day.c.place_id)
        .where(uptime_place.c.kind == kind, uptime_place.c.commune == commune)
        .distinct()
    )
    found = set(conn.execute(days).scalars())
    for day in (uptime_failure.c.began_day, uptime_failure.c.ended_day):
        failed = select(day).join(uptime_place, uptime_place.c.id == uptime_failure.c.place_id)
        here = (uptime_place.c.kind == kind, uptime_place.c.commune == commune, day.is_not(None))
        found |= set(conn.execute(failed.where(*here).distinct()).scalars())
    found |= set(
        conn.execute(
            text("SELECT local_day FROM uptime_area_day WHERE kind = :kind AND commune = :commune"),
            {"kind": kind, "commune": commune},
        ).scalars()
    )
    mark_stale(conn, {(kind, commune, day) for day in found})


def mark_stale(conn: Connection, areas: set[tuple[str, str, int]]) -> None:
    """Note (kind, commune, local day) whose sums are to be added up again."""
    if areas:
        conn.execute(
            text(
                "INSERT INTO uptime_area_stale (kind, commune, local_day) "
                "VALUES (:kind, :commune, :day) ON CONFLICT DO NOTHING"
            ),
            [{"kind": kind, "commune": commune, "day": day} for kind, commune, day in sorted(areas)],
        )
