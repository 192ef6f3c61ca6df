"""What the API tells of standing faults, batteries, cabinets and cameras, and what staff may command there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hub.access.audit import audit_rows
from hub.access.model import Role
from tests.support.hub_api import Office
from tests.support.hub_world import lamp_speaks, node_tells

END = "2026-03-01T16:00:00Z"


def test_a_pole_tells_its_standing_faults_counters_battery_and_cabinet(office: Office) -> None:
    told = {
        "faults": ["lamp_power_too_low", "some_newer_kind"],
        "due": True,
        "counters": {"burning_s": 7200, "switches": 9, "energy_wh": 812.5, "supply_losses": 2},
        "battery": {"battery_v": 12.6, "charge_share": 0.75},
        "cabinet": {"door_open": True, "temperature_c": 41.0, "phases": [{"power_w": 900.0}]},
    }
    with office.engine.begin() as conn:
        lamp_speaks(conn, 1, office.clock(), told=told)
    body = office.as_(Role.VIEWER).get("/api/v1/poles/TG-0001").json()
    assert [one["kind"] for one in body["faults"]] == ["lamp_power_too_low", "some_newer_kind"]
    assert body["faults"][0]["title_vi"] == "Đèn yếu hơn bình thường"
    assert body["faults"][1]["title_en"] == "some newer kind"
    assert body["counters"] == told["counters"]
    assert (body["battery"]["battery_v"], body["battery"]["panel_w"]) == (12.6, None)
    assert (body["cabinet"]["door_open"], body["cabinet"]["supply_present"]) == (True, None)
    assert body["due"] is True


def test_what_nobody_told_is_unknown(office: Office) -> None:
    body = office.as_(Role.VIEWER).get("/api/v1/poles/TG-0002").json()
    assert body["faults"] == []
    assert {body[name] for name in ("counters", "battery", "cabinet", "due", "maintenance_until")} == {None}
    assert body["maintenance"] is False


def test_a_camera_tells_how_far_it_works(office: Office) -> None:
    said = {"stream": "live", "picture": "frozen", "clock_offset_s": -90.5, "recording_age_s": 12.0}
    with office.engine.begin() as conn:
        lamp_speaks(conn, 1, office.clock(), camera={**said, "powered": True})
    (camera,) = office.as_(Role.VIEWER).get("/api/v1/poles/TG-0001").json()["cameras"]
    assert camera == {"code": "CAM-TG-01", "reachable": True, **said, "powered": True}


def test_a_poles_events_come_with_those_of_its_node(office: Office) -> None:
    now = office.clock()
    with office.engine.begin() as conn:
        node_tells(conn, 1, now, "device_reset", detail={"agent_version": "0.2.0"})
        node_tells(conn, 1, now, "camera_frozen", pole="TG-0001", camera="CAM-TG-01", active=True)
        node_tells(conn, 2, now, "device_reset")
    client = office.as_(Role.VIEWER)
    items = client.get("/api/v1/node-events?pole=TG-0001").json()["items"]
    assert [(one["kind"], one["camera"], one["active"]) for one in items] == [
        ("camera_frozen", "CAM-TG-01", True),
        ("device_reset", None, None),
    ]
    assert items[0]["title_vi"] == "Hình camera bị đứng"
    assert items[1]["detail"] == {"agent_version": "0.2.0"}
    assert len(client.get("/api/v1/node-events").json()["items"]) == 3
    assert client.get("/api/v1/node-events?pole=TG-9999").status_code == 404


def test_maintenance_is_commanded_with_an_end_and_recorded(office: Office) -> None:
    answer = office.as_(Role.STAFF).post("/api/v1/poles/TG-0001/maintenance", json={"until": END})
    assert answer.status_code == 202
    body = answer.json()
    assert (body["action"], body["until"], body["status"]) == ("maintenance_begin", END, "requested")
    with office.engine.connect() as conn:
        row = audit_rows(conn, limit=1)[0]
    assert row.action == "POST /api/v1/poles/{code}/maintenance"
    assert (row.target, row.status) == ("/api/v1/poles/TG-0001/maintenance", 202)


@pytest.mark.parametrize("until", ["2026-03-01T13:59:00Z", "2026-03-02T14:01:00Z"])
def test_maintenance_lasts_at_most_a_day(sqlite_office: Office, until: str) -> None:
    client = sqlite_office.as_(Role.STAFF)
    answer = client.post("/api/v1/poles/TG-0001/maintenance", json={"until": until})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == "body.until"


def test_a_pole_is_in_maintenance_from_its_nodes_receipt_to_the_end(office: Office) -> None:
    staff = office.as_(Role.STAFF)

    def until() -> Any:
        return staff.get("/api/v1/poles/TG-0001").json()["maintenance_until"]

    def taken(command: str) -> None:
        with office.engine.begin() as conn:
            conn.exec_driver_sql(f"UPDATE command SET status = 'applied' WHERE id = '{command}'")

    begun = staff.post("/api/v1/poles/TG-0001/maintenance", json={"until": END}).json()["id"]
    assert until() is None
    taken(begun)
    assert until() == END
    office.clock.pass_(minutes=5)
    ended = staff.post("/api/v1/poles/TG-0001/maintenance/end").json()["id"]
    assert until() == END
    taken(ended)
    assert until() is None


def test_maintenance_is_over_at_its_end(sqlite_office: Office) -> None:
    staff = sqlite_office.as_(Role.STAFF)
    staff.post("/api/v1/poles/TG-0001/maintenance", json={"until": END})
    with sqlite_office.engine.begin() as conn:
        conn.exec_driver_sql("UPDATE command SET status = 'applied'")
    sqlite_office.clock.pass_(seconds=timedelta(hours=2).total_seconds())
    assert staff.get("/api/v1/poles/TG-0001").json()["maintenance_until"] is None


def test_a_lamp_that_burns_for_maintenance_says_so(sqlite_office: Office) -> None:
    with sqlite_office.engine.begin() as conn:
        lamp_speaks(conn, 1, sqlite_office.clock(), reason="maintenance")
    items = sqlite_office.as_(Role.VIEWER).get("/api/v1/poles").json()["items"]
    assert [one["maintenance"] for one in items] == [True, False, False]


def test_a_camera_of_the_pole_is_switched_off_and_on(office: Office) -> None:
    client = office.as_(Role.STAFF)
    with office.engine.begin() as conn:
        lamp_speaks(conn, 1, office.clock(), camera={"powered": True})
    body = client.post("/api/v1/poles/TG-0001/cameras/CAM-TG-01/cycle").json()
    assert (body["action"], body["camera"], body["until"]) == ("camera_cycle", "CAM-TG-01", None)
    strange = client.post("/api/v1/poles/TG-0002/cameras/CAM-TG-01/cycle")
    assert strange.status_code == 404
    assert strange.json()["type"] == "urn:ngonden:problem:unknown-camera"
    assert "CAM-TG-01" in strange.json()["detail_vi"]
