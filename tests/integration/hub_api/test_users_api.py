"""Administrators say who may do what and where; each change is audited and holds at once."""

from __future__ import annotations

from hub.access.audit import audit_rows
from hub.access.model import Role
from tests.support.hub_api import Office

WORD = "mat khau rat dai"


def test_role_and_communes_change_in_one_step_and_are_audited(office: Office) -> None:
    admin = office.as_(Role.ADMIN)
    new = {"name": "lan", "role": "viewer", "password": WORD, "communes": ["tram-than"]}
    assert admin.post("/api/v1/users", json=new).status_code == 201
    lan = office.as_(Role.ANONYMOUS)
    assert lan.post("/api/v1/session", json={"name": "lan", "password": WORD}).is_success
    assert lan.post("/api/v1/poles/TG-0001/lamp/auto").status_code == 403

    given = admin.put("/api/v1/users/lan/access", json={"role": "staff", "communes": ["tram-than"]})
    assert given.json() == {"name": "lan", "role": "staff", "communes": ["tram-than"]}
    assert lan.post("/api/v1/poles/TG-0001/lamp/auto").status_code == 202

    both = admin.put("/api/v1/users/lan/access", json={"role": "admin", "communes": ["tram-than"]})
    assert (both.status_code, both.json()["errors"][0]["loc"]) == (422, "body.communes")
    assert "không giới hạn theo xã" in both.json()["errors"][0]["msg_vi"]
    assert admin.put("/api/v1/users/lan/access", json={"role": "admin", "communes": []}).is_success
    assert lan.get("/api/v1/users").is_success
    with office.engine.connect() as conn:
        done = [row for row in audit_rows(conn) if row.action == "PUT /api/v1/users/{name}/access"]
    assert [(row.detail["name"], row.detail["role"], row.status) for row in reversed(done)] == [
        ("lan", "staff", 200),
        ("lan", "admin", 422),
        ("lan", "admin", 200),
    ]


def test_nobody_takes_their_own_role_away(office: Office) -> None:
    admin = office.as_(Role.ADMIN)
    name = admin.get("/api/v1/session").json()["user"]["name"]
    answer = admin.put(f"/api/v1/users/{name}/access", json={"role": "viewer", "communes": []})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:ngonden:problem:own-account")
    assert admin.get("/api/v1/users").is_success


def test_unknown_people_and_communes_are_told(office: Office) -> None:
    admin = office.as_(Role.ADMIN)
    nobody = admin.put("/api/v1/users/ai-do/access", json={"role": "staff", "communes": []})
    assert (nobody.status_code, nobody.json()["type"]) == (404, "urn:ngonden:problem:unknown-user")
    assert admin.put("/api/v1/users/ai-do/password", json={"password": WORD}).status_code == 404


def test_a_forgotten_password_is_given_anew_and_ends_the_sessions(office: Office) -> None:
    admin = office.as_(Role.ADMIN)
    admin.post("/api/v1/users", json={"name": "lan", "role": "staff", "password": WORD})
    lan = office.as_(Role.ANONYMOUS)
    lan.post("/api/v1/session", json={"name": "lan", "password": WORD})
    assert lan.get("/api/v1/session").is_success

    weak = admin.put("/api/v1/users/lan/password", json={"password": "ngan"})
    assert (weak.status_code, weak.json()["errors"][0]["loc"]) == (422, "body.password")
    assert admin.put("/api/v1/users/lan/password", json={"password": "mat khau khac"}).is_success
    assert lan.get("/api/v1/session").status_code == 401
    assert lan.post("/api/v1/session", json={"name": "lan", "password": WORD}).status_code == 401
    assert lan.post("/api/v1/session", json={"name": "lan", "password": "mat khau khac"}).is_success
    with office.engine.connect() as conn:
        rows = [row for row in audit_rows(conn) if row.action == "PUT /api/v1/users/{name}/password"]
    assert rows
    assert all("khac" not in str(row.detail) and "ngan" not in str(row.detail) for row in rows)


def test_a_fields_error_is_told_in_vietnamese(office: Office) -> None:
    answer = office.as_(Role.ADMIN).post("/api/v1/users", json={"name": "lan", "role": "vua"})
    told = {one["loc"]: one["msg_vi"] for one in answer.json()["errors"]}
    assert told == {"body.role": "Hãy chọn một trong các mục có sẵn.", "body.password": "Thiếu mục này."}
    assert "Thiếu mục này" in answer.json()["detail_vi"]
