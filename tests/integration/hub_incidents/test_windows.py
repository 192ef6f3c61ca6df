"""Maintenance windows: planned once per place, never for the past, taken back by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from hub.access.model import Role
from tests.support.hub_api import Office


def plan(client: httpx.Client, office: Office, **changes: Any) -> httpx.Response:
    at = {"from_h": changes.pop("from_h", 10.0), "to_h": changes.pop("to_h", 12.0)}
    body = {
        "commune": "tram-than",
        "scope": "pole",
        "name": "TG-0001",
        "starts_at": (office.clock() + timedelta(hours=at["from_h"])).isoformat(),
        "ends_at": (office.clock() + timedelta(hours=at["to_h"])).isoformat(),
        "why": "Thay bóng",
        **changes,
    }
    return client.post("/api/v1/maintenance-windows", json=body)


def listed(client: httpx.Client, **asked: Any) -> list[int]:
    answer = client.get("/api/v1/maintenance-windows", params=asked).json()
    return [one["id"] for one in answer["items"]]


def test_a_window_is_planned_listed_and_taken_back(office: Office) -> None:
    clerk = office.as_(Role.STAFF)
    later = plan(clerk, office, from_h=9, to_h=10).json()["id"]
    soon = plan(clerk, office, from_h=1, to_h=2)
    assert soon.status_code == 201
    assert listed(clerk) == [soon.json()["id"], later]
    gone = clerk.post(f"/api/v1/maintenance-windows/{later}/cancel").json()
    assert gone["cancelled_by"] == gone["created_by"]
    assert listed(clerk) == [soon.json()["id"]]
    again = clerk.post(f"/api/v1/maintenance-windows/{later}/cancel")
    assert (again.status_code, again.json()["type"]) == (409, "urn:ngonden:problem:window-over")
    assert plan(clerk, office, from_h=9, to_h=10).status_code == 201
    office.clock.pass_(hours=3)
    assert listed(clerk, over="true") == [soon.json()["id"], later]
    first = clerk.get("/api/v1/maintenance-windows", params={"over": "true", "limit": 1}).json()
    rest = clerk.get(
        "/api/v1/maintenance-windows",
        params={"over": "true", "limit": 1, "cursor": first["next_cursor"]},
    ).json()
    assert {one["id"] for one in first["items"] + rest["items"]} == {later, soon.json()["id"]}
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"from_h": -5, "to_h": -4}, "ends_at", "quá khứ"),
        ({"from_h": 5, "to_h": 5}, "ends_at", "sau giờ bắt đầu"),
        ({"from_h": 0, "to_h": 24 * 32}, "ends_at", "31 ngày"),
        ({"from_h": 24 * 400, "to_h": 24 * 401}, "starts_at", "xem lại năm"),
    ],
)
def test_times_that_make_no_sense_are_told(
    sqlite_office: Office, changes: dict[str, float], field: str, words: str
) -> None:
    answer = plan(sqlite_office.as_(Role.STAFF), sqlite_office, **changes)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == f"body.{field}"
    assert words in answer.json()["detail_vi"]


def test_two_windows_of_one_place_do_not_cross(office: Office) -> None:
    clerk = office.as_(Role.STAFF)
    assert plan(clerk, office).status_code == 201
    crossing = plan(clerk, office, from_h=11, to_h=13)
    assert (crossing.status_code, crossing.json()["type"]) == (409, "urn:ngonden:problem:window-overlaps")
    assert "02/03/2026 07:00 – 02/03/2026 09:00 (Thay bóng)" in crossing.json()["detail_vi"]
    assert plan(clerk, office, from_h=12, to_h=13).status_code == 201
    assert plan(clerk, office, from_h=11, to_h=13, name="TG-0002").status_code == 201
    assert plan(clerk, office, from_h=11, to_h=13, scope="commune").status_code == 201


def test_what_began_before_it_was_known_begins_now(sqlite_office: Office) -> None:
    made = plan(sqlite_office.as_(Role.STAFF), sqlite_office, from_h=-3, to_h=2).json()
    assert made["starts_at"] == sqlite_office.clock().isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("scope", "known", "strange"),
    [
        ("hamlet", "Khu 2", "Khu 9"),
        ("feeder", "F2", "F9"),
        ("group", "Tổ tự quản 2", "Tổ lạ"),
        ("pole", "TG-0001", "TG-0009"),
        ("node", "tg-0001", "tg-0009"),
        ("commune", "", None),
    ],
)
def test_a_place_is_one_of_the_registry(
    sqlite_office: Office, scope: str, known: str, strange: str | None
) -> None:
    clerk = sqlite_office.as_(Role.STAFF)
    made = plan(clerk, sqlite_office, scope=scope, name=known)
    assert (made.status_code, made.json()["name"]) == (201, known or "tram-than")
    if strange is not None:
        for name in (strange, "", " "):
            refused = plan(clerk, sqlite_office, scope=scope, name=name)
            assert (refused.status_code, refused.json()["errors"][0]["loc"]) == (404, "body.name")
    assert plan(clerk, sqlite_office, scope=scope, name=known, commune="xa-la").status_code == 404
