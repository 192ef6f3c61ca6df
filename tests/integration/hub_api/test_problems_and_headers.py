"""One error shape for everything, and what stands before every route."""

from __future__ import annotations

import contextlib
import http.client
import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import structlog
from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Engine, update

from dashboards.cli import web
from hub.access.model import Role
from hub.api.app import create_api
from hub.api.deps import Anyone
from hub.api.problems import Problem, ProblemBody
from hub.api.security import MAX_BODY_BYTES, MAX_UPLOAD_BYTES, SECURITY_HEADERS
from hub.api.settings import WebSettings
from hub.ingest.tables import ingest_stat
from hub.logs import configure_logs
from tests.support.hub_api import Office
from tests.support.hub_world import Clock, PointList
from tests.support.web_server import WebServer


def check(answer: httpx.Response, status: int, slug: str) -> ProblemBody:
    """The answer is a problem of that kind, whole, and carries the security headers."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    body = ProblemBody.model_validate(answer.json())
    assert body.type == f"urn:ngonden:problem:{slug}"
    assert body.status == status
    assert body.title
    assert body.detail
    assert body.detail_vi
    assert body.instance == answer.url.path
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] == value
    return body


def test_every_error_has_one_shape(sqlite_office: Office) -> None:
    nobody, viewer = sqlite_office.as_(Role.ANONYMOUS), sqlite_office.as_(Role.VIEWER)
    staff = sqlite_office.as_(Role.STAFF)
    check(nobody.get("/api/v1/poles"), 401, "sign-in-needed")
    check(viewer.post("/api/v1/poles/TG-0001/lamp/auto"), 403, "not-allowed")
    check(viewer.get("/api/v1/khong-co"), 404, "not-found")
    check(viewer.get("/khong-co"), 404, "not-found")
    check(viewer.get("/api/v1/poles/TG-9999"), 404, "unknown-pole")
    not_taken = viewer.put("/api/v1/poles")
    check(not_taken, 405, "method-not-allowed")
    assert not_taken.headers["allow"] == "GET"
    broken = staff.post(
        "/api/v1/poles/TG-0001/lamp/override", content=b"{", headers={"content-type": "application/json"}
    )
    body = check(broken, 422, "invalid-request")
    assert body.errors is not None
    assert body.errors[0].loc.startswith("body")


@contextlib.contextmanager
def logged_as_by_the_servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What is logged meanwhile, by a logger of the test's own: a used one keeps its stream for ever."""
    stream = io.StringIO()
    with monkeypatch.context() as patched:
        patched.setattr("sys.stderr", stream)
        patched.setattr("hub.api.problems._log", structlog.get_logger())
        configure_logs()
        try:
            yield stream
        finally:
            structlog.reset_defaults()


def test_a_fault_of_ours_is_a_problem_too_and_tells_nothing_of_the_inside(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = WebSettings(database="x", telemetry="x")
    app = create_api(settings, sqlite_engine, PointList(), clock=Clock())

    @app.get("/api/v1/broken")
    def broken(_: Anyone) -> None:
        password = "-".join(["mat", "khau", "bi", "mat"])
        raise RuntimeError(f"secret inside, {len(password)} characters")

    with (
        logged_as_by_the_servers(monkeypatch) as log,
        WebServer(app) as server,
        server.client() as client,
    ):
        answer = client.get("/api/v1/broken")
        check(answer, 500, "internal-error")
        assert "secret" not in answer.text
    assert "request_failed" in log.getvalue()
    assert "RuntimeError: secret inside, 15 characters" in log.getvalue()
    assert "mat-khau-bi-mat" not in log.getvalue(), "the log tells the values of variables"


def test_the_web_server_logs_as_the_hub_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def serve(*_: object, **__: object) -> None:
        structlog.get_logger().error("served")

    settings = tmp_path / "web.toml"
    settings.write_text('database = "sqlite:///x.sqlite"\ntelemetry = "x"\n', encoding="utf-8")
    monkeypatch.setattr("dashboards.cli.opened", contextlib.nullcontext)
    monkeypatch.setattr("dashboards.cli.uvicorn.run", serve)
    try:
        web(settings)
    finally:
        structlog.reset_defaults()
    log = capfd.readouterr()
    assert "served" in log.err
    assert log.out == "", "standard output is not for the log"


def test_a_page_can_answer_problems_to_browsers_outside_the_api(sqlite_engine: Engine) -> None:
    def page(request: Request, problem: Problem) -> Response:
        return HTMLResponse(f"<p>{problem.detail_vi}", problem.status)

    settings = WebSettings(database="x", telemetry="x")
    app = create_api(settings, sqlite_engine, PointList(), html_problem=page, clock=Clock())
    html = {"accept": "text/html"}
    with WebServer(app) as server, server.client() as client:
        answer = client.get("/first-login", headers=html)
        assert (answer.status_code, answer.headers["content-type"]) == (401, "text/html; charset=utf-8")
        assert "Liên kết này đã được dùng" in answer.text
        assert answer.headers["x-frame-options"] == "DENY"
        check(client.get("/api/v1/poles", headers=html), 401, "sign-in-needed")
        check(client.get("/first-login"), 401, "first-login-used")


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://khac.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site", "origin": "http://{host}"},
    ],
)
def test_another_site_cannot_act_in_a_persons_name(sqlite_office: Office, headers: dict[str, str]) -> None:
    staff = sqlite_office.as_(Role.STAFF)
    host = f"127.0.0.1:{sqlite_office.server.port}"
    sent = {name: value.format(host=host) for name, value in headers.items()}
    check(staff.post("/api/v1/poles/TG-0001/lamp/auto", headers=sent), 403, "cross-origin")
    check(staff.delete("/api/v1/session", headers=sent), 403, "cross-origin")
    assert staff.get("/api/v1/poles", headers=sent).status_code == 200
    assert staff.get("/api/v1/commands").json()["items"] == []


