"""From a stored message to the text that goes out, with incidents as they stand at that moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from hub.incidents.reads import incidents, incidents_of
from hub.notify import store
from hub.notify.messages import Item, Writer
from hub.notify.model import Delivery, Message
from hub.notify.places import Places
from hub.notify.routing import routes
from hub.notify.rules import concerns

DIGEST_OVER = timedelta(hours=24)
_DIGEST_MOST = 5000


def compose(
    conn: Connection, delivery: Delivery, places: Places, *, base_url: str, now: datetime
) -> Message | None:
    """The text of one message; None where there is nothing to say."""
    writer = Writer(delivery.language, base_url)
    if delivery.purpose == "test":
        return writer.test(delivery.target, by=delivery.created_by)
    places.refresh(conn)
    if delivery.purpose == "digest":
        return _digest(conn, delivery, places, writer, now)
    if delivery.purpose == "summary":
        parts = store.members(conn, delivery.id)
        items = _items(conn, parts, places)
        return writer.summary(items, closed=parts[0].purpose == "closed") if items else None
    items = _items(conn, [delivery], places)
    if not items:
        return None
    incident, place = items[0]
    if delivery.purpose == "closed":
        return writer.closed(incident, place)
    return writer.opened(incident, place, escalated=delivery.purpose == "escalated")


def _digest(
    conn: Connection, delivery: Delivery, places: Places, writer: Writer, now: datetime
) -> Message | None:
    route = routes(conn).get(delivery.route_id or 0)
    if route is None:
        return None
    open_now = [(one, places.of(one)) for one in incidents(conn, status="open", limit=_DIGEST_MOST)]
    mine = [
        (one, place) for one, place in open_now if one.quiet_reason is None and concerns(route, one, place)
    ]
    closed_lately = sum(
        1
        for one in incidents(conn, status="closed", limit=_DIGEST_MOST)
        if one.closed_at is not None
        and one.closed_at > now - DIGEST_OVER
        and one.quiet_reason is None
        and concerns(route, one, places.of(one))
    )
    return writer.digest(mine, closed_lately=closed_lately, now=now) if mine or closed_lately else None


def _items(conn: Connection, parts: Sequence[Delivery], places: Places) -> list[Item]:
    found = incidents_of(conn, (one.incident_id for one in parts if one.incident_id is not None))
    return [(one, places.of(one)) for one in found.values()]
