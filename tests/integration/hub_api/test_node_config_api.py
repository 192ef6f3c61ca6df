"""The API of node configuration: what is wished beside what is in force, who may wish, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from hub.access.audit import audit_rows
from hub.access.model import Role
from hub.registry.importing import import_registry
from tests.support.hub_api import Office
from tests.support.hub_world import NIGHT, node_speaks, node_tells, pole_line, registry_csv

CONFIG = "/api/v1/nodes/tg-0001/config"
RELEASE = {"version": "0.2.0", "sha256": "a" * 64}
DIM: dict[str, Any] = {
    "sample_interval_s": 30,
    "heartbeat_s": 60,
    "lamp": {"dimming": [{"at": "22:30", "level": 0.5}, {"at": "04:30", "level": 1.0}]},
}


def put(office: Office, profile: dict[str, Any] = DIM, *, who: Role = Role.STAFF, **more: Any) -> Any:
    return office.as_(who).put(CONFIG, json={"profile": profile, "why": "tiết kiệm điện", **more})


def test_a_node_for_which_nothing_was_wished_runs_by_its_own_file(office: Office) -> None:
    body = office.as_(Role.VIEWER).get(CONFIG).json()
    assert (body["standing"], body["in_force"], body["desired"]) == ("own", 1, None)
    assert body["profile"]["sample_interval_s"] == 30
    assert body["poles"] == [
        {"pole": "TG-0001", "latitude": 21.471, "longitude": 105.251, "lamp_rated_w": 50}
    ]


def test_a_wish_is_pending_until_the_node_reports_it(office: Office) -> None:
    body = put(office).json()
    assert (body["standing"], body["in_force"], body["desired"]["version"]) == ("pending", 1, 2)
    assert body["desired"]["made_by"].startswith("staff")
    assert body["desired"]["why"] == "tiết kiệm điện"
    assert body["profile"]["lamp"]["dimming"][0] == {"at": "22:30", "level": 0.5}
    with office.engine.begin() as conn:
        node_speaks(conn, 1, office.clock(), config_version=2)
    assert office.as_(Role.VIEWER).get(CONFIG).json()["standing"] == "in_force"


def test_the_same_wish_again_makes_no_version(office: Office) -> None:
    put(office)
    assert put(office).json()["desired"]["version"] == 2
    items = office.as_(Role.VIEWER).get(f"{CONFIG}/history").json()["items"]
    assert [one["version"] for one in items] == [2]


def test_history_keeps_who_when_and_why(office: Office) -> None:
    put(office)
    office.clock.pass_(hours=1)
    put(office, {**DIM, "heartbeat_s": 90})
    items = office.as_(Role.VIEWER).get(f"{CONFIG}/history").json()["items"]
    assert [(one["version"], one["profile"]["heartbeat_s"], one["cause"]) for one in items] == [
        (3, 90, "staff"),
        (2, 60, "staff"),
    ]
    assert items[0]["made_at"] == "2026-03-01T15:00:00Z"
    with office.engine.connect() as conn:
        row = audit_rows(conn, limit=1)[0]
    assert (row.action, row.target, row.detail) == (
        "PUT /api/v1/nodes/{node}/config",
        CONFIG,
        {"why": "tiết kiệm điện"},
    )


def test_a_refusal_is_shown_until_a_newer_version_is_in_force(office: Office) -> None:
    with office.engine.begin() as conn:
        node_tells(conn, 1, office.clock(), "config_refused", detail={"reason": "an older matter"})
    office.clock.pass_(minutes=1)
    put(office)
    viewer = office.as_(Role.VIEWER)
    assert viewer.get(CONFIG).json()["standing"] == "pending"

    office.clock.pass_(minutes=1)
    with office.engine.begin() as conn:
        node_tells(conn, 1, office.clock(), "config_refused", detail={"reason": "pole TG-0001 is not mine"})
    body = viewer.get(CONFIG).json()
    assert body["standing"] == "refused"
    assert body["refusal"] == {"at": "2026-03-01T14:02:00Z", "reason": "pole TG-0001 is not mine"}

    office.clock.pass_(minutes=1)
    put(office, {**DIM, "heartbeat_s": 90})
    assert viewer.get(CONFIG).json()["refusal"]["reason"] == "pole TG-0001 is not mine"
    with office.engine.begin() as conn:
        node_speaks(conn, 1, office.clock(), config_version=3)
    assert viewer.get(CONFIG).json()["refusal"] is None


@pytest.mark.parametrize(
    ("profile", "loc", "vi"),
    [
        ({"heartbeat_s": 0}, "body.profile.heartbeat_s", "Nhịp báo còn sống"),
        ({"lamp": {"dusk_offset_min": 300}}, "body.profile.lamp.dusk_offset_min", "không quá 120"),
        (
            {"lamp": {"dimming": [{"at": "23:00", "level": 0.5}, {"at": "22:00", "level": 1}]}},
            "body.profile.lamp.dimming",
            "theo thứ tự",
        ),
        ({"lamps": {"TG-0002": {}}}, "body.profile.lamps.TG-0002", "không phải cột của nút này"),
    ],
)
def test_what_makes_no_configuration_is_refused_by_its_field(
    sqlite_office: Office, profile: dict[str, Any], loc: str, vi: str
) -> None:
    answer = put(sqlite_office, profile)
    assert answer.status_code == 422
    body = answer.json()
    assert (body["type"], body["errors"][0]["loc"]) == ("urn:ngonden:problem:config-refused", loc)
    assert vi in body["detail_vi"]
    assert sqlite_office.as_(Role.VIEWER).get(CONFIG).json()["desired"] is None


@pytest.mark.parametrize("body", [{"profile": DIM}, {"profile": {"unknown": 1}, "why": "x"}, {"why": "x"}])
def test_a_wish_needs_a_reason_and_known_fields(sqlite_office: Office, body: dict[str, Any]) -> None:
    assert sqlite_office.as_(Role.STAFF).put(CONFIG, json=body).status_code == 422


def test_two_who_edit_at_once_do_not_overwrite_each_other(sqlite_office: Office) -> None:
    assert put(sqlite_office, based_on=0).status_code == 200
    late = put(sqlite_office, {**DIM, "heartbeat_s": 90}, based_on=0)
    assert late.status_code == 409
    assert late.json()["type"] == "urn:ngonden:problem:config-moved-on"
    assert put(sqlite_office, {**DIM, "heartbeat_s": 90}, based_on=2).status_code == 200


def test_which_agent_runs_is_an_administrators_to_say(sqlite_office: Office) -> None:
    wish = {**DIM, "agent": RELEASE}
    refused = put(sqlite_office, wish)
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:ngonden:problem:agent-needs-admin")
    assert put(sqlite_office, wish, who=Role.ADMIN).status_code == 200
    assert put(sqlite_office, {**wish, "heartbeat_s": 90}).status_code == 200
    assert put(sqlite_office, {**DIM, "heartbeat_s": 90}).status_code == 403


def test_an_unknown_node_is_told(sqlite_office: Office) -> None:
    answer = sqlite_office.as_(Role.VIEWER).get("/api/v1/nodes/tg-9999/config")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:ngonden:problem:unknown-node")


@pytest.mark.parametrize(
    ("where", "nodes"),
    [
        ({}, ["tg-0001", "tg-0002", "tg-0003"]),
        ({"hamlet": "Khu 2"}, ["tg-0001", "tg-0003"]),
        ({"feeder": "F1"}, ["tg-0002"]),
        ({"hamlet": "Khu 2", "feeder": "F1"}, None),
        ({"hamlet": "Khu 9"}, None),
    ],
)
def test_one_profile_for_many_nodes(office: Office, where: dict[str, str], nodes: list[str] | None) -> None:
    wish = {"commune": "tram-than", "profile": DIM, "why": "cả xã", **where}
    answer = office.as_(Role.STAFF).post("/api/v1/node-configs", json=wish)
    if nodes is None:
        assert answer.status_code == 404
        return
    assert answer.json() == {"changed": nodes, "unchanged": [], "refused": []}
    again = office.as_(Role.STAFF).post("/api/v1/node-configs", json=wish).json()
    assert again["unchanged"] == nodes


def test_one_profile_for_many_leaves_each_its_agent(sqlite_office: Office) -> None:
    put(sqlite_office, {**DIM, "agent": RELEASE}, who=Role.ADMIN)
    wish = {"commune": "tram-than", "profile": {"heartbeat_s": 120}, "why": "cả xã"}
    sqlite_office.as_(Role.STAFF).post("/api/v1/node-configs", json=wish)
    profile = sqlite_office.as_(Role.VIEWER).get(CONFIG).json()["profile"]
    assert (profile["heartbeat_s"], profile["agent"]) == (120, RELEASE)


def test_a_profile_that_fits_nobody_changes_nobody(sqlite_office: Office) -> None:
    wish = {"commune": "tram-than", "profile": {"heartbeat_s": 0}, "why": "nhầm"}
    body = sqlite_office.as_(Role.STAFF).post("/api/v1/node-configs", json=wish).json()
    assert (body["changed"], len(body["refused"])) == ([], 3)
    assert "Nhịp báo còn sống" in body["refused"][0]["detail_vi"]


def test_a_node_whose_poles_moved_away_cannot_be_configured(sqlite_office: Office) -> None:
    with sqlite_office.engine.begin() as conn:
        moved = registry_csv(pole_line(1, node="tg-0002"))
        assert import_registry(conn, moved, now=NIGHT).stored
    assert put(sqlite_office).status_code == 422


def test_all_nodes_with_what_they_run_beside_what_is_wished(office: Office) -> None:
    put(office)
    with office.engine.begin() as conn:
        node_tells(conn, 1, office.clock(), "config_refused", detail={"reason": "no"})
    items = office.as_(Role.VIEWER).get("/api/v1/node-configs?commune=tram-than").json()["items"]
    assert [(one["node"], one["standing"], one["desired"], one["in_force"]) for one in items] == [
        ("tg-0001", "refused", 2, 1),
        ("tg-0002", "own", None, 1),
        ("tg-0003", "own", None, 1),
    ]
    assert (items[0]["refusal"]["reason"], items[0]["poles"]) == ("no", ["TG-0001"])
    assert office.as_(Role.VIEWER).get("/api/v1/node-configs?commune=other").json()["items"] == []