@pytest.mark.parametrize(
    "headers",
    [{}, {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}, {"origin": "http://{host}"}],
)
def test_our_own_pages_and_programs_may_act(sqlite_office: Office, headers: dict[str, str]) -> None:
    host = f"127.0.0.1:{sqlite_office.server.port}"
    sent = {name: value.format(host=host) for name, value in headers.items()}
    answer = sqlite_office.as_(Role.STAFF).post("/api/v1/poles/TG-0001/lamp/auto", headers=sent)
    assert answer.status_code == 202


def test_a_body_that_is_too_large_is_refused_before_it_is_read(sqlite_office: Office) -> None:
    staff, admin = sqlite_office.as_(Role.STAFF), sqlite_office.as_(Role.ADMIN)
    check(staff.post("/api/v1/funding/entries", content=b"x" * (MAX_BODY_BYTES + 1)), 413, "too-large")
    line = http.client.HTTPConnection("127.0.0.1", sqlite_office.server.port, timeout=10)
    line.putrequest("POST", "/api/v1/registry/import")
    line.putheader("content-length", str(MAX_UPLOAD_BYTES + 1))
    line.endheaders()
    assert line.getresponse().status == 413
    line.close()
    medium = admin.post("/api/v1/registry/import", files={"file": ("x.csv", b"code\n" * MAX_BODY_BYTES)})
    assert medium.status_code == 200


def test_a_body_in_chunks_is_bounded_as_it_arrives(sqlite_office: Office) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 1024 + 2):
            yield b" " * 1024

    answer = sqlite_office.as_(Role.STAFF).post(
        "/api/v1/funding/entries",
        content=chunks(),
        headers={"content-type": "application/json"},
    )
    check(answer, 413, "too-large")


def test_pages_may_run_scripts_of_their_own_files_only(sqlite_office: Office) -> None:
    policy = sqlite_office.as_(Role.ANONYMOUS).get("/healthz").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_readiness_names_what_is_missing(sqlite_office: Office) -> None:
    nobody = sqlite_office.as_(Role.ANONYMOUS)
    assert nobody.get("/healthz").json() == {"status": "ok"}
    ready = {"status": "ready", "telemetry_up": True, "notifier_up": False}
    assert nobody.get("/readyz").json() == ready
    sqlite_office.clock.pass_(seconds=61)
    silent = check(nobody.get("/readyz"), 503, "not-ready")
    assert silent.errors is not None
    assert [one.loc for one in silent.errors] == ["ingest"]
    assert "61 s" in silent.detail
    with sqlite_office.engine.begin() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    old = check(nobody.get("/readyz"), 503, "not-ready")
    assert "version 0001" in old.detail
    assert nobody.get("/healthz").status_code == 200


def test_a_full_disk_is_not_ready_although_the_hub_is_alive(sqlite_office: Office) -> None:
    nobody = sqlite_office.as_(Role.ANONYMOUS)
    with sqlite_office.engine.begin() as conn:
        conn.execute(
            update(ingest_stat)
            .where(ingest_stat.c.key == "alive")
            .values(
                value={
                    "at": sqlite_office.clock().isoformat(),
                    "broker_connected": True,
                    "disk_full": True,
                }
            )
        )
    full = check(nobody.get("/readyz"), 503, "not-ready")
    assert full.errors is not None
    assert [one.loc for one in full.errors] == ["database"]
    assert "disk is full" in full.detail
    metrics = nobody.get("/metrics").text.splitlines()
    assert "ngonden_database_disk_full 1.0" in metrics


def test_a_database_out_of_reach_is_not_ready_and_not_described() -> None:
    from hub.db import open_database

    engine = open_database("postgresql+psycopg://geheim@127.0.0.1:1/x")
    app = create_api(WebSettings(database="x", telemetry="x"), engine, PointList(), clock=Clock())
    with WebServer(app) as server, server.client() as client:
        answer = client.get("/readyz")
        check(answer, 503, "not-ready")
        assert "geheim" not in answer.text
        assert client.get("/healthz").status_code == 200
    engine.dispose()
