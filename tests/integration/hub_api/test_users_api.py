"""Administrators say who may do what and where; each change is audited and holds at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, Engine, text

from hub.access.audit import audit_rows
from hub.access.model import LastAdminError, Role
from hub.access.store import add_user, disable_user, set_access, users
from tests.support.hub_api import Office
from tests.support.servers import wait_until

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


NOW = datetime(2026, 11, 28, 5, 0, tzinfo=UTC)


def demote(conn: Connection, name: str) -> None:
    set_access(conn, name, Role.STAFF, [])


def disable(conn: Connection, name: str) -> None:
    disable_user(conn, name, now=NOW)


@pytest.mark.parametrize("second", [demote, disable])
def test_two_administrators_who_take_each_others_role_at_once_leave_one(
    engine: Engine, second: Callable[[Connection, str], None]
) -> None:
    with engine.begin() as conn:
        for name in ("an", "binh"):
            add_user(conn, name, Role.ADMIN, now=NOW)
    refused: list[LastAdminError] = []
    begun, ended = threading.Event(), threading.Event()

    def binh_acts() -> None:
        begun.set()
        try:
            with engine.begin() as conn:
                second(conn, "an")
        except LastAdminError as error:
            refused.append(error)
        ended.set()

    thread = threading.Thread(target=binh_acts)
    with engine.begin() as conn:
        demote(conn, "binh")
        thread.start()
        # SQLite lets one writer in at a time; PostgreSQL has him wait at the rows, if they are locked.
        wait_until(
            lambda: begun.is_set() if engine.dialect.name == "sqlite" else ended.is_set() or waits(engine),
            what="the other to act meanwhile",
        )
    thread.join(20)
    assert ended.is_set()
    assert [str(error) for error in refused] == [
        "role: 'an' is the only administrator: add another one first"
    ]
    with engine.connect() as conn:
        assert [one.name for one in users(conn) if one.role is Role.ADMIN] == ["an"]


def waits(engine: Engine) -> bool:
    """Whether a session of this PostgreSQL waits for another's lock."""
    question = text(
        "SELECT COUNT(*) FROM pg_stat_activity "
        "WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with engine.connect() as conn:
        return bool(conn.execute(question).scalar_one())


def test_an_administrator_who_has_just_lost_the_role_takes_it_from_nobody(office: Office) -> None:
    """The second request was let in before the first one's transaction ended."""
    an, binh = office.as_(Role.ADMIN), office.as_(Role.ADMIN)
    names = [one.get("/api/v1/session").json()["user"]["name"] for one in (an, binh)]
    answers: list[int] = []

    def binh_acts() -> None:
        body = {"role": "viewer", "communes": []}
        answers.append(binh.put(f"/api/v1/users/{names[0]}/access", json=body).status_code)

    thread = threading.Thread(target=binh_acts)
    with office.engine.begin() as conn:
        demote(conn, names[1])
        thread.start()
        if office.engine.dialect.name == "postgresql":
            wait_until(lambda: answers or waits(office.engine), what="the request to wait")
    thread.join(20)
    assert answers == [409] if office.engine.dialect.name == "postgresql" else answers[0] in (403, 409)
    assert an.get("/api/v1/users").is_success
