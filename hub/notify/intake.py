"""From the incidents' history to messages that wait: each change is looked at once, in one transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Engine

from hub.incidents.reads import changes_after
from hub.notify import store
from hub.notify.hours import digest_day
from hub.notify.model import Happening, Planned
from hub.notify.places import Places
from hub.notify.routing import routes
from hub.notify.rules import plan
from hub.notify.webhooks import events, webhooks

CHANGES_AT_ONCE = 500


def take_in(engine: Engine, places: Places, *, now: datetime, gather_s: float) -> int:
    """Look at the next changes; returns how many there were. Another notifier's are left to it."""
    with engine.begin() as conn:
        seen = store.cursor(conn)
        found = changes_after(conn, seen, limit=CHANGES_AT_ONCE)
        if not found or not store.advance(conn, seen, found[-1][0].id):
            return 0
        places.refresh(conn)
        happenings = [Happening(change, incident, places.of(incident)) for change, incident in found]
        told = store.told(conn, {one.incident.id for one in happenings})
        made = plan(happenings, routes(conn), told, now=now, gather_s=gather_s)
        made.new += events(happenings, list(webhooks(conn).values()), now=now)
        store.apply(conn, made, now=now)
    return len(found)


def news_waits(conn: Connection) -> bool:
    """Whether there is a change that nobody has looked at; costs no write lock."""
    return bool(changes_after(conn, store.cursor(conn), limit=1))


class Digests:
    """Notes each route's digest once a day; remembers what it has noted, so that a turn costs nothing."""

    def __init__(self) -> None:
        self._noted: set[str] = set()

    def note(self, engine: Engine, reads: Engine, *, now: datetime) -> int:
        """Note the digests whose hour has come; returns how many were new."""
        with reads.connect() as conn:
            known = routes(conn)
        wanted: list[Planned] = []
        for route in known.values():
            day = digest_day(route, now) if route.enabled else None
            for channel in route.channels if day is not None else ():
                key = f"digest:{route.id}:{day}:{channel}"
                if key not in self._noted:
                    wanted.append(
                        Planned(
                            key=key,
                            purpose="digest",
                            target=channel,
                            language=route.language,
                            route_id=route.id,
                            due_at=now,
                        )
                    )
        if not wanted:
            return 0
        with engine.begin() as conn:
            new = [store.note(conn, one, now=now) for one in wanted]
        self._noted = {key for key in self._noted if f":{now:%Y-%m}" in key} | {one.key for one in wanted}
        return sum(1 for one in new if one is not None)
