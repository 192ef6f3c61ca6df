"""Signing in, staying in, getting out; the first login; the audit trail."""

from __future__ import annotations

import httpx
import pytest
from sqlalchemy import Engine, select, text

from hub.access import tables
from hub.access.audit import audit_rows
from hub.access.model import Role
from hub.access.store import add_user, hashed_password, new_first_login
from hub.api.deps import SESSION_COOKIE
from tests.support.hub_api import Office, open_office

PASSWORD = "đèn sáng đường quê"
LOGIN = {"name": "lan", "password": PASSWORD}


def hire(office: Office, role: Role = Role.STAFF) -> None:
    with office.engine.begin() as conn:
        add_user(conn, "lan", role, hashed=hashed_password(PASSWORD), now=office.clock())


def first_login_token(office: Office) -> str:
    with office.engine.begin() as conn:
        return new_first_login(conn, now=office.clock())


def problem(answer: httpx.Response, status: int, slug: str) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, object] = answer.json()
    assert body["type"] == f"urn:ngonden:problem:{slug}"
    assert body["detail_vi"]
    return body


def test_sign_in_and_out(office: Office) -> None:
    hire(office)
    browser = office.as_(Role.ANONYMOUS)
    answer = browser.post("/api/v1/session", json=LOGIN)
    assert answer.json() == {"user": {"name": "lan", "role": "staff", "communes": []}, "has_password": True}
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie
    assert "secure" not in cookie
    assert browser.get("/api/v1/session").json()["user"]["name"] == "lan"
    kept = browser.cookies[SESSION_COOKIE]
    assert browser.delete("/api/v1/session").status_code == 204
    browser.cookies.set(SESSION_COOKIE, kept)
    problem(browser.get("/api/v1/session"), 401, "sign-in-needed")


def test_the_cookie_is_secure_over_https(sqlite_engine: Engine) -> None:
    with open_office(sqlite_engine, settings={"base_url": "https://den.example.vn"}) as office:
        hire(office)
        answer = office.as_(Role.ANONYMOUS).post("/api/v1/session", json=LOGIN)
        assert "secure" in answer.headers["set-cookie"].lower()
        assert "max-age" in answer.headers["strict-transport-security"]


def test_only_hashes_of_secrets_are_stored(sqlite_office: Office) -> None:
    hire(sqlite_office)
    browser = sqlite_office.as_(Role.ANONYMOUS)
    browser.post("/api/v1/session", json=LOGIN)
    token = browser.cookies[SESSION_COOKIE]
    first = first_login_token(sqlite_office)
    with sqlite_office.engine.connect() as conn:
        stored = "".join(
            str(row)
            for table in (
                tables.user,
                tables.session,
                tables.first_login,
                tables.audit,
                tables.login_attempt,
            )
            for row in conn.execute(select(table))
        )
    assert "argon2id" in stored
    for secret in (token, first, PASSWORD):
        assert secret not in stored


def test_a_session_ends_twelve_hours_after_its_last_use(office: Office) -> None:
    browser = office.as_(Role.VIEWER)
    for _ in range(3):
        office.clock.pass_(hours=11)
        assert browser.get("/api/v1/session").status_code == 200
    office.clock.pass_(hours=12, seconds=1)
    problem(browser.get("/api/v1/session"), 401, "sign-in-needed")


@pytest.mark.parametrize("login", [{**LOGIN, "password": "sai"}, {**LOGIN, "name": "ai-do"}])
def test_wrong_name_and_wrong_password_look_alike(sqlite_office: Office, login: dict[str, str]) -> None:
    hire(sqlite_office)
    body = problem(
        sqlite_office.as_(Role.ANONYMOUS).post("/api/v1/session", json=login), 401, "wrong-login"
    )
    assert body["detail_vi"] == "Tên đăng nhập hoặc mật khẩu không đúng."


def test_a_user_without_a_password_cannot_sign_in_with_any(sqlite_office: Office) -> None:
    with sqlite_office.engine.begin() as conn:
        add_user(conn, "moi", Role.VIEWER, now=sqlite_office.clock())
    answer = sqlite_office.as_(Role.ANONYMOUS).post(
        "/api/v1/session", json={"name": "moi", "password": "None"}
    )
    problem(answer, 401, "wrong-login")


def test_guessing_a_password_is_stopped_even_when_the_guess_is_right(office: Office) -> None:
    hire(office)
    browser = office.as_(Role.ANONYMOUS)
    for _ in range(5):
        assert browser.post("/api/v1/session", json={**LOGIN, "password": "sai"}).status_code == 401
    stopped = browser.post("/api/v1/session", json=LOGIN)
    problem(stopped, 429, "too-many-logins")
    assert 0 < int(stopped.headers["retry-after"]) <= 901
    office.clock.pass_(minutes=15, seconds=1)
    assert browser.post("/api/v1/session", json=LOGIN).status_code == 200


def test_guessing_names_from_one_address_is_stopped(sqlite_office: Office) -> None:
    browser = sqlite_office.as_(Role.ANONYMOUS)
    statuses = [
        browser.post("/api/v1/session", json={"name": f"n{n}", "password": "x"}).status_code
        for n in range(21)
    ]
    assert statuses == [401] * 20 + [429]


