"""Incidents with their history, routes, and a notifier whose time and channels are the test's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import Any

from sqlalchemy import Engine, insert, update

from hub.incidents.reads import IncidentView
from hub.incidents.store import note_change
from hub.incidents.tables import incident
from hub.notify import routing
from hub.notify.channels import ChannelBook, ChannelEntry
from hub.notify.model import Delivery, Route
from hub.notify.reads import deliveries
from hub.notify.service import Notifier
from hub.notify.transports.port import Channel, ListChannel
from hub.notify.transports.webhook import WebhookPoster
from hub.revision import next_revision
from hub.settings import NotifySettings
from tests.support.hub_world import NIGHT, Clock

BASE_URL = "https://den.example.vn"


def view(**changes: Any) -> IncidentView:
    """An open lamp failure on TG-0001."""
    values: dict[str, Any] = {
        "id": 1,
        "kind": "lamp_failure",
        "originator_type": "pole",
        "originator": "TG-0001",
        "pole": "TG-0001",
        "opened_at": NIGHT,
        "closed_at": None,
        "opened_evidence": {},
        "closed_evidence": None,
        "revision": 1,
        "commune": "tram-than",
        "feeder": "F1",
        "severity": "major",
        "since_at": NIGHT,
        "parent_id": None,
        "quiet_reason": None,
        "acknowledged_at": None,
        "acknowledged_by": None,
        "assigned_group": None,
        "closed_how": None,
        "closed_by": None,
    }
    # The view grows with the table: what a newer column adds, stands as it does in an old row.
    newer: dict[str, Any] = dict.fromkeys(set(IncidentView.__dataclass_fields__) - set(values))
    return IncidentView(**newer | values | changes)


def route(**changes: Any) -> Route:
    """A route of everything to the channel `truc`."""
    return replace(
        Route(id=1, name="Trực", channels=("truc",), changed_at=NIGHT, changed_by="admin"), **changes
    )


class Inline(Executor):
    """Does the work at once, in the thread that asks for it."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


class Book(ChannelBook):
    """Channels that are handed in."""

    def __init__(self, channels: Mapping[str, Channel], rate_per_min: int = 1000) -> None:
        super().__init__(None, timeout_s=1)
        self.open = {name: ChannelEntry(name, rate_per_min, one) for name, one in channels.items()}

    def entries(self) -> Mapping[str, ChannelEntry]:
        return self.open


class Desk:
    """A notifier with three list channels (`truc`, `to-1`, `cong-an`), taken through its turns by hand."""

    def __init__(self, engine: Engine, *, rate_per_min: int = 1000, **settings: Any) -> None:
        self.engine = engine
        self.clock = Clock()
        self.lists = {name: ListChannel() for name in ("truc", "to-1", "cong-an")}
        self.book = Book(dict(self.lists), rate_per_min)
        self.settings = NotifySettings.model_validate({"gather_s": 0, "base_url": BASE_URL} | settings)
        self.notifier = self.new_notifier()

    def new_notifier(self, executor: Executor | None = None) -> Notifier:
        """Another process on the same database."""
        poster = WebhookPoster(timeout_s=2, allow_private=self.settings.webhook_allow_private)
        return Notifier(
            self.settings,
            self.engine,
            executor or Inline(),
            book=self.book,
            poster=poster,
            clock=self.clock,
        )

    def route(self, **changes: Any) -> Route:
        """Make a route."""
        with self.engine.begin() as conn:
            name = f"Tuyến {len(routing.routes(conn)) + 1}"
            return routing.add(conn, route(**{"name": name} | changes))

    def opens(self, n: int = 1, **values: Any) -> int:
        """An incident opens on pole TG-000n; returns its id."""
        with self.engine.begin() as conn:
            revision = next_revision(conn)
            row = {
                "kind": "lamp_failure",
                "originator_type": "pole",
                "originator": f"TG-{n:04}",
                "pole": f"TG-{n:04}",
                "opened_at": self.clock(),
                "opened_evidence": {},
                "revision": revision,
                "commune": "tram-than",
                "severity": "major",
            } | values
            key = conn.execute(insert(incident).values(**row)).inserted_primary_key
            assert key is not None
            note_change(conn, int(key[0]), self.clock(), "opened", revision=revision)
            return int(key[0])

    def changes(self, incident_id: int, change: str, *, by: str = "", **values: Any) -> None:
        """A further step of an incident."""
        with self.engine.begin() as conn:
            revision = next_revision(conn)
            conn.execute(
                update(incident).where(incident.c.id == incident_id).values(revision=revision, **values)
            )
            note_change(conn, incident_id, self.clock(), change, revision=revision, by=by)

    def closes(self, incident_id: int) -> None:
        """It is over."""
        self.changes(incident_id, "closed", closed_at=self.clock(), closed_how="measured", closed_by="")

    def turn(self, **span: float) -> None:
        """Let time pass, then one turn of the notifier."""
        self.clock.pass_(**span)
        self.notifier.turn()

    def subjects(self, channel: str = "truc") -> list[str]:
        """What a channel got."""
        return [one.subject for one in self.lists[channel].sent]

    def deliveries(self) -> list[Delivery]:
        """All messages, the oldest first."""
        with self.engine.connect() as conn:
            return deliveries(conn, limit=1000)[::-1]

    def statuses(self) -> list[tuple[str, str, str]]:
        """Purpose, target and status of all messages, the oldest first."""
        return [(one.purpose, one.target, one.status) for one in self.deliveries()]
