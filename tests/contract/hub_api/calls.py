"""How to call every route of the API: what stands in its address, and a body that fits."""

from __future__ import annotations

from typing import Any

from hub.api.security import SAFE_METHODS
from hub.incidents.catalogue import DEFAULT_RULES
from hub.incidents.model import LAMP_FAILURE

PLACES = {
    "code": "TG-0001",
    "camera": "CAM-TG-01",
    "node": "tg-0001",
    "command_id": "00000000-0000-4000-8000-000000000000",
    "batch_id": "00000000-0000-4000-8000-000000000000",
    "entry_id": 1,
    "route_id": 1,
    "notice_id": 1,
    "webhook_id": 1,
    "incident_id": 1,
    "window_id": 1,
    "commune": "tram-than",
    "kind": "lamp_failure",
    "name": "x",
}

THRESHOLDS = {
    "hold_off_s": 90,
    "clear_after_s": 30,
    "params": dict(DEFAULT_RULES[LAMP_FAILURE].params),
    "severity": "major",
    "enabled": True,
}

MANY = {"action": "lamp_auto", "scope": {"kind": "commune", "commune": "tram-than"}}


def body_for(method: str, path: str) -> dict[str, Any]:
    """A body that fits, so that what refuses is the role and not the form."""
    bodies: dict[str, dict[str, Any]] = {
        "/api/v1/session": {"json": {"name": "x", "password": "y"}},
        "/api/v1/session/password": {"json": {"password": "mat khau rat dai"}},
        "/api/v1/poles/{code}/lamp/override": {"json": {"level": 1, "until": "2026-03-01T20:00:00Z"}},
        "/api/v1/poles/{code}/maintenance": {"json": {"until": "2026-03-01T20:00:00Z"}},
        "/api/v1/command-batches/preview": {"json": MANY},
        "/api/v1/command-batches": {"json": {**MANY, "idempotency_key": "k", "why": "thử"}},
        "/api/v1/command-batches/{batch_id}/retry": {"json": {"idempotency_key": "l"}},
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
        "/api/v1/incidents/{incident_id}/comments": {"json": {"note": "đã xem"}},
        "/api/v1/incidents/{incident_id}/acknowledge": {"json": {}},
        "/api/v1/incidents/{incident_id}/assign": {"json": {}},
        "/api/v1/incidents/{incident_id}/resolve": {"json": {"reason": "đã thay bóng"}},
        "/api/v1/maintenance-windows": {
            "json": {
                "commune": "tram-than",
                "scope": "pole",
                "name": "TG-0001",
                "starts_at": "2026-03-02T01:00:00Z",
                "ends_at": "2026-03-02T04:00:00Z",
                "why": "thay dây",
            }
        },
        "/api/v1/incident-rules/{kind}": {"json": THRESHOLDS},
        "/api/v1/communes/{commune}/incident-rules/{kind}": {"json": THRESHOLDS},
        "/api/v1/users/{name}/access": {"json": {"role": "staff", "communes": ["tram-than"]}},
        "/api/v1/users/{name}/password": {"json": {"password": "mat khau rat dai"}},
        "/api/v1/users/{name}/communes": {"json": {"communes": ["tram-than"]}},
        "/api/v1/notices/routes": {"json": {"name": "Trực", "channels": ["truc"]}},
        "/api/v1/notices/routes/{route_id}": {"json": {"name": "Trực", "channels": ["truc"]}},
        "/api/v1/webhooks": {"json": {"url": "https://example.vn/hook"}},
        "/api/v1/webhooks/{webhook_id}/enabled": {"json": {"enabled": True}},
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