def test_a_new_password_ends_the_other_sessions(office: Office) -> None:
    hire(office)
    here, there = office.as_(Role.ANONYMOUS), office.as_(Role.ANONYMOUS)
    for browser in (here, there):
        browser.post("/api/v1/session", json=LOGIN)
    assert here.post("/api/v1/session/password", json={"password": "mật khẩu mới 2026"}).status_code == 200
    assert here.get("/api/v1/session").status_code == 200
    assert there.get("/api/v1/session").status_code == 401
    assert there.post("/api/v1/session", json=LOGIN).status_code == 401


@pytest.mark.parametrize("weak", ["", "ngắn", "aaaaaaaaaaaaaaaa", "x" * 201])
def test_a_weak_password_is_refused(sqlite_office: Office, weak: str) -> None:
    answer = sqlite_office.as_(Role.VIEWER).post("/api/v1/session/password", json={"password": weak})
    body = problem(answer, 422, "invalid-request")
    assert body["errors"][0]["loc"] == "body.password"  # type: ignore[index]


def test_the_first_login_works_once_and_leads_home(office: Office) -> None:
    token = first_login_token(office)
    browser = office.as_(Role.ANONYMOUS)
    answer = browser.get("/first-login", params={"token": token})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert browser.get("/api/v1/session").json() == {
        "user": {"name": "admin", "role": "admin", "communes": []},
        "has_password": False,
    }
    problem(
        office.as_(Role.ANONYMOUS).get("/first-login", params={"token": token}), 401, "first-login-used"
    )


def test_a_first_login_runs_out_after_a_day(sqlite_office: Office) -> None:
    token = first_login_token(sqlite_office)
    sqlite_office.clock.pass_(hours=24)
    answer = sqlite_office.as_(Role.ANONYMOUS).get("/first-login", params={"token": token})
    problem(answer, 401, "first-login-used")


def test_a_newer_first_login_replaces_the_older(sqlite_office: Office) -> None:
    old, new = first_login_token(sqlite_office), first_login_token(sqlite_office)
    browser = sqlite_office.as_(Role.ANONYMOUS)
    assert browser.get("/first-login", params={"token": old}).status_code == 401
    assert browser.get("/first-login", params={"token": new}).status_code == 303


def test_no_first_login_once_an_administrator_has_a_password(office: Office) -> None:
    first, second = first_login_token(office), None
    admin = office.as_(Role.ANONYMOUS)
    admin.get("/first-login", params={"token": first})
    admin.post("/api/v1/session/password", json={"password": PASSWORD})
    second = first_login_token(office)
    problem(
        office.as_(Role.ANONYMOUS).get("/first-login", params={"token": second}), 401, "first-login-used"
    )


def test_a_disabled_user_is_out_at_once(office: Office) -> None:
    hire(office)
    lan, admin = office.as_(Role.ANONYMOUS), office.as_(Role.ADMIN)
    lan.post("/api/v1/session", json=LOGIN)
    assert admin.post("/api/v1/users/lan/disable").status_code == 200
    assert lan.get("/api/v1/session").status_code == 401
    assert lan.post("/api/v1/session", json=LOGIN).status_code == 401
    assert [one["name"] for one in admin.get("/api/v1/users").json()["items"]] == ["admin-1"]
    problem(admin.post("/api/v1/users/admin-1/disable"), 409, "own-account")


def test_a_new_user_signs_in_with_the_role_given(sqlite_office: Office) -> None:
    admin = sqlite_office.as_(Role.ADMIN)
    made = admin.post("/api/v1/users", json={**LOGIN, "role": "viewer"})
    assert (made.status_code, made.json()) == (201, {"name": "lan", "role": "viewer", "communes": []})
    problem(admin.post("/api/v1/users", json={**LOGIN, "role": "viewer"}), 422, "invalid-request")
    problem(
        admin.post("/api/v1/users", json={**LOGIN, "name": "b", "role": "anonymous"}),
        422,
        "invalid-request",
    )
    lan = sqlite_office.as_(Role.ANONYMOUS)
    assert lan.post("/api/v1/session", json=LOGIN).json()["user"]["role"] == "viewer"


def test_what_people_change_leaves_an_audit_row_and_refusals_too(office: Office) -> None:
    staff = office.as_(Role.STAFF)
    staff.post("/api/v1/poles/TG-0001/lamp/auto")
    staff.post("/api/v1/poles/TG-9999/lamp/auto")
    with office.engine.connect() as conn:
        refused, done = audit_rows(conn)
    assert (done.by, done.status, done.target) == ("staff-0", 202, "/api/v1/poles/TG-0001/lamp/auto")
    assert done.action == "POST /api/v1/poles/{code}/lamp/auto"
    assert done.address == "127.0.0.1"
    assert (refused.status, refused.detail) == (404, {"problem": "unknown-pole"})


def test_a_failed_login_is_recorded_without_what_was_typed(sqlite_office: Office) -> None:
    browser = sqlite_office.as_(Role.ANONYMOUS)
    browser.post("/api/v1/session", json={"name": "mật khẩu gõ nhầm", "password": "x"})
    with sqlite_office.engine.connect() as conn:
        (row,) = audit_rows(conn)
    assert (row.by, row.status, row.detail) == ("", 401, {"problem": "wrong-login"})


def test_reads_leave_no_audit_rows(sqlite_office: Office) -> None:
    sqlite_office.as_(Role.VIEWER).get("/api/v1/poles")
    with sqlite_office.engine.connect() as conn:
        assert conn.execute(text("SELECT COUNT(*) FROM audit")).scalar_one() == 0
