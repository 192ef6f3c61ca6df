"""Every route of the app declares a role, and every route really holds to it."""

from __future__ import annotations

from typing import Any

import pytest

from hub.access.model import Role
from hub.api.roles import route_roles
from hub.api.security import SAFE_METHODS
from tests.support.hub_api import Office

OPEN_TO_EVERYONE = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/first-login"),
    ("POST", "/api/v1/session"),
}

STAFF = {
    ("POST", "/api/v1/poles/{code}/lamp/override"),
    ("POST", "/api/v1/poles/{code}/lamp/auto"),
    ("POST", "/api/v1/poles/{code}/maintenance"),
    ("POST", "/api/v1/poles/{code}/maintenance/end"),
    ("POST", "/api/v1/poles/{code}/cameras/{camera}/cycle"),
    ("PUT", "/api/v1/nodes/{node}/config"),
    ("POST", "/api/v1/node-configs"),
    ("POST", "/api/v1/funding/entries"),
    ("POST", "/api/v1/funding/entries/{entry_id}/reversal"),
}

ADMIN = {
    ("POST", "/api/v1/tariffs"),
    ("POST", "/api/v1/registry/import"),
    ("GET", "/api/v1/users"),
    ("POST", "/api/v1/users"),
    ("POST", "/api/v1/users/{name}/disable"),
}


def test_every_route_declares_its_role(sqlite_office: Office) -> None:
    undeclared = [(method, path) for method, path, role in route_roles(sqlite_office.app) if role is None]
    assert undeclared == []


def test_roles_are_those_that_were_decided(sqlite_office: Office) -> None:
    for method, path, role in route_roles(sqlite_office.app):
        want = (
            Role.ANONYMOUS
            if (method, path) in OPEN_TO_EVERYONE
            else Role.STAFF
            if (method, path) in STAFF
            else Role.ADMIN
            if (method, path) in ADMIN
            else Role.VIEWER
        )
        assert role is want, (method, path)
    known = {(method, path) for method, path, _ in route_roles(sqlite_office.app)}
    assert known >= OPEN_TO_EVERYONE | STAFF | ADMIN
    assert len(known) > 20


@pytest.mark.parametrize("who", list(Role))
def test_every_route_holds_to_its_role_when_called(sqlite_office: Office, who: Role) -> None:
    for method, path, role in route_roles(sqlite_office.app):
        assert role is not None
        client = sqlite_office.as_(who)
        address = path.format(
            code="TG-0001",
            camera="CAM-TG-01",
            node="tg-0001",
            command_id="00000000-0000-4000-8000-000000000000",
            entry_id=1,
            name="x",
        )
        with client.stream(method, address, **_body(method, path)) as answer:
            status = answer.status_code
            kind = answer.headers.get("content-type", "")
            if not kind.startswith("text/event-stream"):
                answer.read()
        if who.allows(role):
            allowed_refusals = (
                {401} if path in ("/first-login", "/api/v1/session") and role is Role.ANONYMOUS else set()
            )
            assert status < 500, (method, path)
            assert status not in {401, 403, 405} - allowed_refusals, (method, path, status)
        else:
            assert status == (401 if who is Role.ANONYMOUS else 403), (method, path)
            assert kind == "application/problem+json"


def _body(method: str, path: str) -> dict[str, Any]:
    """A body that fits, so that what refuses is the role and not the form."""
    bodies: dict[str, dict[str, Any]] = {
        "/api/v1/session": {"json": {"name": "x", "password": "y"}},
        "/api/v1/session/password": {"json": {"password": "mat khau rat dai"}},
        "/api/v1/poles/{code}/lamp/override": {"json": {"level": 1, "until": "2026-03-01T20:00:00Z"}},
        "/api/v1/poles/{code}/maintenance": {"json": {"until": "2026-03-01T20:00:00Z"}},
        "/api/v1/nodes/{node}/config": {"json": {"profile": {}, "why": "thử"}},
        "/api/v1/node-configs": {"json": {"commune": "tram-than", "profile": {}, "why": "thử"}},
        "/api/v1/registry/import": {"files": {"file": ("x.csv", b"code\n")}},
        "/api/v1/funding/entries": {
            "json": {
                "kind": "plan",
                "happened_on": "2026-02-01",
                "idempotency_key": "k",
                "lines": [{"pole": "TG-0001", "amount_vnd": 1}],
                "description": "cột",
            }
        },
        "/api/v1/funding/entries/{entry_id}/reversal": {"json": {"idempotency_key": "u", "memo": "nhầm"}},
        "/api/v1/tariffs": {
            "json": {
                "valid_from": "2025-05-10",
                "vnd_per_kwh": "2204.07",
                "vat_percent": "8",
                "source": "QĐ",
            }
        },
        "/api/v1/users": {"json": {"name": "nguoi-moi", "role": "viewer", "password": "mat khau rat dai"}},
    }
    return {} if method in SAFE_METHODS or method == "DELETE" else bodies.get(path, {})
