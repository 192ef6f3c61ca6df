"""Thresholds: a commune's before the hub's, the hub's before the program's; bounded, and traceable."""

from __future__ import annotations

from typing import Any

import pytest

from hub.access.audit import audit_rows
from hub.access.model import Role
from hub.incidents.catalogue import DEFAULT_RULES
from hub.incidents.loading import load_rules
from hub.incidents.model import LAMP_FAILURE
from hub.incidents.rule_edit import bounds_of, known_rules
from tests.contract.hub_api.calls import THRESHOLDS
from tests.support.hub_api import Office

HERE = "/api/v1/communes/tram-than/incident-rules"
EVERYWHERE = "/api/v1/incident-rules"
PARAMS = DEFAULT_RULES[LAMP_FAILURE].params


def rule(office: Office, path: str = HERE, kind: str = "lamp_failure") -> dict[str, Any]:
    listed = office.as_(Role.VIEWER).get(path).json()["items"]
    (one,) = [one for one in listed if one["kind"] == kind]
    return dict(one)


def test_a_commune_goes_before_the_hub_and_a_reset_goes_back(office: Office) -> None:
    clerk, admin = office.as_(Role.STAFF), office.as_(Role.ADMIN)
    assert rule(office)["source"] == "default"
    brought = rule(office)["now"]
    of_hub = {**THRESHOLDS, "hold_off_s": 120.0}
    assert admin.put(f"{EVERYWHERE}/lamp_failure", json=of_hub).status_code == 200
    assert (rule(office)["source"], rule(office)["now"]["hold_off_s"]) == ("hub", 120.0)
    own = {**THRESHOLDS, "hold_off_s": 300.0, "severity": "critical", "enabled": False}
    done = clerk.put(f"{HERE}/lamp_failure", json=own).json()
    assert (done["source"], done["now"], done["inherited"]["hold_off_s"]) == ("commune", own, 120.0)
    assert rule(office, EVERYWHERE)["now"]["hold_off_s"] == 120.0
    assert clerk.delete(f"{HERE}/lamp_failure").json()["source"] == "hub"
    assert admin.delete(f"{EVERYWHERE}/lamp_failure").json()["source"] == "default"
    assert rule(office)["now"] == brought
    with office.engine.connect() as conn:
        rows = [row for row in audit_rows(conn) if "incident-rules" in row.action]
        told = [row.detail["thresholds"] for row in rows]
        assert [(one["before"]["hold_off_s"], one["after"]["hold_off_s"]) for one in told] == [
            (120.0, 60.0),
            (300.0, 120.0),
            (120.0, 300.0),
            (60.0, 120.0),
        ]


def test_the_ingest_reads_what_was_set_for_the_hub(sqlite_office: Office) -> None:
    sqlite_office.as_(Role.ADMIN).put(f"{EVERYWHERE}/lamp_failure", json=THRESHOLDS)
    with sqlite_office.engine.connect() as conn:
        assert load_rules(conn).of("lamp_failure").hold_off_s == 90


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"hold_off_s": -1}, "hold_off_s"),
        ({"hold_off_s": 700_000}, "hold_off_s"),
        ({"clear_after_s": 1e9}, "clear_after_s"),
        ({"severity": "terrible"}, "severity"),
        ({"params": {}}, "params"),
        ({"params": {**PARAMS, "more": 1}}, "params"),
        ({"params": {**PARAMS, "clear_share": 1.5}}, "params.clear_share"),
        ({"params": {**PARAMS, "fail_share": 0.5}}, "params.fail_share"),
        ({"params": {**PARAMS, "diagnosed_hold_off_s": -1}}, "params.diagnosed_hold_off_s"),
    ],
)
def test_what_is_out_of_bounds_is_refused_by_name(
    sqlite_office: Office, changes: dict[str, Any], field: str
) -> None:
    answer = sqlite_office.as_(Role.STAFF).put(f"{HERE}/lamp_failure", json={**THRESHOLDS, **changes})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == f"body.{field}"
    assert rule(sqlite_office)["source"] == "default"


def test_an_unknown_kind_or_commune_is_told(sqlite_office: Office) -> None:
    clerk = sqlite_office.as_(Role.STAFF)
    for method in ("PUT", "DELETE"):
        body = {"json": THRESHOLDS} if method == "PUT" else {}
        kind = clerk.request(method, f"{HERE}/earthquake", **body)  # type: ignore[arg-type]
        assert (kind.status_code, kind.json()["type"]) == (404, "urn:ngonden:problem:unknown-kind")
        place = clerk.request(method, HERE.replace("tram-than", "x") + "/lamp_failure", **body)  # type: ignore[arg-type]
        assert (place.status_code, place.json()["type"]) == (404, "urn:ngonden:problem:unknown-commune")


def test_what_the_program_brings_along_lies_within_its_own_bounds() -> None:
    assert len(known_rules()) >= 2
    for kind, default in known_rules().items():
        for name, value in default.params.items():
            low, high = bounds_of(name)
            assert low <= value <= high, (kind, name)
