"""A small registered commune, and ways to let time and nodes speak, for tests of the hub's API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, insert, update

from hub.incidents.tables import incident
from hub.ingest.tables import ingest_stat, node_event, node_state, pole_state
from hub.registry.importing import import_registry
from hub.revision import next_revision
from hub.telemetry.port import Health, Point, Series, StoreUnavailableError, Tally

NIGHT = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)
"""21:00 in Trạm Thản: every lamp is due."""

HEADER = (
    "code,place,hamlet,commune_code,commune_name,former_names,province,feeder,node,latitude,longitude,"
    "lamp_rated_w,programme,group,cameras"
)


def pole_line(n: int, **changes: str) -> str:
    """A row of a registry file for pole TG-000n."""
    values = {
        "code": f"TG-{n:04}",
        "place": f"Ngã ba xóm {n}",
        "hamlet": f"Khu {1 + n % 2}",
        "commune_code": "tram-than",
        "commune_name": "xã Trạm Thản",
        "former_names": "Trung Giáp;Tiên Phú",
        "province": "tỉnh Phú Thọ",
        "feeder": f"F{1 + n % 2}",
        "node": f"tg-{n:04}",
        "latitude": f"{21.47 + n / 1000:.4f}",
        "longitude": f"{105.25 + n / 1000:.4f}",
        "lamp_rated_w": "50",
        "programme": "Ngọn đèn an ninh",
        "group": f"Tổ tự quản {1 + n % 2}",
        "cameras": f"CAM-TG-{n:02}" if n == 1 else "",
    } | changes
    return ",".join(values[name] for name in HEADER.split(","))


def registry_csv(*lines: str) -> bytes:
    """A registry file of these rows."""
    return ("\n".join([HEADER, *lines]) + "\n").encode()


def register(engine: Engine, poles: int = 3) -> None:
    """Register TG-0001 up to TG-000n."""
    with engine.begin() as conn:
        result = import_registry(
            conn, registry_csv(*(pole_line(n) for n in range(1, poles + 1))), now=NIGHT
        )
        assert result.stored, result.errors


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, now: datetime = NIGHT) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **span: float) -> None:
        """Move on."""
        self.now += timedelta(**span)


class PointList:
    """A telemetry store that keeps its points in a list; `up = False` plays a store that is down."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self.up = True

    def write(self, batch_id: int, points: Sequence[Point]) -> None:
        self.points.extend(points)

    def series(self, pole: str, start: datetime, end: datetime, max_points: int) -> Series:
        if not self.up:
            raise StoreUnavailableError("down", 7)
        low, high = start.timestamp() * 1000, end.timestamp() * 1000
        found = [one for one in self.points if one.pole == pole and low <= one.time_ms < high][:max_points]
        return Series(
            pole=pole,
            start=start,
            end=end,
            time=[one.time_ms / 1000 for one in found],
            power_w=[one.power_w for one in found],
            voltage_v=[one.voltage_v for one in found],
            level=[one.effect_level for one in found],
            camera_reachable=[None for _ in found],
        )

    def count(self, node: str, epoch: str) -> Tally:
        mine = [one for one in self.points if one.node == node and one.epoch == epoch]
        return Tally(len(mine), len({one.seq for one in mine}), max((one.seq for one in mine), default=0))

    def health(self) -> Health:
        return Health(self.up, "list")

    def close(self) -> None:
        self.points.clear()


def node_speaks(
    conn: Connection, n: int, now: datetime, *, status: str = "online", config_version: int = 1
) -> int:
    """Node tg-000n is heard; returns the revision."""
    revision = next_revision(conn)
    values: dict[str, Any] = {
        "commune": "tram-than",
        "session": "s",
        "status": status,
        "last_seen_at": now,
        "heartbeat_s": 30,
        "connected_at": now,
        "epoch": "e",
        "queued": 0,
        "agent_version": "0.1.0",
        "config_version": config_version,
        "clock": "synced",
        "revision": revision,
    }
    _upsert(conn, node_state, "node", f"tg-{n:04}", values)
    return revision


def lamp_speaks(
    conn: Connection,
    n: int,
    now: datetime,
    *,
    level: float = 1.0,
    power_w: float | None = 49.0,
    reason: str = "sun",
    told: dict[str, Any] | None = None,
    camera: dict[str, Any] | None = None,
) -> int:
    """Pole TG-000n's newest sample; returns the revision. `camera` adds to what the first pole's says."""
    revision = next_revision(conn)
    values: dict[str, Any] = {
        "node": f"tg-{n:04}",
        "sample_at": now,
        "received_at": now,
        "epoch": "e",
        "seq": revision,
        "effect_level": level,
        "reason": reason,
        "commanded_level": None,
        "override_until": None,
        "power_w": power_w,
        "voltage_v": 221.0,
        "current_a": 0.2,
        "energy_wh": 1000.0,
        "dark": True,
        "cameras": [{"camera": "CAM-TG-01", "reachable": True, "latency_ms": 3.0, **(camera or {})}]
        if n == 1
        else [],
        "clock": "synced",
        "revision": revision,
        "told": told or {},
    }
    _upsert(conn, pole_state, "pole", f"TG-{n:04}", values)
    return revision


def node_tells(conn: Connection, n: int, now: datetime, kind: str, **more: Any) -> None:
    """Node tg-000n tells an event, of itself as a whole unless `pole` says more."""
    revision = next_revision(conn)
    values: dict[str, Any] = {
        "node": f"tg-{n:04}",
        "epoch": "e",
        "seq": revision,
        "kind": kind,
        "at": now,
        "received_at": now,
        "clock": "synced",
        "historical": False,
        "detail": {},
        "revision": revision,
        **more,
    }
    conn.execute(insert(node_event).values(**values))


def incident_opens(conn: Connection, n: int, now: datetime, kind: str = "lamp_failure", **more: Any) -> int:
    """An incident opens on pole TG-000n, or on its node; returns its id. `more` sets further columns."""
    about_node = kind == "communication_failure"
    values: dict[str, Any] = {
        "kind": kind,
        "originator_type": "node" if about_node else "pole",
        "originator": f"tg-{n:04}" if about_node else f"TG-{n:04}",
        "pole": None if about_node else f"TG-{n:04}",
        "commune": "tram-than",
        "feeder": f"F{1 + n % 2}",
        "opened_at": now,
        "opened_evidence": {"power_w": 0.4},
        "revision": next_revision(conn),
        **more,
    }
    key = conn.execute(insert(incident).values(**values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def incident_closes(conn: Connection, incident_id: int, now: datetime) -> None:
    """It is over."""
    conn.execute(
        update(incident)
        .where(incident.c.id == incident_id)
        .values(closed_at=now, closed_evidence={"power_w": 49.0}, revision=next_revision(conn))
    )


def ingest_lives(conn: Connection, now: datetime, rejects: int = 0) -> None:
    """The hub process gives its sign of life and its counters."""
    _upsert(conn, ingest_stat, "key", "alive", {"value": {"at": now.isoformat(), "broker_connected": True}})
    _upsert(conn, ingest_stat, "key", "counters", {"value": {"rejects": {"not_json": rejects}}})


def _upsert(conn: Connection, table: Any, key_name: str, key: str, values: dict[str, Any]) -> None:
    done = conn.execute(update(table).where(table.c[key_name] == key).values(**values))
    if done.rowcount == 0:
        conn.execute(insert(table).values({key_name: key, **values}))
