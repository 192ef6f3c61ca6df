"""The API over a real database behind a real server, and people of each role who are signed in to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from hub.access.model import Role
from hub.access.store import add_user, open_session
from hub.api.app import create_api
from hub.api.deps import SESSION_COOKIE
from hub.api.settings import WebSettings
from tests.support.hub_world import Clock, PointList, ingest_lives, lamp_speaks, node_speaks, register
from tests.support.web_server import WebServer


@dataclass
class Office:
    """A running API with three poles, its clock, its telemetry store, and a client per role."""

    app: FastAPI
    engine: Engine
    store: PointList
    clock: Clock
    server: WebServer
    _open: ExitStack = field(default_factory=ExitStack)

    def as_(self, role: Role) -> httpx.Client:
        """A new browser; signed in as a user of that role, or as nobody."""
        client = self._open.enter_context(self.server.client())
        if role is not Role.ANONYMOUS:
            client.cookies.set(SESSION_COOKIE, self.session_of(role))
        return client

    def session_of(self, role: Role) -> str:
        """The token of a new session of a new user."""
        now = self.clock()
        with self.engine.begin() as conn:
            count = conn.exec_driver_sql('SELECT COUNT(*) FROM "user"').scalar_one()
            user = add_user(conn, f"{role}-{count}", role, now=now)
            return open_session(conn, user.id, now=now)

    def close(self) -> None:
        """Close all clients."""
        self._open.close()


@contextmanager
def open_office(
    engine: Engine, *, poles: int = 3, settings: dict[str, object] | None = None
) -> Iterator[Office]:
    """Register poles, let them speak once, and serve the API over them."""
    clock, store = Clock(), PointList()
    register(engine, poles)
    with engine.begin() as conn:
        ingest_lives(conn, clock())
        for n in range(1, poles + 1):
            node_speaks(conn, n, clock())
            lamp_speaks(conn, n, clock() - timedelta(seconds=1))
    values = {"database": str(engine.url), "telemetry": "none", "events_poll_ms": 20, **(settings or {})}
    app = create_api(WebSettings.model_validate(values), engine, store, clock=clock)
    with WebServer(app) as server:
        office = Office(app, engine, store, clock, server)
        try:
            yield office
        finally:
            office.close()


@pytest.fixture
def office(engine: Engine) -> Iterator[Office]:
    """An office over each kind of database."""
    with open_office(engine) as opened:
        yield opened


@pytest.fixture
def sqlite_office(sqlite_engine: Engine) -> Iterator[Office]:
    """An office over SQLite, where the kind of database does not matter."""
    with open_office(sqlite_engine) as opened:
        yield opened
