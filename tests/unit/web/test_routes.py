"""Every page declares who may see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboards.web.app import assemble
from hub.access.model import Role
from hub.api.roles import route_roles
from hub.api.settings import WebSettings
from hub.db import open_database
from hub.migrations.runner import upgrade
from hub.telemetry.embedded import EmbeddedStore

PAGES = {
    "/": Role.VIEWER,
    "/poles/{code}": Role.VIEWER,
    "/rejects": Role.VIEWER,
    "/funding": Role.VIEWER,
    "/commands": Role.VIEWER,
    "/nodes": Role.VIEWER,
    "/notices": Role.ADMIN,
    "/uptime": Role.VIEWER,
    "/incidents": Role.VIEWER,
    "/incidents/{incident_id}": Role.VIEWER,
    "/maintenance": Role.VIEWER,
    "/thresholds": Role.VIEWER,
    "/communes": Role.VIEWER,
    "/account": Role.VIEWER,
    "/users": Role.ADMIN,
    "/login": Role.ANONYMOUS,
    "/p/{code}": Role.ANONYMOUS,
    "/static/{name}": Role.ANONYMOUS,
}


@pytest.fixture
def declared(tmp_path: Path) -> dict[str, Role | None]:
    """Path to role of every route that answers GET."""
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    engine, store = open_database(url), EmbeddedStore(tmp_path / "telemetry.db")
    try:
        upgrade(engine)
        app = assemble(WebSettings(database=url, telemetry="sqlite:///telemetry.db"), engine, store)
        return {path: role for method, path, role in route_roles(app) if method == "GET"}
    finally:
        store.close()
        engine.dispose()


def test_every_route_declares_its_role(declared: dict[str, Role | None]) -> None:
    assert [path for path, role in declared.items() if role is None] == []


def test_pages_are_open_to_whom_they_should_be(declared: dict[str, Role | None]) -> None:
    assert {path: role for path, role in declared.items() if path in PAGES} == PAGES
    ours = [path for path in declared if not path.startswith("/api/")]
    assert set(ours) - set(PAGES) == {"/healthz", "/readyz", "/metrics", "/first-login"}
