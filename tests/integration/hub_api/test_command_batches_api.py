"""Commands for many by the API: whom they reach, how far they are, taking back, once more, and who may."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from hub.access.audit import audit_rows
from hub.access.model import Role
from hub.commands.delivery import apply_receipt, mark_expired, mark_sent, overdue, to_send
from hub.registry.importing import import_registry
from hub.revision import next_revision
from protocol import Receipt
from tests.integration.hub_api.test_events import listening
from tests.support.hub_api import Office
from tests.support.hub_world import NIGHT, lamp_speaks, node_speaks, pole_line, registry_csv
from tests.support.servers import wait_until

MANY = "/api/v1/command-batches"
UNTIL = "2026-03-01T16:00:00Z"
FULL = {
    "action": "lamp_override",
    "scope": {"kind": "commune", "commune": "tram-than"},
    "level": 1,
    "until": UNTIL,
    "why": "tìm người lạc",
    "idempotency_key": "k-1",
}


def ask(office: Office, **changes: Any) -> dict[str, Any]:
    answer = office.as_(Role.STAFF).post(MANY, json={**FULL, **changes})
    assert answer.status_code in (200, 202), answer.text
    body: dict[str, Any] = answer.json()
    return body


def show(office: Office, batch: str, query: str = "") -> dict[str, Any]:
    body: dict[str, Any] = office.as_(Role.VIEWER).get(f"{MANY}/{batch}{query}").json()
    return body


def send_all(office: Office) -> dict[str, str]:
    """As the hub process does; the ids by pole."""
    with office.engine.begin() as conn:
        out = to_send(conn, office.clock(), at_most=100)
        mark_sent(conn, [one.id for one in out], office.clock(), next_revision(conn))
    return {one.topic.split("/")[3].upper(): one.id for one in out}


def answers(office: Office, command: str, pole: str, status: str, seq: int, **more: Any) -> None:
    told = {
        "v": 1,
        "node": pole.lower(),
        "epoch": "6f2d5c5e-9a5c-4a51-8c4c-0d5c1a2b3c4d",
        "seq": seq,
        "time": office.clock(),
        "clock": "synced",
        "command": command,
        "pole": pole,
        "status": status,
        **more,
    }
    with office.engine.begin() as conn:
        now = office.clock()
        fault = apply_receipt(conn, Receipt(**told), at=now, received_at=now, revision=next_revision(conn))
    assert fault is None


def expire(office: Office) -> None:
    with office.engine.begin() as conn:
        mark_expired(conn, overdue(conn, office.clock()), office.clock(), next_revision(conn))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_one_wish_becomes_a_command_per_pole_and_is_followed_to_its_end(office: Office) -> None:
    made = ask(office)
    assert (made["total"], made["counts"], made["finished"]) == (3, {"requested": 3}, False)
    assert (made["requested_by"].startswith("staff"), made["why"]) == (True, "tìm người lạc")
    assert at(made["expires_at"]) - at(made["issued_at"]) == at("2026-03-01T14:15:00Z") - NIGHT

    ids = send_all(office)
    answers(office, ids["TG-0001"], "TG-0001", "accepted", 1)
    answers(office, ids["TG-0001"], "TG-0001", "applied", 2, power_w=49.5, level=1.0)
    answers(office, ids["TG-0002"], "TG-0002", "rejected", 1, reason="override_too_long: at most 8 h")
    assert show(office, made["id"])["counts"] == {"applied": 1, "rejected": 1, "sent": 1}

    office.clock.pass_(minutes=16)
    expire(office)
    body = show(office, made["id"])
    assert (body["finished"], body["counts"]) == (True, {"applied": 1, "rejected": 1, "expired": 1})
    assert [(one["pole"], one["status"], one["power_w"], one["reason"]) for one in body["results"]] == [
        ("TG-0001", "applied", 49.5, ""),
        ("TG-0002", "rejected", None, "override_too_long: at most 8 h"),
        ("TG-0003", "expired", None, "no_answer"),
    ]
    failed = show(office, made["id"], "?status=rejected&status=expired&limit=1")
    assert ([one["pole"] for one in failed["results"]], failed["next_offset"]) == (["TG-0002"], 1)
    rest = show(office, made["id"], "?status=rejected&status=expired&limit=1&offset=1")
    assert ([one["pole"] for one in rest["results"]], rest["next_offset"]) == (["TG-0003"], None)
    of_pole = office.as_(Role.VIEWER).get("/api/v1/commands?pole=TG-0001").json()["items"][0]
    assert of_pole["batch"] == made["id"]
    listed = office.as_(Role.VIEWER).get(f"{MANY}?commune=tram-than").json()["items"]
    assert [one["id"] for one in listed] == [made["id"]]
    assert office.as_(Role.VIEWER).get(f"{MANY}?commune=ha-hoa").json()["items"] == []


def test_what_never_left_the_hub_in_time_says_so(office: Office) -> None:
    made = ask(office, until="2026-03-01T14:05:00Z")
    assert made["expires_at"] == "2026-03-01T14:05:00Z"
    office.clock.pass_(minutes=6)
    assert send_all(office) == {}
    expire(office)
    assert {one["reason"] for one in show(office, made["id"])["results"]} == {"not_sent"}


def test_the_same_key_makes_no_second_one_and_another_wish_under_it_is_refused(office: Office) -> None:
    first, again = ask(office), ask(office)
    assert first["id"] == again["id"]
    other = office.as_(Role.STAFF).post(MANY, json={**FULL, "level": 0.5})
    assert (other.status_code, other.json()["type"]) == (409, "urn:ngonden:problem:idempotency-conflict")
    assert len(office.as_(Role.VIEWER).get("/api/v1/commands").json()["items"]) == 3


def test_who_asked_what_of_whom_stands_in_the_audit(office: Office) -> None:
    ask(office)
    with office.engine.connect() as conn:
        row = audit_rows(conn, limit=1)[0]
    assert row.action == "POST /api/v1/command-batches"
    assert (row.detail["commands"], row.detail["why"]) == (3, "tìm người lạc")
    assert row.detail["scope"]["kind"] == "commune"


def test_a_preview_counts_who_is_online_and_who_cannot_be_reached(office: Office) -> None:
    with office.engine.begin() as conn:
        assert import_registry(conn, registry_csv(pole_line(4, node="")), now=NIGHT).stored
        node_speaks(conn, 3, office.clock(), status="lost")
    body = (
        office.as_(Role.STAFF)
        .post(f"{MANY}/preview", json={"action": "lamp_auto", "scope": FULL["scope"]})
        .json()
    )
    assert body == {
        "total": 3,
        "online": 2,
        "left_out": [{"pole": "TG-0004", "camera": None, "reason": "no_node"}],
        "offline_poles": ["TG-0003"],
    }
    made = ask(office)
    assert (made["total"], [one["pole"] for one in made["left_out"]]) == (3, ["TG-0004"])


def test_taking_back_cancels_what_is_unanswered_and_ends_what_stands(office: Office) -> None:
    made = ask(office)
    with office.engine.begin() as conn:
        out = to_send(conn, office.clock(), at_most=2)
        mark_sent(conn, [one.id for one in out], office.clock(), next_revision(conn))
    ids = {one.topic.split("/")[3].upper(): one.id for one in out}
    first, second = sorted(ids)
    answers(office, ids[first], first, "applied", 1, power_w=50.0)
    office.clock.pass_(seconds=10)

    done = office.as_(Role.STAFF).delete(f"{MANY}/{made['id']}").json()
    assert done["cancelled"]["counts"] == {"applied": 1, "cancelled": 2}
    assert done["cancelled"]["cancelled_by"].startswith("staff")
    assert (done["reverting"]["action"], done["reverting"]["reverts"]) == ("lamp_auto", made["id"])
    reverted = show(office, done["reverting"]["id"])["results"]
    assert [one["pole"] for one in reverted] == [first, second]  # the second may still have heard it

    answers(office, ids[second], second, "applied", 1, power_w=50.0)  # it had: its word is worth more
    assert show(office, made["id"])["counts"] == {"applied": 2, "cancelled": 1}
    again = office.as_(Role.STAFF).delete(f"{MANY}/{made['id']}").json()
    assert again["reverting"]["id"] == done["reverting"]["id"]
    assert len(office.as_(Role.VIEWER).get(MANY).json()["items"]) == 2


def test_taking_back_leaves_alone_what_somebody_asked_of_a_pole_since(office: Office) -> None:
    made = ask(office)
    ids = send_all(office)
    for pole, command in ids.items():
        answers(office, command, pole, "applied", 1, power_w=50.0)
    office.clock.pass_(seconds=10)
    staff = office.as_(Role.STAFF)
    assert staff.post("/api/v1/poles/TG-0002/lamp/override", json={"level": 0.5, "until": UNTIL}).is_success
    office.clock.pass_(seconds=10)
    done = staff.delete(f"{MANY}/{made['id']}").json()
    reverted = show(office, done["reverting"]["id"])["results"]
    assert [one["pole"] for one in reverted] == ["TG-0001", "TG-0003"]


def test_a_retry_asks_only_those_who_refused_or_never_answered(office: Office) -> None:
    made = ask(office)
    ids = send_all(office)
    answers(office, ids["TG-0001"], "TG-0001", "applied", 1, power_w=50.0)
    answers(office, ids["TG-0002"], "TG-0002", "rejected", 1, reason="unknown_pole: no")
    office.clock.pass_(minutes=16)
    expire(office)
    staff = office.as_(Role.STAFF)
    answer = staff.post(f"{MANY}/{made['id']}/retry", json={"idempotency_key": "r"})
    assert answer.status_code == 202
    again = answer.json()
    assert (again["retry_of"], again["level"], again["until"]) == (made["id"], 1.0, UNTIL)
    assert [one["pole"] for one in show(office, again["id"])["results"]] == ["TG-0002", "TG-0003"]
    assert staff.post(f"{MANY}/{made['id']}/retry", json={"idempotency_key": "r"}).status_code == 200

    office.clock.pass_(hours=2)
    late = staff.post(f"{MANY}/{made['id']}/retry", json={"idempotency_key": "r2"})
    assert (late.status_code, "tương lai" in late.json()["detail_vi"]) == (422, True)
    unknown = staff.post(
        f"{MANY}/00000000-0000-4000-8000-000000000000/retry", json={"idempotency_key": "x"}
    )
    assert unknown.status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"level": None},
        {"until": None},
        {"level": 2},
        {"until": "2026-03-03T14:00:00Z"},
        {"until": "2026-03-01T13:00:00Z"},
        {"why": ""},
        {"scope": {"kind": "hamlet", "commune": "tram-than"}},
        {"scope": {"kind": "hamlet", "name": "Khu 1"}},
        {"scope": {"kind": "poles"}},
        {"scope": {"kind": "commune", "commune": "tram-than", "poles": ["TG-0001"]}},
        {"action": "lamp_auto"},
        {"valid_for_s": 86_400},
    ],
)
def test_what_makes_no_sense_is_refused(sqlite_office: Office, changes: dict[str, Any]) -> None:
    answer = sqlite_office.as_(Role.STAFF).post(MANY, json={**FULL, **changes})
    assert answer.status_code == 422, answer.text
    assert sqlite_office.as_(Role.VIEWER).get(MANY).json()["items"] == []


def test_a_scope_with_nobody_in_it_is_told(sqlite_office: Office) -> None:
    nowhere = {"kind": "hamlet", "commune": "tram-than", "name": "Khu 9"}
    answer = sqlite_office.as_(Role.STAFF).post(MANY, json={**FULL, "scope": nowhere})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:ngonden:problem:nobody-to-command")


def test_cameras_that_hang_on_a_feeder_are_restarted_together(office: Office) -> None:
    wish = {
        "action": "camera_cycle",
        "scope": {"kind": "feeder", "commune": "tram-than", "name": "F2"},
        "why": "camera mất hình sau sét",
        "idempotency_key": "c",
    }
    staff = office.as_(Role.STAFF)
    assert staff.post(MANY, json=wish).status_code == 409  # it answers: there is nothing to restart
    with office.engine.begin() as conn:
        lamp_speaks(conn, 1, office.clock(), camera={"reachable": False, "powered": True})
    made = staff.post(MANY, json=wish).json()
    assert [(one["pole"], one["camera"]) for one in show(office, made["id"])["results"]] == [
        ("TG-0001", "CAM-TG-01")
    ]
    with office.engine.begin() as conn:
        lamp_speaks(conn, 1, office.clock(), camera={"reachable": False})
    left = staff.post(f"{MANY}/preview", json={"action": "camera_cycle", "scope": wish["scope"]}).json()
    assert [one["reason"] for one in left["left_out"]] == ["no_relay"]


def test_one_camera_without_a_relay_is_refused_before_anybody_waits(sqlite_office: Office) -> None:
    cycle = "/api/v1/poles/TG-0001/cameras/CAM-TG-01/cycle"
    refused = sqlite_office.as_(Role.STAFF).post(cycle)
    assert (refused.status_code, refused.json()["type"]) == (
        409,
        "urn:ngonden:problem:camera-without-relay",
    )
    assert "cử người" in refused.json()["detail_vi"]
    with sqlite_office.engine.begin() as conn:
        lamp_speaks(conn, 1, sqlite_office.clock(), camera={"powered": True})
    assert sqlite_office.as_(Role.STAFF).post(cycle).status_code == 202


def test_open_pages_hear_how_far_it_is_and_not_each_of_a_thousand_commands(office: Office) -> None:
    with listening(office) as stream:
        made = ask(office)
        wait_until(lambda: stream.of("command_batch"), what="the wish")
        ids = send_all(office)
        answers(office, ids["TG-0001"], "TG-0001", "applied", 1, power_w=50.0)
        wait_until(
            lambda: stream.of("command_batch")[-1]["counts"] == {"applied": 1, "sent": 2},
            what="its progress",
        )
        assert {one["id"] for one in stream.of("command_batch")} == {made["id"]}
        assert stream.of("command") == []
