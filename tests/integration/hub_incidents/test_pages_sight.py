"""Pages show a clerk the own commune alone, as the API does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dashboards.web.app import assemble
from hub.access.model import Role
from hub.access.store import add_user, open_session
from hub.api.deps import SESSION_COOKIE
from hub.api.roles import route_roles
from hub.api.settings import WebSettings
from tests.support.hub_api import Office
from tests.support.hub_world import incident_opens, pole_line, registry_csv
from tests.support.web_server import WebServer

FOREIGN = ("TG-000", "tg-000", "tram-than", "Trạm Thản", "Ngã ba xóm", "Tổ tự quản 1")

PUBLIC = {"/login", "/healthz", "/readyz", "/metrics", "/first-login", "/p/{code}"}


@pytest.mark.parametrize("commune", ["tu-vu", "not-imported-yet"])
def test_no_page_shows_another_commune(sqlite_office: Office, commune: str) -> None:
    office, now = sqlite_office, sqlite_office.clock()
    other = pole_line(
        9, code="TV-0009", commune_code="tu-vu", commune_name="xã Tu Vũ", former_names="Đồng Trung",
        node="tv-0009", place="Đầu làng", hamlet="Khu Chằm", feeder="V1", group="Tổ liên gia",
    )  # fmt: skip
    files = {"file": ("x.csv", registry_csv(other))}
    assert office.as_(Role.ADMIN).post("/api/v1/registry/import", files=files).is_success
    with office.engine.begin() as conn:
        key = incident_opens(conn, 1, now - timedelta(hours=1))
        user = add_user(conn, "lan", Role.STAFF, communes=[commune], now=now)
        token = open_session(conn, user.id, now=now)
    settings = WebSettings(database=str(office.engine.url), telemetry="none", commune="tram-than")
    app = assemble(settings, office.engine, office.store, clock=office.clock)
    seen = 0
    with WebServer(app) as server, server.client() as clerk:
        clerk.cookies.set(SESSION_COOKIE, token)
        for method, path, role in route_roles(app):
            if role is Role.ADMIN or path in PUBLIC or path.startswith(("/api/", "/static/")):
                continue
            answer = clerk.request(
                method, path.format(code="TG-0001", incident_id=key), headers={"accept": "text/html"}
            )
            assert answer.status_code == (404 if "{" in path else 200), (path, answer.text)
            if answer.status_code == 200:
                assert [word for word in FOREIGN if word in answer.text] == [], path
            seen += 1
        assert ("Xã Tu Vũ" in clerk.get("/").text) is (commune == "tu-vu")
    assert seen >= 9


def test_a_clerk_of_several_communes_sees_all_of_them_or_the_one_asked_for(sqlite_office: Office) -> None:
    office, now = sqlite_office, sqlite_office.clock()
    lines = [
        pole_line(
            n, code=f"{code.upper()}-0001", commune_code=code, commune_name=f"xã {name}", former_names="",
            node=f"{code}-0001", place="Đầu làng", hamlet="Khu Chằm", feeder="V1", group="Tổ liên gia",
        )
        for n, code, name in ((8, "tu-vu", "Tu Vũ"), (9, "phu-khe", "Phú Khê"))
    ]  # fmt: skip
    files = {"file": ("x.csv", registry_csv(*lines))}
    assert office.as_(Role.ADMIN).post("/api/v1/registry/import", files=files).json()["stored"]
    with office.engine.begin() as conn:
        user = add_user(conn, "hoa", Role.STAFF, communes=["tu-vu", "phu-khe"], now=now)
        token = open_session(conn, user.id, now=now)
        incident_opens(conn, 1, now - timedelta(hours=1))
        incident_opens(conn, 8, now - timedelta(hours=1), commune="tu-vu", pole="TU-VU-0001")
    settings = WebSettings(database=str(office.engine.url), telemetry="none", commune="tram-than")
    app = assemble(settings, office.engine, office.store, clock=office.clock)
    with WebServer(app) as server, server.client() as clerk:
        clerk.cookies.set(SESSION_COOKIE, token)
        for path in (
            "/",
            "/communes",
            "/incidents",
            "/maintenance",
            "/funding",
            "/uptime",
            "/commands",
            "/nodes",
        ):
            for asked in ("", "?commune=tu-vu"):
                answer = clerk.get(f"{path}{asked}")
                assert answer.status_code == 200, (path, asked, answer.text)
                assert [word for word in FOREIGN if word in answer.text] == [], (path, asked)
            assert clerk.get(f"{path}?commune=tram-than").status_code == (
                200 if path == "/communes" else 404
            )
        assert clerk.get("/api/v1/incidents/count").json() == {"open": 1}
        assert clerk.get("/api/v1/incidents/count?commune=phu-khe").json() == {"open": 0}
        whole, one = clerk.get("/funding").text, clerk.get("/funding?commune=tu-vu").text
        assert "Xã Phú Khê" in whole
        assert "PHU-KHE-0001" not in one
        assert "TU-VU-0001" in one
