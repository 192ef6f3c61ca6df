"""A clerk of one commune learns nothing of another and changes nothing there, whatever route is called."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from hub.access.model import Role
from hub.access.store import add_user, open_session, set_communes
from hub.api.deps import SESSION_COOKIE
from hub.api.live.news import WHOLE, News
from hub.api.roles import route_roles
from hub.db import reading
from hub.incidents.search import Wanted, search
from hub.incidents.windows import create_window
from hub.ingest.tables import reject, reject_count
from tests.contract.hub_api.calls import PLACES, body_for
from tests.support.hub_api import Office
from tests.support.hub_world import (
    NIGHT,
    Clock,
    incident_opens,
    lamp_speaks,
    node_tells,
    pole_line,
    registry_csv,
)

FOREIGN = ("TG-", "tg-", "tram-than", "Trạm Thản", "Ngã ba xóm", "Tổ tự quản")
"""What would give the other commune away."""

OPEN = {"/healthz", "/readyz", "/metrics", "/first-login", "/api/v1/session", "/api/v1/session/password"}
"""Routes that tell nothing of any commune."""

LISTS = {
    ("GET", "/api/v1/poles"),
    ("GET", "/api/v1/incidents"),
    ("GET", "/api/v1/incidents/count"),
    ("GET", "/api/v1/commands"),
    ("GET", "/api/v1/command-batches"),
    ("GET", "/api/v1/uptime"),
    ("GET", "/api/v1/uptime.csv"),
    ("GET", "/api/v1/uptime.xlsx"),
    ("GET", "/api/v1/tariffs"),
    ("GET", "/api/v1/node-configs"),
    ("GET", "/api/v1/node-events"),
    ("GET", "/api/v1/rejects"),
    ("GET", "/api/v1/funding"),
    ("GET", "/api/v1/summary"),
    ("GET", "/api/v1/maintenance-windows"),
    ("GET", "/api/v1/stats"),
    ("GET", "/api/v1/incident-rules"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/api/v1/events"),
}
"""Routes that answer anybody, with what is theirs."""


@pytest.fixture
def two_communes(sqlite_office: Office) -> Office:
    """Trạm Thản with something of everything, and beside it Tu Vũ with one pole."""
    office, now = sqlite_office, sqlite_office.clock()
    other = pole_line(
        9, code="TV-0009", commune_code="tu-vu", commune_name="xã Tu Vũ", former_names="Đồng Trung",
        node="tv-0009", place="Đầu làng", hamlet="Khu Chằm", feeder="V1", group="Tổ liên gia",
    )  # fmt: skip
    admin = office.as_(Role.ADMIN)
    assert admin.post("/api/v1/registry/import", files={"file": ("x.csv", registry_csv(other))}).is_success
    office.as_(Role.STAFF).post("/api/v1/poles/TG-0001/lamp/auto")
    entry = {
        "kind": "plan", "happened_on": "2026-02-01", "idempotency_key": "k0",
        "lines": [{"pole": "TG-0001", "amount_vnd": 7}], "description": "cột TG-0001",
    }  # fmt: skip
    assert office.as_(Role.STAFF).post("/api/v1/funding/entries", json=entry).status_code == 201
    with office.engine.begin() as conn:
        assert incident_opens(conn, 1, now) == PLACES["incident_id"]
        node_tells(conn, 1, now, "device_reset")
        made = create_window(
            conn, commune="tram-than", scope="pole", name="TG-0001", starts_at=now,
            ends_at=now.replace(hour=20), why="TG-0001", by="x", now=now,
        )  # fmt: skip
        assert made.id == PLACES["window_id"]
        for node in ("tg-0001", None):
            conn.execute(
                reject.insert().values(
                    received_at=now, topic="ngonden/1/tram-than/tg-0001/telemetry", node=node,
                    reason="not_json", detail="TG-0001", size=1, sha256="0" * 64, payload=b"x",
                )
            )  # fmt: skip
            conn.execute(
                reject_count.insert().values(node=node or "", reason="not_json", count=1, last_at=now)
            )
    return office


def clerk_of(office: Office, *communes: str, role: Role = Role.STAFF) -> httpx.Client:
    now = office.clock()
    with office.engine.begin() as conn:
        made = add_user(conn, f"{role}.{'.'.join(communes)}", role, communes=communes, now=now)
        token = open_session(conn, made.id, now=now)
    client = office.as_(Role.ANONYMOUS)
    client.cookies.set(SESSION_COOKIE, token)
    return client


def _written(office: Office) -> dict[str, int]:
    tables = ("command", "incident_change", "maintenance_window", "node_config_version", "ledger_entry")
    with office.engine.connect() as conn:
        return {name: conn.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables}


def test_no_route_tells_of_another_commune_or_acts_there(two_communes: Office) -> None:
    clerk, before, called = clerk_of(two_communes, "tu-vu"), _written(two_communes), 0
    for method, path, role in route_roles(two_communes.app):
        if path in OPEN or role is None or not Role.STAFF.allows(role):
            continue
        called += 1
        with clerk.stream(method, path.format_map(PLACES), **body_for(method, path)) as answer:
            if (method, path) == ("GET", "/api/v1/events"):
                assert answer.status_code == 200
                continue
            answer.read()
        if (method, path) in LISTS:
            assert answer.status_code == 200, (method, path, answer.text)
            told = answer.text
        else:
            assert answer.status_code == 404, (method, path, answer.status_code, answer.text)
            problem = answer.json()
            told = "" if "no " in problem["detail"] else answer.text
        if path != "/api/v1/openapi.json":
            assert [word for word in FOREIGN if word in told] == [], (method, path, told)
    assert called > 30
    assert _written(two_communes) == before


def test_asking_for_the_other_commune_by_name_answers_as_if_it_were_not_there(two_communes: Office) -> None:
    clerk = clerk_of(two_communes, "tu-vu")
    for path in ("poles", "incidents", "incidents/count", "summary", "node-configs", "maintenance-windows"):
        answer = clerk.get(f"/api/v1/{path}", params={"commune": "tram-than"})
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:ngonden:problem:unknown-commune")
        assert clerk.get(f"/api/v1/{path}", params={"commune": "tu-vu"}).is_success
    assert clerk.get("/api/v1/poles", params={"q": "TG-0001"}).json()["items"] == []


def test_ones_own_commune_is_whole(two_communes: Office) -> None:
    own, both = clerk_of(two_communes, "tu-vu"), clerk_of(two_communes, "tu-vu", "tram-than")
    assert [one["code"] for one in own.get("/api/v1/poles").json()["items"]] == ["TV-0009"]
    assert own.get("/api/v1/summary").json()["commune"]["code"] == "tu-vu"
    assert own.post("/api/v1/poles/TV-0009/lamp/auto").status_code == 202
    assert len(both.get("/api/v1/poles").json()["items"]) == 4
    assert both.post("/api/v1/incidents/1/acknowledge", json={}).status_code == 200
    assert both.get("/api/v1/funding").json()["totals"]["need_vnd"] == 7
    # Whose a message is that names no registered node, only the hub's own people can find out.
    assert [one["node"] for one in both.get("/api/v1/rejects").json()["counts"]] == ["tg-0001"]
    whole = two_communes.as_(Role.VIEWER).get("/api/v1/rejects").json()["counts"]
    assert [(one["node"], one["count"], one["reasons"]) for one in whole] == [
        (None, 1, {"not_json": 1}),
        ("tg-0001", 1, {"not_json": 1}),
    ]


def test_the_hubs_own_incident_is_everybodys_to_see(two_communes: Office) -> None:
    """What belongs to no place; an incident whose place is only not known is not shown to single communes."""
    with two_communes.engine.begin() as conn:
        blind = incident_opens(
            conn, 2, NIGHT, "hub_blind", commune="", pole=None, originator="hub", originator_type="hub"
        )
        lost = incident_opens(conn, 3, NIGHT, commune="")
        assert [one.id for one in search(conn, Wanted(communes=("tu-vu",)))] == [blind]
        assert {one.id for one in search(conn, Wanted())} == {1, blind, lost}


def test_the_stream_carries_each_listeners_own_news(two_communes: Office) -> None:
    news = News(reading(two_communes.engine), commune="tram-than", now=Clock())
    first = news.look([WHOLE, ("tu-vu",), ("tram-than",)])
    assert first.of(WHOLE).count(b"event: pole") == 4
    assert first.of(("tu-vu",)).count(b"event: pole") == 1
    assert b'"code":"tu-vu"' in first.of(("tu-vu",))
    assert b"tram-than" not in first.of(("tu-vu",))
    assert first.of(("tram-than", "tu-vu")).count(b"event: pole") == 4
    with two_communes.engine.begin() as conn:
        lamp_speaks(conn, 1, NIGHT, power_w=0.1)
        incident_opens(conn, 2, NIGHT, commune="")
    then = news.look([WHOLE, ("tu-vu",)])
    assert then.of(("tu-vu",)) == b""
    assert then.of(WHOLE).count(b"event: incident") == 1
    caught_up = news.catch_up(0, ("tu-vu",))
    assert [word for word in FOREIGN if word.encode() in caught_up] == []
    assert news.catch_up(0).count(b"event: pole") == 3


def test_the_stream_over_http_is_bound_as_well(two_communes: Office) -> None:
    for clerk, poles in ((clerk_of(two_communes, "tu-vu"), 0), (two_communes.as_(Role.VIEWER), 3)):
        told: list[str] = []
        with clerk.stream("GET", "/api/v1/events", params={"since": 0}) as answer:
            for line in answer.iter_lines():
                told.append(line)
                if '"funding":' in line:  # the summary, which ends the batch
                    break
        assert told.count("event: pole") == poles
        assert told.count("event: incident") == (1 if poles else 0)
        found = [word for word in FOREIGN if word in "".join(told)]
        assert found == [] if poles == 0 else "tram-than" in found


def test_areas_are_an_administrators_to_give_and_hold_at_once(two_communes: Office) -> None:
    admin = two_communes.as_(Role.ADMIN)
    new: dict[str, Any] = {"name": "lan", "role": "staff", "password": "mat khau rat dai"}
    assert admin.post("/api/v1/users", json={**new, "communes": ["xa-la"]}).status_code == 404
    assert (
        admin.post("/api/v1/users", json={**new, "role": "admin", "communes": ["tu-vu"]}).status_code == 422
    )
    made = admin.post("/api/v1/users", json={**new, "communes": ["tu-vu"]})
    assert made.json()["communes"] == ["tu-vu"]
    clerk = clerk_of(two_communes, "tu-vu")
    name = clerk.get("/api/v1/session").json()["user"]["name"]
    assert clerk.get("/api/v1/poles/TG-0001").status_code == 404
    changed = admin.put(f"/api/v1/users/{name}/communes", json={"communes": []})
    assert changed.json()["communes"] == []
    assert clerk.get("/api/v1/poles/TG-0001").status_code == 200
    assert admin.put("/api/v1/users/niemand/communes", json={"communes": []}).status_code == 404
    with two_communes.engine.begin() as conn:
        assert set_communes(conn, name, ["tu-vu"]) is not None
