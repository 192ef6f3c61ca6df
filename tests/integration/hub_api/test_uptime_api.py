"""Uptime over the API: asked in people's words, answered with every second, and as tables."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook

from hub.access.model import Role
from hub.registry.importing import import_registry
from hub.revision import next_revision
from hub.uptime.coverage.keeper import CoverageKeeper
from hub.uptime.daily.roller import Roller
from tests.support.hub_api import Office
from tests.support.hub_world import NIGHT, pole_line, registry_csv
from tests.unit.hub_uptime.words import at, sample

HOUR = 3600
DAY = {"from": "2026-03-01", "to": "2026-03-01"}


@pytest.fixture
def staff(office: Office) -> httpx.Client:
    """The first of March is over: TG-0001 was lit from 18:00 to 23:00, then dark; others said nothing."""
    keeper, roller = CoverageKeeper(), Roller(office.engine, office.clock)
    office.clock.now = NIGHT - timedelta(days=1)
    roller.step()
    office.clock.now = NIGHT + timedelta(hours=6)
    for minute in range(360):
        keeper.sample(
            sample(
                at("18:00") + 60 * minute,
                power_w=49.0 if minute < 300 else 0.0,
                energy_wh=100.0 + minute if minute in (0, 300) else None,
                camera={},
            ),
            at("18:00") + 60 * minute,
            50.0,
        )
    for later in (0, 1):
        with office.engine.begin() as conn:
            keeper.write(conn, next_revision(conn), office.clock() + timedelta(hours=later))
    roller.step()
    return office.as_(Role.STAFF)


def ask(client: httpx.Client, **query: Any) -> dict[str, Any]:
    answer = client.get("/api/v1/uptime", params={**DAY, **query})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_a_pole_is_told_with_its_seconds_beside_its_share(staff: httpx.Client) -> None:
    body = ask(staff, level="pole", of=["pole:TG-0001"])
    (line,) = body["lines"]
    assert (line["name"], line["commune"], line["place"]) == ("TG-0001", "tram-than", "Khu 2")
    assert (line["up_s"], line["down_s"]) == (5 * HOUR, HOUR)
    assert line["up_share"] == pytest.approx(5 / 6)
    assert line["measured_share"] == 1.0
    beside = ("up_s", "up_said_s", "down_s", "down_said_s", "maintenance_s", "hub_blind_s", "unknown_s")
    assert line["due_s"] == sum(line[name] for name in beside)
    assert line["energy_kwh"] == 0.3
    assert line["cost_vnd"] is None, "no price is known"
    assert body["total"]["up_s"] == line["up_s"]


@pytest.mark.parametrize(
    ("level", "of", "names"),
    [
        ("hamlet", [], ["Khu 1", "Khu 2"]),
        ("segment", ["commune:tram-than"], ["F1", "F2"]),
        ("group", ["hamlet:tram-than/Khu 1"], ["Tổ tự quản 1"]),
        ("programme", [], ["Ngọn đèn an ninh"]),
        ("commune", ["province:tỉnh Phú Thọ"], ["tram-than"]),
        ("pole", ["segment:tram-than/F2", "programme:Ngọn đèn an ninh"], ["TG-0001", "TG-0003"]),
        ("pole", ["group:nơi khác/Tổ tự quản 1"], []),
    ],
)
def test_areas_are_asked_for_in_words(
    staff: httpx.Client, level: str, of: list[str], names: list[str]
) -> None:
    assert [one["name"] for one in ask(staff, level=level, of=of)["lines"]] == names


def test_a_commune_goes_by_its_name(staff: httpx.Client) -> None:
    assert ask(staff, level="commune")["lines"][0]["title"] == "xã Trạm Thản"


def test_cameras_are_asked_for_by_kind(staff: httpx.Client) -> None:
    (line,) = ask(staff, level="pole", kind="camera")["lines"]
    assert (line["name"], line["up_s"]) == ("CAM-TG-01", 6 * HOUR)


def test_without_days_the_last_thirty_whole_ones_are_told(staff: httpx.Client) -> None:
    body = staff.get("/api/v1/uptime").json()
    assert (body["first_day"], body["last_day"]) == ("2026-01-31", "2026-03-01")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"of": "hamlet:Khu 1"}, "hamlet:<commune>/<name>"),
        ({"of": "district:Phù Ninh"}, "commune:<code>"),
        ({"of": "commune:"}, "commune:<code>"),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "no span"),
        ({"from": "2006-03-02"}, "no span"),
        ({"level": "district"}, "level"),
        ({"from": "mai"}, "from"),
    ],
)
def test_what_cant_be_asked_says_how_to_ask(staff: httpx.Client, query: dict[str, str], said: str) -> None:
    answer = staff.get("/api/v1/uptime", params=query)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert answer.json()["detail_vi"]


def test_poles_of_many_communes_at_once_are_refused_with_what_to_write(office: Office) -> None:
    with office.engine.begin() as conn:
        other = pole_line(9, commune_code="tam-nong", commune_name="xã Tam Nông", former_names="")
        assert import_registry(conn, registry_csv(other), now=NIGHT).stored
    client = office.as_(Role.VIEWER)
    answer = client.get("/api/v1/uptime", params={"level": "pole"})
    assert answer.status_code == 422
    assert "of=commune:" in answer.json()["detail"]
    assert client.get("/api/v1/uptime", params={"level": "commune"}).status_code == 200


def test_tables_hold_what_the_answer_holds(staff: httpx.Client) -> None:
    query = {**DAY, "level": "pole"}
    sent = staff.get("/api/v1/uptime.csv", params=query)
    assert sent.headers["content-disposition"].endswith('"uptime-pole-2026-03-01-2026-03-01.csv"')
    rows = list(csv.reader(io.StringIO(sent.content.decode("utf-8-sig"))))
    assert rows[0][1] == "Tên / Name"
    assert [row[1] for row in rows[1:]] == ["TG-0001", "TG-0002", "TG-0003", "Tất cả / All"]
    assert rows[1][3:8] == ["83.33", "100.0", rows[1][5], "5.0", "1.0"]
    book = load_workbook(io.BytesIO(staff.get("/api/v1/uptime.xlsx", params=query).content))
    sheet = book.active
    assert sheet is not None
    assert [[str(cell or "") for cell in row[:3]] for row in sheet.iter_rows(values_only=True)] == [
        row[:3] for row in rows
    ]


def test_a_name_that_looks_like_a_formula_stays_text(office: Office) -> None:
    with office.engine.begin() as conn:
        rows = registry_csv(pole_line(1, hamlet="=1+1"), pole_line(2), pole_line(3))
        assert import_registry(conn, rows, now=NIGHT).stored
    Roller(office.engine, office.clock).step()
    office.clock.pass_(hours=1)
    Roller(office.engine, office.clock).step()
    today = "2026-03-01"
    sent = office.as_(Role.VIEWER).get("/api/v1/uptime.csv", params={"from": today, "to": today})
    names = [row[1] for row in csv.reader(io.StringIO(sent.content.decode("utf-8-sig")))]
    assert "'=1+1" in names


def test_a_price_is_recorded_by_an_administrator_and_costs_follow(
    office: Office, staff: httpx.Client
) -> None:
    price = {
        "valid_from": "2025-05-10",
        "vnd_per_kwh": "2204,07",
        "vat_percent": "8",
        "source": "công bố ngày 10/5/2025",
    }
    admin = office.as_(Role.ADMIN)
    assert admin.post("/api/v1/tariffs", json=price).json() == {**price, "vnd_per_kwh": "2204.07"}
    assert staff.get("/api/v1/tariffs").json()["items"] == [{**price, "vnd_per_kwh": "2204.07"}]
    (line,) = ask(staff, level="pole", of=["pole:TG-0001"])["lines"]
    assert (line["cost_before_vat_vnd"], line["cost_vnd"]) == (661, 714)
    wrong = admin.post("/api/v1/tariffs", json={**price, "vnd_per_kwh": "rẻ"})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["loc"] == "body.vnd_per_kwh"
