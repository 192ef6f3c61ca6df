"""Incidents are found by what people ask for, and pages neither repeat nor skip one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hub.access.model import Role
from tests.support.hub_api import Office
from tests.support.hub_world import incident_closes, incident_opens


def found(office: Office, **asked: Any) -> list[int]:
    answer = office.as_(Role.VIEWER).get("/api/v1/incidents", params=asked)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["items"]]


def test_filters_hold_together(office: Office) -> None:
    now = office.clock()
    with office.engine.begin() as conn:
        lamp = incident_opens(conn, 1, now - timedelta(hours=9), severity="minor")
        node = incident_opens(conn, 1, now - timedelta(hours=5), "communication_failure")
        noted = incident_opens(
            conn, 2, now - timedelta(hours=3), acknowledged_at=now, acknowledged_by="x", assigned_group="T"
        )
        quiet = incident_opens(conn, 3, now - timedelta(hours=1), quiet_reason="maintenance")
        old = incident_opens(conn, 2, now - timedelta(hours=8), "relay_failure")
        incident_closes(conn, old, now - timedelta(hours=7))
    assert found(office) == [quiet, noted, node, lamp]
    assert found(office, status="closed") == [old]
    assert found(office, status="all", pole="TG-0002") == [noted, old]
    assert found(office, pole="TG-0001") == [node, lamp]
    assert found(office, kind="communication_failure") == [node]
    assert found(office, severity="minor") == [lamp]
    assert found(office, feeder="F2") == [quiet, node, lamp]
    assert found(office, acknowledged="false") == [quiet, node, lamp]
    assert found(office, acknowledged="true") == [noted]
    assert found(office, quiet="true") == [quiet]
    assert found(office, commune="tram-than", quiet="false", feeder="F1") == [noted]
    assert found(office, group="T") == [noted]
    assert found(office, group="Tổ tự quản 2") == [quiet, lamp]
    begin, end = (now - timedelta(hours=h) for h in (7.5, 4))
    assert found(office, status="all", start=begin.isoformat(), end=end.isoformat()) == [node, old, lamp]


def test_pages_go_on_where_the_last_one_ended(office: Office) -> None:
    viewer, now = office.as_(Role.VIEWER), office.clock()
    with office.engine.begin() as conn:
        kinds = [f"kind_{n}" for n in range(7)]
        # Several opened at the same moment: the id decides, and none is lost between two pages.
        keys = [
            incident_opens(conn, 1, now - timedelta(minutes=n // 3), kind) for n, kind in enumerate(kinds)
        ]
    seen: list[int] = []
    cursor = None
    for size in (2, 2, 2, 1):
        asked = {"limit": 2, **({} if cursor is None else {"cursor": cursor})}
        page = viewer.get("/api/v1/incidents", params=asked).json()
        seen += [one["id"] for one in page["items"]]
        assert len(page["items"]) == size
        cursor = page["next_cursor"]
        with office.engine.begin() as conn:
            incident_opens(conn, 2, now, f"later_{size}_{len(seen)}")
    assert cursor is None
    assert sorted(seen) == sorted(keys)


@pytest.mark.parametrize("cursor", ["x", "bm8", "WzEsMl0", "WyJhIiwgMV0", "WyIyMDI2LTAxLTAxIiwgMV0"])
def test_a_cursor_of_somebodys_own_making_is_refused(sqlite_office: Office, cursor: str) -> None:
    for path in ("incidents", "poles", "maintenance-windows"):
        answer = sqlite_office.as_(Role.VIEWER).get(f"/api/v1/{path}", params={"cursor": cursor})
        assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, "query.cursor"), path


def test_a_folded_list_shows_the_feeder_and_not_its_poles(office: Office) -> None:
    now = office.clock()
    with office.engine.begin() as conn:
        feeder = incident_opens(conn, 1, now, "feeder_outage", pole=None, originator="F2", feeder="F2")
        parts = [incident_opens(conn, n, now, parent_id=feeder, quiet_reason="group") for n in (1, 3)]
        alone = incident_opens(conn, 2, now)
    assert found(office, folded="true") == [alone, feeder]
    listed = office.as_(Role.VIEWER).get("/api/v1/incidents", params={"folded": "true"}).json()["items"]
    assert [one["parts"] for one in listed] == [0, 2]
    assert office.as_(Role.VIEWER).get("/api/v1/summary").json()["open_incidents"] == 2
    with office.engine.begin() as conn:
        incident_closes(conn, feeder, now)
    # What lasts longer than its cause stands by itself again.
    assert found(office, folded="true") == [alone, *reversed(parts)]
    with office.engine.begin() as conn:
        for part in parts:
            incident_closes(conn, part, now)
    assert found(office, folded="true", status="all") == [alone, feeder]


def test_poles_come_in_pages_too(office: Office) -> None:
    viewer = office.as_(Role.VIEWER)
    whole = viewer.get("/api/v1/poles").json()
    assert (len(whole["items"]), whole["next_cursor"]) == (3, None)
    first = viewer.get("/api/v1/poles", params={"limit": 2}).json()
    rest = viewer.get("/api/v1/poles", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert first["items"] + rest["items"] == whole["items"]
    assert rest["next_cursor"] is None
    exact = viewer.get("/api/v1/poles", params={"limit": 3, "state": "lit"}).json()
    assert (len(exact["items"]), exact["next_cursor"]) == (3, None)
