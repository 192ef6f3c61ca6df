"""The API describes itself as OpenAPI 3.1, whole, and answers what it describes."""

from __future__ import annotations

from typing import Any

import pytest

from hub.access.model import Role
from hub.api.words import TITLES
from hub.incidents.catalogue import known_kinds
from tests.support.hub_api import Office

PLANNED = {
    "/healthz": {"get"},
    "/readyz": {"get"},
    "/api/v1/poles": {"get"},
    "/api/v1/poles/{code}": {"get"},
    "/api/v1/poles/{code}/telemetry": {"get"},
    "/api/v1/incidents": {"get"},
    "/api/v1/incidents/count": {"get"},
    "/api/v1/incidents/{incident_id}": {"get"},
    "/api/v1/incidents/{incident_id}/acknowledge": {"post"},
    "/api/v1/incidents/{incident_id}/assign": {"post"},
    "/api/v1/incidents/{incident_id}/comments": {"post"},
    "/api/v1/incidents/{incident_id}/resolve": {"post"},
    "/api/v1/maintenance-windows": {"get", "post"},
    "/api/v1/maintenance-windows/{window_id}/cancel": {"post"},
    "/api/v1/incident-rules": {"get"},
    "/api/v1/incident-rules/{kind}": {"put", "delete"},
    "/api/v1/communes/{commune}/incident-rules": {"get"},
    "/api/v1/communes/{commune}/incident-rules/{kind}": {"put", "delete"},
    "/api/v1/users/{name}/access": {"put"},
    "/api/v1/users/{name}/communes": {"put"},
    "/api/v1/users/{name}/password": {"put"},
    "/api/v1/summary": {"get"},
    "/api/v1/stats": {"get"},
    "/api/v1/rejects": {"get"},
    "/api/v1/poles/{code}/lamp/override": {"post"},
    "/api/v1/poles/{code}/lamp/auto": {"post"},
    "/api/v1/poles/{code}/maintenance": {"post"},
    "/api/v1/poles/{code}/maintenance/end": {"post"},
    "/api/v1/poles/{code}/cameras/{camera}/cycle": {"post"},
    "/api/v1/node-events": {"get"},
    "/api/v1/nodes/{node}/config": {"get", "put"},
    "/api/v1/nodes/{node}/config/history": {"get"},
    "/api/v1/node-configs": {"get", "post"},
    "/api/v1/command-batches": {"get", "post"},
    "/api/v1/command-batches/preview": {"post"},
    "/api/v1/command-batches/{batch_id}": {"get", "delete"},
    "/api/v1/command-batches/{batch_id}/retry": {"post"},
    "/metrics": {"get"},
    "/api/v1/notices": {"get"},
    "/api/v1/notices/notifier": {"get"},
    "/api/v1/notices/channels/{name}/test": {"post"},
    "/api/v1/notices/routes": {"get", "post"},
    "/api/v1/notices/routes/{route_id}": {"put", "delete"},
    "/api/v1/notices/{notice_id}/retry": {"post"},
    "/api/v1/webhooks": {"get", "post"},
    "/api/v1/webhooks/{webhook_id}": {"delete"},
    "/api/v1/webhooks/{webhook_id}/secret": {"post"},
    "/api/v1/webhooks/{webhook_id}/enabled": {"put"},
    "/api/v1/webhooks/{webhook_id}/test": {"post"},
    "/api/v1/commands": {"get"},
    "/api/v1/commands/{command_id}": {"get"},
    "/api/v1/events": {"get"},
    "/api/v1/session": {"get", "post", "delete"},
    "/api/v1/session/password": {"post"},
    "/api/v1/funding": {"get"},
    "/api/v1/poles/{code}/funding": {"get"},
    "/api/v1/funding/entries": {"post"},
    "/api/v1/funding/entries/{entry_id}/reversal": {"post"},
    "/api/v1/registry/import": {"post"},
    "/api/v1/uptime": {"get"},
    "/api/v1/uptime.csv": {"get"},
    "/api/v1/uptime.xlsx": {"get"},
    "/api/v1/tariffs": {"get", "post"},
    "/api/v1/users": {"get", "post"},
    "/api/v1/users/{name}/disable": {"post"},
}

TOLD_BESIDE = {
    "agent_rolled_back",
    "agent_update_started",
    "agent_updated",
    "board_found",
    "camera_power_cycled",
    "clock_corrected",
    "config_refused",
    "device_reset",
    "lamp_output_back",
    "lamp_output_lost",
    "link_stalled",
    "maintenance_mode",
    "modem_reset",
    "node_reboot",
    "outbox_damaged",
    "outbox_in_memory",
    "outbox_on_disk",
    "outbox_overflow",
}
"""What nodes tell without its being an incident."""


@pytest.fixture
def description(sqlite_office: Office) -> dict[str, Any]:
    answer = sqlite_office.as_(Role.VIEWER).get("/api/v1/openapi.json")
    body: dict[str, Any] = answer.json()
    return body


def test_the_description_is_openapi_3_1_and_names_every_planned_operation(
    description: dict[str, Any],
) -> None:
    assert description["openapi"].startswith("3.1.")
    assert {path: set(operations) for path, operations in description["paths"].items()} == PLANNED


def test_every_operation_tells_its_role_its_error_shape_and_what_it_does(
    description: dict[str, Any],
) -> None:
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], (method, path)
            assert operation["x-role"] in {"anonymous", "viewer", "staff", "admin"}, (method, path)
            default = operation["responses"]["default"]["content"]["application/problem+json"]["schema"]
            assert default == {"$ref": "#/components/schemas/ProblemBody"}, (method, path)
            assert "HTTPValidationError" not in str(operation), (method, path)
    assert "HTTPValidationError" not in description["components"]["schemas"]


def test_every_reference_leads_somewhere(description: dict[str, Any]) -> None:
    def references(part: Any) -> set[str]:
        if isinstance(part, dict):
            own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
            return own.union(*(references(one) for one in part.values()))
        return set().union(*(references(one) for one in part)) if isinstance(part, list) else set()

    names = {f"#/components/schemas/{name}" for name in description["components"]["schemas"]}
    assert references(description) <= names


def test_every_kind_of_incident_and_event_has_a_title() -> None:
    assert {*known_kinds(), *TOLD_BESIDE} <= set(TITLES)
    assert all(vi and en and vi != en for vi, en in TITLES.values())
