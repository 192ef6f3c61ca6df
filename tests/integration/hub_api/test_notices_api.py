"""Routes, channels, messages and webhooks through the API, for administrators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from hub.access.audit import audit_rows
from hub.access.model import Role
from hub.notify import routing
from hub.notify.signing import load_key, secret
from hub.notify.webhooks import webhooks
from tests.support.hub_api import Office, open_office
from tests.support.notices import Desk

ROUTE: dict[str, Any] = {
    "name": "Tổ 2",
    "channels": ["truc", "to-1"],
    "group": "Tổ tự quản 2",
    "quiet_from": "22:00",
    "quiet_until": "05:30",
    "digest_at": "07:00",
}


def test_a_route_is_made_changed_and_removed(office: Office) -> None:
    admin = office.as_(Role.ADMIN)
    made = admin.post("/api/v1/notices/routes", json=ROUTE)
    assert made.status_code == 201
    body = made.json()
    assert body["quiet_until"] == "05:30"
    assert body["changed_by"] == "admin-0"
    where = f"/api/v1/notices/routes/{body['id']}"
    changed = admin.put(where, json={**ROUTE, "least_severity": "critical"})
    assert changed.json()["least_severity"] == "critical"
    assert [one["id"] for one in admin.get("/api/v1/notices/routes").json()["items"]] == [body["id"]]
    assert admin.delete(where).status_code == 204
    assert admin.get("/api/v1/notices/routes").json()["items"] == []
    assert admin.delete(where).status_code == 404
    assert admin.put(where, json=ROUTE).status_code == 404
    with office.engine.connect() as conn:
        assert {row.action for row in audit_rows(conn)} >= {"POST /api/v1/notices/routes"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"channels": []}, "channels"),
        ({"quiet_until": None}, "quiet_until"),
        ({"quiet_from": "24:00"}, "quiet_from"),
        ({"escalate_to": 99, "escalate_after_min": 30}, "escalate_to"),
        ({"escalate_after_min": 30}, "escalate_to"),
        ({"at_once": False, "digest_at": None}, "digest_at"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_route_that_makes_no_sense_is_refused_with_the_place(
    sqlite_office: Office, change: dict[str, Any], field: str
) -> None:
    answer = sqlite_office.as_(Role.ADMIN).post("/api/v1/notices/routes", json={**ROUTE, **change})
    assert answer.status_code == 422
    assert field in answer.json()["errors"][0]["loc"]
    assert answer.json()["detail_vi"]


def test_a_name_is_taken_once(sqlite_office: Office) -> None:
    admin = sqlite_office.as_(Role.ADMIN)
    assert admin.post("/api/v1/notices/routes", json=ROUTE).status_code == 201
    assert admin.post("/api/v1/notices/routes", json=ROUTE).status_code == 422


def test_a_removed_route_is_no_longer_escalated_to(sqlite_office: Office) -> None:
    admin = sqlite_office.as_(Role.ADMIN)
    last = admin.post("/api/v1/notices/routes", json={**ROUTE, "for_escalation": True}).json()["id"]
    wish = {**ROUTE, "name": "Đầu", "escalate_to": last, "escalate_after_min": 30}
    first = admin.post("/api/v1/notices/routes", json=wish).json()
    admin.delete(f"/api/v1/notices/routes/{last}")
    (left,) = admin.get("/api/v1/notices/routes").json()["items"]
    assert (left["id"], left["escalate_to"], left["escalate_after_min"]) == (first["id"], None, None)


def test_a_test_goes_through_the_notifier_and_how_it_went_is_shown(office: Office) -> None:
    admin = office.as_(Role.ADMIN)
    assert admin.get("/api/v1/notices/notifier").json() == {
        "seen_at": None,
        "up": False,
        "webhook_key": False,
        "channels": [],
    }
    assert admin.post("/api/v1/notices/channels/truc/test").status_code == 404
    desk = Desk(office.engine)
    desk.turn()
    shown = admin.get("/api/v1/notices/notifier").json()
    assert shown["up"] is True
    assert [one["name"] for one in shown["channels"]] == ["truc", "to-1", "cong-an"]
    asked = admin.post("/api/v1/notices/channels/truc/test")
    assert (asked.status_code, asked.json()["status"]) == (202, "waiting")
    desk.turn()
    assert desk.subjects() == ["Tin thử từ Ngọn Đèn"]
    (found,) = admin.get("/api/v1/notices", params={"target": "truc"}).json()["items"]
    assert (found["id"], found["status"], found["created_by"]) == (asked.json()["id"], "sent", "admin-0")


def test_messages_are_listed_by_status_and_incident_and_tried_again(office: Office) -> None:
    from hub.notify.model import Outcome

    admin, desk = office.as_(Role.ADMIN), Desk(office.engine)
    desk.route(channels=("truc", "to-1"))
    desk.lists["to-1"]._answers = [Outcome("permanent", "SMTP 550 no such user")]
    opened = desk.opens()
    desk.turn()
    (failed,) = admin.get("/api/v1/notices", params={"status": "failed"}).json()["items"]
    assert failed["last_error"] == "SMTP 550 no such user"
    assert len(admin.get("/api/v1/notices", params={"incident": opened}).json()["items"]) == 2
    older = admin.get("/api/v1/notices", params={"before": failed["id"]}).json()["items"]
    assert [one["target"] for one in older] == ["truc"]
    again = admin.post(f"/api/v1/notices/{failed['id']}/retry")
    assert (again.status_code, again.json()["status"]) == (200, "waiting")
    desk.turn()
    assert admin.post(f"/api/v1/notices/{failed['id']}/retry").status_code == 409
    assert admin.post("/api/v1/notices/999999/retry").status_code == 404
    assert len(desk.subjects("to-1")) == 1


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "webhook.key"
    path.write_text("cd" * 32)
    path.chmod(0o600)
    return path


def test_a_webhooks_secret_is_shown_once_and_signs(engine: Engine, key_file: Path) -> None:
    with open_office(engine, settings={"webhook_key_file": str(key_file)}) as office:
        admin = office.as_(Role.ADMIN)
        made = admin.post(
            "/api/v1/webhooks", json={"url": "https://example.vn/hook?t=ma-bi-mat", "note": "Sở"}
        )
        assert made.status_code == 201
        key, hook = load_key(key_file), made.json()["webhook"]
        with office.engine.connect() as conn:
            stored = webhooks(conn)[hook["id"]]
        assert made.json()["secret"] == secret(key, stored.id, stored.nonce)
        listed = admin.get("/api/v1/webhooks")
        assert "whsec_" not in listed.text
        assert stored.nonce not in listed.text
        replaced = admin.post(f"/api/v1/webhooks/{hook['id']}/secret").json()
        assert replaced["secret"] != made.json()["secret"]
        assert replaced["webhook"]["old_until"] is not None
        off = admin.put(f"/api/v1/webhooks/{hook['id']}/enabled", json={"enabled": False})
        assert off.json()["enabled"] is False
        assert admin.post(f"/api/v1/webhooks/{hook['id']}/test").status_code == 202
        assert admin.delete(f"/api/v1/webhooks/{hook['id']}").status_code == 204
        for call in (
            admin.post(f"/api/v1/webhooks/{hook['id']}/secret"),
            admin.post(f"/api/v1/webhooks/{hook['id']}/test"),
            admin.put(f"/api/v1/webhooks/{hook['id']}/enabled", json={"enabled": True}),
            admin.delete(f"/api/v1/webhooks/{hook['id']}"),
        ):
            assert call.status_code == 404
        with office.engine.connect() as conn:
            trail = str(audit_rows(conn))
        assert "example.vn" in trail
        assert "whsec_" not in trail
        assert "ma-bi-mat" not in trail


@pytest.mark.parametrize(
    "url", ["http://example.vn/hook", "https://192.168.1.5/", "https://a:b@example.vn/"]
)
def test_an_unsafe_webhook_is_refused(sqlite_engine: Engine, key_file: Path, url: str) -> None:
    with open_office(sqlite_engine, settings={"webhook_key_file": str(key_file)}) as office:
        answer = office.as_(Role.ADMIN).post("/api/v1/webhooks", json={"url": url})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:ngonden:problem:unsafe-address")


def test_without_a_key_webhooks_say_what_to_set(sqlite_office: Office) -> None:
    answer = sqlite_office.as_(Role.ADMIN).post("/api/v1/webhooks", json={"url": "https://example.vn/"})
    assert answer.status_code == 409
    assert "webhook_key_file" in answer.json()["detail"]


def test_routes_made_here_are_those_the_notifier_reads(sqlite_office: Office) -> None:
    sqlite_office.as_(Role.ADMIN).post("/api/v1/notices/routes", json=ROUTE)
    with sqlite_office.engine.connect() as conn:
        (found,) = routing.routes(conn).values()
    assert (found.channels, found.group) == (("truc", "to-1"), "Tổ tự quản 2")
