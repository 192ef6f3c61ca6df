"""Every route of the app declares a role, and every route really holds to it."""

from __future__ import annotations

import pytest

from hub.access.model import Role
from hub.api.roles import route_roles
from tests.contract.hub_api.calls import PLACES, body_for
from tests.support.hub_api import Office

OPEN_TO_EVERYONE = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/first-login"),
    ("GET", "/metrics"),  # asks for a token of its own, or for this machine
    ("POST", "/api/v1/session"),
}

STAFF = {
    ("POST", "/api/v1/poles/{code}/lamp/override"),
    ("POST", "/api/v1/poles/{code}/lamp/auto"),
    ("POST", "/api/v1/poles/{code}/maintenance"),
    ("POST", "/api/v1/poles/{code}/maintenance/end"),
    ("POST", "/api/v1/poles/{code}/cameras/{camera}/cycle"),
    ("POST", "/api/v1/command-batches/preview"),
    ("POST", "/api/v1/command-batches"),
    ("DELETE", "/api/v1/command-batches/{batch_id}"),
    ("POST", "/api/v1/command-batches/{batch_id}/retry"),
    ("PUT", "/api/v1/nodes/{node}/config"),
    ("POST", "/api/v1/node-configs"),
    ("POST", "/api/v1/funding/entries"),
    ("POST", "/api/v1/funding/entries/{entry_id}/reversal"),
    ("POST", "/api/v1/incidents/{incident_id}/acknowledge"),
    ("POST", "/api/v1/incidents/{incident_id}/assign"),
    ("POST", "/api/v1/incidents/{incident_id}/comments"),
    ("POST", "/api/v1/incidents/{incident_id}/resolve"),
    ("POST", "/api/v1/maintenance-windows"),
    ("POST", "/api/v1/maintenance-windows/{window_id}/cancel"),
    ("PUT", "/api/v1/communes/{commune}/incident-rules/{kind}"),
    ("DELETE", "/api/v1/communes/{commune}/incident-rules/{kind}"),
}

ADMIN = {
    ("POST", "/api/v1/tariffs"),
    ("POST", "/api/v1/registry/import"),
    ("GET", "/api/v1/users"),
    ("POST", "/api/v1/users"),
    ("POST", "/api/v1/users/{name}/disable"),
    ("PUT", "/api/v1/users/{name}/access"),
    ("PUT", "/api/v1/users/{name}/communes"),
    ("PUT", "/api/v1/users/{name}/password"),
    ("PUT", "/api/v1/incident-rules/{kind}"),
    ("DELETE", "/api/v1/incident-rules/{kind}"),
    ("GET", "/api/v1/notices"),
    ("GET", "/api/v1/notices/notifier"),
    ("POST", "/api/v1/notices/channels/{name}/test"),
    ("GET", "/api/v1/notices/routes"),
    ("POST", "/api/v1/notices/routes"),
    ("PUT", "/api/v1/notices/routes/{route_id}"),
    ("DELETE", "/api/v1/notices/routes/{route_id}"),
    ("POST", "/api/v1/notices/{notice_id}/retry"),
    ("GET", "/api/v1/webhooks"),
    ("POST", "/api/v1/webhooks"),
    ("DELETE", "/api/v1/webhooks/{webhook_id}"),
    ("POST", "/api/v1/webhooks/{webhook_id}/secret"),
    ("PUT", "/api/v1/webhooks/{webhook_id}/enabled"),
    ("POST", "/api/v1/webhooks/{webhook_id}/test"),
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
        address = path.format_map(PLACES)
        with client.stream(method, address, **body_for(method, path)) as answer:
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
