"""Routes as rows: who is told of what."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import time
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from hub.notify.hours import parse_time
from hub.notify.model import Route
from hub.notify.tables import notify_route as t


class RouteRefusedError(ValueError):
    """The route makes no sense; texts in English and Vietnamese, `field` says where."""

    def __init__(self, field: str, detail: str, detail_vi: str) -> None:
        super().__init__(detail)
        self.field = field
        self.detail_vi = detail_vi


def routes(conn: Connection) -> dict[int, Route]:
    """All routes by id, in the order they were made."""
    return {row.id: _route(row) for row in conn.execute(select(t).order_by(t.c.id))}


def add(conn: Connection, route: Route) -> Route:
    """Store a new route and return it with its id; raises RouteRefusedError."""
    _check(conn, replace(route, id=0))
    key = conn.execute(insert(t).values(_values(route))).inserted_primary_key
    assert key is not None
    return routes(conn)[int(key[0])]


def change(conn: Connection, route: Route) -> Route | None:
    """Replace the route of that id; None where there is none. Raises RouteRefusedError."""
    _check(conn, route)
    done = conn.execute(update(t).where(t.c.id == route.id).values(_values(route)))
    return routes(conn)[route.id] if done.rowcount else None


def remove(conn: Connection, route_id: int) -> bool:
    """Forget a route. Those who got an opening through it still hear that it is over."""
    conn.execute(
        update(t).where(t.c.escalate_to == route_id).values(escalate_to=None, escalate_after_min=None)
    )
    return conn.execute(delete(t).where(t.c.id == route_id)).rowcount == 1


def _check(conn: Connection, route: Route) -> None:
    if not route.channels:
        raise RouteRefusedError("channels", "a route needs a channel", "Hãy chọn ít nhất một kênh.")
    if not route.at_once and route.digest_at is None and not route.for_escalation:
        raise RouteRefusedError(
            "digest_at",
            "a route tells each incident at once, or a digest, or both",
            "Hãy chọn gửi ngay từng sự cố, gửi bản tin mỗi ngày, hoặc cả hai.",
        )
    if (route.quiet_from is None) != (route.quiet_until is None):
        raise RouteRefusedError(
            "quiet_until", "quiet hours need both ends", "Giờ yên tĩnh cần cả giờ bắt đầu và giờ kết thúc."
        )
    if (route.escalate_after_min is None) != (route.escalate_to is None):
        raise RouteRefusedError(
            "escalate_to",
            "escalation needs minutes and a route",
            "Chuyển tiếp cần cả số phút chờ và tuyến nhận tiếp.",
        )
    others = {one.id: one for one in routes(conn).values() if one.id != route.id}
    if route.escalate_to is not None and route.escalate_to not in others:
        raise RouteRefusedError(
            "escalate_to", "there is no other such route", "Không có tuyến nhận tiếp này."
        )
    if any(one.name == route.name for one in others.values()):
        raise RouteRefusedError("name", f"{route.name!r} is taken", f"Tên “{route.name}” đã có.")


def _values(route: Route) -> dict[str, Any]:
    values = {name: value for name, value in asdict(route).items() if name != "id"}
    values |= {name: _text(values[name]) for name in ("digest_at", "quiet_from", "quiet_until")}
    return values | {"kinds": sorted(route.kinds), "channels": list(route.channels)}


def _text(clock: time | None) -> str | None:
    return None if clock is None else f"{clock:%H:%M}"


def _route(row: Row[Any]) -> Route:
    values = dict(row._mapping)
    values |= {name: parse_time(values[name]) for name in ("digest_at", "quiet_from", "quiet_until")}
    return Route(**values | {"kinds": frozenset(values["kinds"]), "channels": tuple(values["channels"])})
