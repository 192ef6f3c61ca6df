"""People at work on an incident: each step once, with its history, its audit row, its news for pages."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from hub.access.audit import audit_rows
from hub.access.model import Role
from hub.incidents import work
from hub.incidents.reads import changes_after, history, incident_of
from hub.incidents.store import note_change
from hub.revision import latest_revision
from tests.support.hub_api import Office
from tests.support.hub_world import NIGHT, incident_closes, incident_opens, register


def opened(office: Office, n: int = 1, **more: Any) -> int:
    with office.engine.begin() as conn:
        return incident_opens(conn, n, office.clock(), **more)


def post(client: httpx.Client, incident_id: int, step: str, **body: Any) -> httpx.Response:
    return client.post(f"/api/v1/incidents/{incident_id}/{step}", json=body)


def slug(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def test_from_acknowledged_to_resolved_all_is_kept(office: Office) -> None:
    clerk, key = office.as_(Role.STAFF), opened(office)
    with office.engine.connect() as conn:
        before = latest_revision(conn)
    assert post(clerk, key, "acknowledge", note=" đang đi xem ").status_code == 200
    office.clock.pass_(minutes=5)
    assert post(clerk, key, "assign").json()["assigned_group"] == "Tổ tự quản 2"
    assert post(clerk, key, "comments", note="Hỏng bộ nguồn").status_code == 201
    office.clock.pass_(minutes=50)
    done = post(clerk, key, "resolve", reason="Đã thay bộ nguồn").json()
    who = done["acknowledged_by"]
    assert who.startswith("staff-")
    assert (done["closed_how"], done["closed_by"], done["closed_evidence"]) == (
        "by_hand",
        who,
        {"reason": "Đã thay bộ nguồn"},
    )
    assert [(one["change"], one["by"], one["note"]) for one in done["history"]] == [
        ("acknowledged", who, "đang đi xem"),
        ("assigned", who, ""),
        ("commented", who, "Hỏng bộ nguồn"),
        ("closed", who, "Đã thay bộ nguồn"),
    ]
    assert done["history"][1]["detail"] == {"group": "Tổ tự quản 2", "instead_of": None}
    with office.engine.connect() as conn:
        assert latest_revision(conn) == before + 4
        kept = [(row.action.rpartition("/")[2], row.status) for row in audit_rows(conn, limit=4)]
        assert kept == [("resolve", 200), ("comments", 201), ("assign", 200), ("acknowledge", 200)]


def test_the_second_of_two_is_told_who_was_first(sqlite_office: Office) -> None:
    one, other, key = sqlite_office.as_(Role.STAFF), sqlite_office.as_(Role.STAFF), opened(sqlite_office)
    first = post(one, key, "acknowledge").json()["acknowledged_by"]
    late = post(other, key, "acknowledge")
    assert slug(late) == (409, "already-acknowledged")
    assert first in late.json()["detail_vi"]
    assert post(one, key, "assign", group="Tổ tự quản 1").status_code == 200
    late = post(other, key, "assign", group="Tổ tự quản 2")
    assert slug(late) == (409, "already-assigned")
    assert "Tổ tự quản 1" in late.json()["detail_vi"]
    moved = post(other, key, "assign", group="Tổ tự quản 2", instead_of="Tổ tự quản 1")
    assert moved.json()["assigned_group"] == "Tổ tự quản 2"
    assert post(one, key, "resolve", reason="xong").status_code == 200
    for step, body in (
        ("acknowledge", {}),
        ("assign", {"group": "Tổ tự quản 1", "instead_of": "Tổ tự quản 2"}),
        ("resolve", {"reason": "xong"}),
    ):
        assert slug(post(other, key, step, **body)) == (409, "incident-closed")
    assert post(other, key, "comments", note="cảm ơn").status_code == 201
    with sqlite_office.engine.connect() as conn:
        assert [row.status for row in audit_rows(conn, limit=100) if "incidents" in row.action].count(
            409
        ) == 5


def test_of_many_at_once_exactly_one_acknowledges(engine: Engine) -> None:
    register(engine)
    with engine.begin() as conn:
        key = incident_opens(conn, 1, NIGHT)

    def step(name: str) -> bool:
        try:
            with engine.begin() as conn:
                work.acknowledge(conn, key, by=name, note="", now=NIGHT)
        except work.AcknowledgedError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(step, [f"canbo-{n}" for n in range(6)]))
    assert sum(done) == 1
    with engine.connect() as conn:
        one = incident_of(conn, key)
        assert one is not None
        assert one.acknowledged_by == f"canbo-{done.index(True)}"
        assert [change.by for change in history(conn, key)] == [one.acknowledged_by]


def test_an_incident_goes_to_the_group_of_its_node_or_feeder_where_it_is_one(sqlite_office: Office) -> None:
    clerk = sqlite_office.as_(Role.STAFF)
    of_node = opened(sqlite_office, 2, kind="communication_failure")
    assert post(clerk, of_node, "assign").json()["assigned_group"] == "Tổ tự quản 1"
    of_feeder = opened(sqlite_office, 1, kind="feeder_outage", pole=None, originator="F2", feeder="F2")
    assert post(clerk, of_feeder, "assign").json()["assigned_group"] == "Tổ tự quản 2"
    nowhere = opened(sqlite_office, 3, kind="hub_blind", pole=None, originator="hub", feeder=None)
    assert slug(post(clerk, nowhere, "assign")) == (422, "invalid-request")
    assert slug(post(clerk, of_node, "assign", group="Tổ lạ", instead_of="Tổ tự quản 1")) == (
        404,
        "unknown-group",
    )


@pytest.mark.parametrize(("step", "body"), [("comments", {"note": "  "}), ("resolve", {"reason": ""})])
def test_words_are_needed_where_words_are_asked_for(
    sqlite_office: Office, step: str, body: dict[str, str]
) -> None:
    answer = post(sqlite_office.as_(Role.STAFF), opened(sqlite_office), step, **body)
    assert slug(answer) == (422, "invalid-request")


def test_an_incident_shows_what_it_explains_and_what_explains_it(office: Office) -> None:
    viewer = office.as_(Role.VIEWER)
    parent = opened(office, 1, kind="feeder_outage", pole=None, originator="F2", feeder="F2")
    parts = [opened(office, n, parent_id=parent, quiet_reason="group") for n in (1, 3)]
    seen = viewer.get(f"/api/v1/incidents/{parent}").json()
    assert [one["id"] for one in seen["parts"]] == parts
    assert seen["place"] == {
        "pole": None,
        "place": "",
        "hamlet": "",
        "commune_name": "xã Trạm Thản",
        "latitude": None,
        "longitude": None,
    }
    part = viewer.get(f"/api/v1/incidents/{parts[0]}").json()
    assert part["parent"]["id"] == parent
    assert (part["quiet_reason"], part["place"]["place"], part["default_group"]) == (
        "group",
        "Ngã ba xóm 1",
        "Tổ tự quản 2",
    )
    assert part["groups"] == ["Tổ tự quản 1", "Tổ tự quản 2"]
    assert slug(viewer.get("/api/v1/incidents/999")) == (404, "unknown-incident")


def test_the_history_is_read_in_the_order_of_its_ids(sqlite_engine: Engine) -> None:
    """What tells others of each step follows by id and needs the incident as it stands now."""
    register(sqlite_engine)
    with sqlite_engine.begin() as conn:
        key = incident_opens(conn, 1, NIGHT)
        note_change(conn, key, NIGHT, "opened", revision=1)
        work.acknowledge(conn, key, by="canbo", note="", now=NIGHT)
        incident_closes(conn, key, NIGHT)
    with sqlite_engine.connect() as conn:
        found = changes_after(conn, 0)
        assert [change.change for change, _ in found] == ["opened", "acknowledged"]
        assert {one.closed_at for _, one in found} == {NIGHT}
        assert [change.change for change, _ in changes_after(conn, found[0][0].id)] == ["acknowledged"]


@pytest.mark.parametrize(
    ("step", "body"),
    [("comments", {"note": "a\0b"}), ("resolve", {"reason": "\0a"}), ("assign", {"group": "Tổ\0"})],
)
def test_a_character_that_no_database_keeps_is_refused(
    office: Office, step: str, body: dict[str, str]
) -> None:
    answer = post(office.as_(Role.STAFF), opened(office), step, **body)
    assert slug(answer) == (422, "invalid-request")
    for path in ("incidents?group=%00", "poles/TG%00", "poles?q=a%00b"):
        assert slug(office.as_(Role.VIEWER).get(f"/api/v1/{path}")) == (400, "bad-request")
