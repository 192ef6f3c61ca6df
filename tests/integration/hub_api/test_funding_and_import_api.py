"""Money and registry over HTTP, and what anyone may read of a pole."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from hub.access.model import Role
from hub.api.views.public import public_pole
from tests.support.hub_api import Office
from tests.support.hub_world import incident_opens, pole_line, registry_csv

RECEIPT = {
    "kind": "receipt_cash",
    "happened_on": "2026-02-20",
    "idempotency_key": "r-1",
    "lines": [{"pole": "TG-0001", "amount_vnd": 500_000}],
    "contributor_kind": "household",
    "memo": "đưa tận tay tổ trưởng",
}
EXPENSE = {
    "kind": "expense",
    "happened_on": "2026-02-21",
    "idempotency_key": "e-1",
    "lines": [{"pole": "TG-0001", "amount_vnd": 120_000}],
    "description": "Dây điện",
}


def test_a_receipt_is_recorded_once_and_read_back(office: Office) -> None:
    staff = office.as_(Role.STAFF)
    first = staff.post("/api/v1/funding/entries", json=RECEIPT)
    again = staff.post("/api/v1/funding/entries", json=RECEIPT)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["by"] == "staff-0"
    changed = {**RECEIPT, "lines": [{"pole": "TG-0001", "amount_vnd": 1}]}
    conflict = staff.post("/api/v1/funding/entries", json=changed)
    assert (conflict.status_code, conflict.json()["type"]) == (
        409,
        "urn:ngonden:problem:idempotency-conflict",
    )
    staff.post("/api/v1/funding/entries", json=EXPENSE)
    pole = staff.get("/api/v1/poles/TG-0001/funding").json()
    assert pole["funding"]["balance_vnd"] == 380_000
    assert [one["kind"] for one in pole["entries"]] == ["expense", "receipt_cash"]
    whole = staff.get("/api/v1/funding").json()
    assert whole["totals"]["received_vnd"] == 500_000
    assert whole["poles"]["TG-0001"] == pole["funding"]
    assert (whole["head_id"], whole["head_hash"]) == (2, whole["entries"][0]["hash"])


def test_a_mistake_is_undone_by_its_reversal_only(office: Office) -> None:
    staff = office.as_(Role.STAFF)
    entry = staff.post("/api/v1/funding/entries", json=RECEIPT).json()["id"]
    body = {"idempotency_key": "u-1", "memo": "ghi nhầm cột"}
    undone = staff.post(f"/api/v1/funding/entries/{entry}/reversal", json=body)
    assert (undone.status_code, undone.json()["reverses_id"]) == (201, entry)
    assert staff.post(f"/api/v1/funding/entries/{entry}/reversal", json=body).status_code == 200
    other = staff.post(f"/api/v1/funding/entries/{entry}/reversal", json={**body, "idempotency_key": "u-2"})
    assert other.json()["type"] == "urn:ngonden:problem:already-reversed"
    itself = staff.post(
        f"/api/v1/funding/entries/{undone.json()['id']}/reversal", json={**body, "idempotency_key": "u-3"}
    )
    assert itself.status_code == 409
    assert staff.post("/api/v1/funding/entries/99/reversal", json=body).status_code == 404
    assert staff.get("/api/v1/poles/TG-0001/funding").json()["funding"]["balance_vnd"] == 0
    for method in ("PUT", "PATCH", "DELETE"):
        assert staff.request(method, f"/api/v1/funding/entries/{entry}").status_code in {404, 405}


@pytest.mark.parametrize(
    ("change", "loc"),
    [
        ({"lines": [{"pole": "TG-9999", "amount_vnd": 1}]}, "body.pole"),
        ({"lines": [{"pole": "TG-0001", "amount_vnd": 1.5}]}, "body.lines.0.amount_vnd"),
        ({"lines": [{"pole": "TG-0001", "amount_vnd": 0}]}, "body.lines.0.amount_vnd"),
        ({"lines": []}, "body.lines"),
        ({"happened_on": "2026-03-02"}, "body.date"),
        ({"kind": "gift"}, "body.kind"),
        ({"kind": "reversal", "contributor_kind": None}, "body.kind"),
        ({"contributor_kind": None}, "body.contributor_kind"),
        ({"kind": "receipt_in_kind"}, "body.description"),
        ({"idempotency_key": ""}, "body.idempotency_key"),
    ],
)
def test_an_entry_that_breaks_a_rule_is_refused(
    sqlite_office: Office, change: dict[str, object], loc: str
) -> None:
    staff = sqlite_office.as_(Role.STAFF)
    answer = staff.post("/api/v1/funding/entries", json=RECEIPT | change)
    assert answer.status_code == 422
    assert [one["loc"] for one in answer.json()["errors"]] == [loc]
    assert staff.get("/api/v1/funding").json()["head_id"] == 0


def test_the_public_page_names_only_who_agreed(office: Office) -> None:
    staff = office.as_(Role.STAFF)
    names = [("r-1", "Hộ không công khai", False), ("r-2", "Hộ công khai", True)]
    for key, name, public in names:
        entry = {**RECEIPT, "idempotency_key": key, "contributor_name": name, "name_public": public}
        assert staff.post("/api/v1/funding/entries", json=entry).status_code == 201
    staff.post("/api/v1/funding/entries", json=EXPENSE)
    staff.post("/api/v1/funding/entries/1/reversal", json={"idempotency_key": "u", "memo": "nhầm"})
    with office.engine.begin() as conn:
        incident_opens(conn, 1, office.clock())
        page = public_pole(conn, "TG-0001", office.clock())
        assert public_pole(conn, "TG-9999", office.clock()) is None
    assert page is not None
    assert (page.state, page.place, page.commune_name) == ("lit", "Ngã ba xóm 1", "xã Trạm Thản")
    assert (page.funding.received_vnd, page.funding.spent_vnd, page.funding.balance_vnd) == (
        500_000,
        120_000,
        380_000,
    )
    assert page.open_incident is not None
    assert page.open_incident.title_vi == "Đèn không sáng"
    assert [(one.kind, one.contributor_name, one.is_reversed) for one in page.lines] == [
        ("reversal", None, False),
        ("expense", None, False),
        ("receipt_cash", "Hộ công khai", False),
        ("receipt_cash", None, True),
    ]
    told = str(asdict(page))
    assert "không công khai" not in told
    assert "đưa tận tay" not in told
    assert "staff-0" not in told


def test_a_file_is_taken_in_over_http(office: Office) -> None:
    admin = office.as_(Role.ADMIN)
    files = {"file": ("poles.csv", registry_csv(pole_line(3, lamp_rated_w="70"), pole_line(4)))}
    dry = admin.post("/api/v1/registry/import?dry_run=true", files=files).json()
    assert (dry["stored"], dry["created"], dry["updated"]) == (False, 1, 1)
    assert len(admin.get("/api/v1/poles").json()["items"]) == 3
    real = admin.post("/api/v1/registry/import", files=files).json()
    assert real == {
        "stored": True,
        "created": 1,
        "updated": 1,
        "unchanged": 0,
        "errors": [],
        "ignored_columns": [],
    }
    assert len(admin.get("/api/v1/poles").json()["items"]) == 4
    bad = {"file": ("poles.csv", registry_csv(pole_line(5, latitude="")))}
    (error,) = admin.post("/api/v1/registry/import", files=bad).json()["errors"]
    assert (error["row"], error["column"]) == (2, "latitude")
