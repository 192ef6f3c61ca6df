"""What the API tells of poles, incidents, commands and the commune."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.access.model import Role
from hub.telemetry.port import Point
from tests.support.hub_api import Office
from tests.support.hub_world import (
    NIGHT,
    incident_closes,
    incident_opens,
    ingest_lives,
    lamp_speaks,
    node_speaks,
)
from tests.support.points import bare_point


def point(n: int, *, minutes_ago: int, power_w: float | None) -> Point:
    at = int((NIGHT - timedelta(minutes=minutes_ago)).timestamp() * 1000)
    return bare_point(
        node=f"tg-{n:04}",
        epoch="e",
        seq=minutes_ago,
        pole=f"TG-{n:04}",
        time_ms=at,
        received_ms=at,
        reason="sun",
        power_w=power_w,
        voltage_v=220.0,
    )


def test_the_list_shows_each_pole_with_its_live_state(office: Office) -> None:
    with office.engine.begin() as conn:
        lamp_speaks(conn, 2, office.clock(), power_w=0.3)
        node_speaks(conn, 3, office.clock(), status="lost")
        incident_opens(conn, 2, office.clock())
        incident_opens(conn, 3, office.clock(), "communication_failure")
    body = office.as_(Role.VIEWER).get("/api/v1/poles").json()
    assert [(one["code"], one["state"], one["open_incidents"]) for one in body["items"]] == [
        ("TG-0001", "lit", 0),
        ("TG-0002", "dark", 1),
        ("TG-0003", "unknown", 1),
    ]
    first = body["items"][0]
    assert (first["power_w"], first["voltage_v"], first["level"], first["reason"]) == (
        49.0,
        221.0,
        1.0,
        "sun",
    )
    assert [(one["code"], one["reachable"]) for one in first["cameras"]] == [("CAM-TG-01", True)]
    assert (first["commune"], first["hamlet"], first["feeder"], first["node"]) == (
        "tram-than",
        "Khu 2",
        "F2",
        "tg-0001",
    )
    assert first["sample_at"] == "2026-03-01T13:59:59Z"
    assert body["as_of"] == "2026-03-01T14:00:00Z"
    assert body["revision"] > 0


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("?q=trung giap", ["TG-0001", "TG-0002", "TG-0003"]),
        ("?q=xom 2 f1", ["TG-0002"]),
        ("?commune=tram-than&state=dark", ["TG-0002"]),
        ("?commune=khac", []),
        ("?q=khong co", []),
    ],
)
def test_the_list_can_be_narrowed(sqlite_office: Office, query: str, codes: list[str]) -> None:
    with sqlite_office.engine.begin() as conn:
        lamp_speaks(conn, 2, sqlite_office.clock(), power_w=0.3)
    body = sqlite_office.as_(Role.VIEWER).get(f"/api/v1/poles{query}").json()
    assert [one["code"] for one in body["items"]] == codes


def test_a_pole_shows_node_incidents_money_and_last_command(office: Office) -> None:
    with office.engine.begin() as conn:
        closed = incident_opens(conn, 1, office.clock())
        incident_closes(conn, closed, office.clock())
        incident_opens(conn, 1, office.clock(), "communication_failure")
    staff = office.as_(Role.STAFF)
    command = staff.post("/api/v1/poles/TG-0001/lamp/auto").json()
    body = staff.get("/api/v1/poles/TG-0001").json()
    assert body["commune_name"] == "xã Trạm Thản"
    assert (body["programme"], body["group"]) == ("Ngọn đèn an ninh", "Tổ tự quản 2")
    assert body["node_state"] == {
        "status": "online",
        "last_seen_at": "2026-03-01T14:00:00Z",
        "clock": "synced",
        "queued": 0,
        "agent_version": "0.1.0",
    }
    assert {(one["kind"], one["closed_at"] is None) for one in body["incidents"]} == {
        ("lamp_failure", False),
        ("communication_failure", True),
    }
    assert body["funding"]["balance_vnd"] == 0
    assert body["last_command"] == command


def test_a_pole_that_never_spoke_is_unknown(sqlite_office: Office) -> None:
    with sqlite_office.engine.begin() as conn:
        conn.exec_driver_sql("DELETE FROM pole_state")
        conn.exec_driver_sql("DELETE FROM node_state")
    body = sqlite_office.as_(Role.VIEWER).get("/api/v1/poles/TG-0001").json()
    assert (body["state"], body["power_w"], body["sample_at"], body["node_state"]) == (
        "unknown",
        None,
        None,
        None,
    )
    assert [(one["code"], one["reachable"]) for one in body["cameras"]] == [("CAM-TG-01", None)]


def test_silence_of_a_meter_is_null_not_zero(sqlite_office: Office) -> None:
    with sqlite_office.engine.begin() as conn:
        lamp_speaks(conn, 1, sqlite_office.clock(), power_w=None)
    body = sqlite_office.as_(Role.VIEWER).get("/api/v1/poles/TG-0001").json()
    assert (body["state"], body["measured"], body["power_w"]) == ("lit", False, None)


def test_the_chart_is_the_last_day_unless_told_otherwise(office: Office) -> None:
    office.store.points = [
        point(1, minutes_ago=m, power_w=p) for m, p in ((1500, 1.0), (30, 49.5), (5, None))
    ]
    viewer = office.as_(Role.VIEWER)
    body = viewer.get("/api/v1/poles/TG-0001/telemetry").json()
    assert (body["start"], body["end"]) == ("2026-02-28T14:00:00Z", "2026-03-01T14:00:00Z")
    assert body["columns"]["power_w"] == [49.5, None]
    assert body["columns"]["time"] == [(NIGHT - timedelta(minutes=m)).timestamp() for m in (30, 5)]
    earlier = viewer.get(
        "/api/v1/poles/TG-0001/telemetry",
        params={"start": "2026-02-28T00:00:00+07:00", "end": "2026-03-01T00:00:00+07:00", "points": 10},
    ).json()
    assert earlier["columns"]["power_w"] == [1.0]


@pytest.mark.parametrize(
    "query",
    [
        {"start": "2026-03-02T00:00:00Z"},
        {"start": "2020-01-01T00:00:00Z"},
        {"start": "2026-03-01T00:00:00"},
        {"points": "1"},
        {"points": "1000000"},
    ],
)
def test_a_span_that_makes_no_sense_is_refused(sqlite_office: Office, query: dict[str, str]) -> None:
    answer = sqlite_office.as_(Role.VIEWER).get("/api/v1/poles/TG-0001/telemetry", params=query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"].startswith("query.")


def test_a_telemetry_store_that_is_down_is_said_so(sqlite_office: Office) -> None:
    sqlite_office.store.up = False
    answer = sqlite_office.as_(Role.VIEWER).get("/api/v1/poles/TG-0001/telemetry")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert answer.json()["type"] == "urn:ngonden:problem:telemetry-unavailable"
    ready = sqlite_office.as_(Role.ANONYMOUS).get("/readyz")
    assert ready.json() == {"status": "ready", "telemetry_up": False, "notifier_up": False}


def test_incidents_with_their_titles(office: Office) -> None:
    with office.engine.begin() as conn:
        one = incident_opens(conn, 1, office.clock())
        two = incident_opens(conn, 2, office.clock() + timedelta(minutes=1))
        incident_closes(conn, one, office.clock() + timedelta(minutes=2))
    viewer = office.as_(Role.VIEWER)
    (opened,) = viewer.get("/api/v1/incidents").json()["items"]
    assert (opened["id"], opened["pole"], opened["title_vi"], opened["evidence"]) == (
        two,
        "TG-0002",
        "Đèn không sáng",
        {"power_w": 0.4},
    )
    closed = viewer.get("/api/v1/incidents?status=closed").json()["items"]
    assert [one_["id"] for one_ in closed] == [one]
    assert len(viewer.get("/api/v1/incidents?status=all").json()["items"]) == 2
    assert viewer.get("/api/v1/incidents?status=all&pole=TG-0003").json()["items"] == []
    assert viewer.get("/api/v1/incidents?pole=TG-9999").status_code == 404
    assert viewer.get("/api/v1/incidents?status=old").status_code == 422


def test_the_commune_at_a_glance(office: Office) -> None:
    with office.engine.begin() as conn:
        lamp_speaks(conn, 2, office.clock(), power_w=0.3)
        node_speaks(conn, 3, office.clock(), status="silent")
        incident_opens(conn, 2, office.clock())
        ingest_lives(conn, office.clock(), rejects=7)
    body = office.as_(Role.VIEWER).get("/api/v1/summary").json()
    assert body["commune"]["former_names"] == ["Tiên Phú", "Trung Giáp"]
    assert body["commune"]["latitude"] == pytest.approx(21.472)
    assert body["poles"] == 3
    assert body["states"] == {"lit": 1, "dark": 1, "off": 0, "on_by_day": 0, "unknown": 1}
    assert body["nodes"] == {"online": 2, "silent": 1, "lost": 0, "stopped": 0}
    assert (body["open_incidents"], body["rejects"]) == (1, 7)
    assert body["funding"] == {"need_vnd": 0, "received_vnd": 0, "spent_vnd": 0, "balance_vnd": 0}
    assert office.as_(Role.VIEWER).get("/api/v1/summary?commune=khac").status_code == 404
    stats = office.as_(Role.VIEWER).get("/api/v1/stats").json()
    assert stats["rejects"] == {"total": 7, "by_reason": {"not_json": 7}}


def test_an_override_becomes_a_command_that_waits_to_be_sent(office: Office) -> None:
    staff = office.as_(Role.STAFF)
    answer = staff.post(
        "/api/v1/poles/TG-0001/lamp/override", json={"level": 0.5, "until": "2026-03-01T23:00:00+07:00"}
    )
    assert answer.status_code == 202
    command = answer.json()
    assert (command["pole"], command["action"], command["level"], command["status"]) == (
        "TG-0001",
        "lamp_override",
        0.5,
        "requested",
    )
    assert (command["until"], command["requested_by"]) == ("2026-03-01T16:00:00Z", "staff-0")
    assert command["receipts"] == []
    assert staff.get(f"/api/v1/commands/{command['id']}").json() == command
    assert staff.get("/api/v1/commands?pole=TG-0001").json()["items"] == [command]
    assert staff.get("/api/v1/commands?pole=TG-0002").json()["items"] == []
    unknown = staff.get("/api/v1/commands/00000000-0000-4000-8000-000000000000")
    assert unknown.json()["type"] == "urn:ngonden:problem:unknown-command"


GOOD = {"level": 1, "until": "2026-03-01T20:00:00Z"}


@pytest.mark.parametrize(
    ("change", "loc"),
    [
        ({"until": "2026-03-01T14:00:00Z"}, "body.until"),
        ({"until": "2026-03-02T14:00:01Z"}, "body.until"),
        ({"until": "2026-03-01T20:00:00"}, "body.until"),
        ({"until": "tối nay"}, "body.until"),
        ({"until": None}, "body.until"),
        ({"level": -0.1}, "body.level"),
        ({"level": 1.1}, "body.level"),
        ({"level": True}, "body.level"),
        ({"level": "1"}, "body.level"),
        ({"colour": "red"}, "body.colour"),
    ],
)
def test_an_override_that_makes_no_sense_is_refused(
    sqlite_office: Office, change: dict[str, object], loc: str
) -> None:
    staff = sqlite_office.as_(Role.STAFF)
    answer = staff.post("/api/v1/poles/TG-0001/lamp/override", json=GOOD | change)
    assert answer.status_code == 422
    assert [one["loc"] for one in answer.json()["errors"]] == [loc]
    assert staff.get("/api/v1/commands").json()["items"] == []


def test_an_override_needs_a_pole_with_a_node(sqlite_office: Office) -> None:
    staff = sqlite_office.as_(Role.STAFF)
    assert staff.post("/api/v1/poles/TG-9999/lamp/override", json=GOOD).status_code == 404
    with sqlite_office.engine.begin() as conn:
        conn.exec_driver_sql("UPDATE pole SET node_name = NULL WHERE code = 'TG-0003'")
    answer = staff.post("/api/v1/poles/TG-0003/lamp/override", json=GOOD)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:ngonden:problem:pole-without-node")


def test_an_override_may_last_exactly_a_day(sqlite_office: Office) -> None:
    body = {"level": 0, "until": "2026-03-02T14:00:00Z"}
    answer = sqlite_office.as_(Role.STAFF).post("/api/v1/poles/TG-0001/lamp/override", json=body)
    assert answer.status_code == 202
