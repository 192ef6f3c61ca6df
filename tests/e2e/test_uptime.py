"""The page of uptime: shares with what stands beside, from a hamlet down to its pole, on a phone and a desk."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from playwright.sync_api import expect

from hub.revision import next_revision
from hub.uptime.coverage.keeper import FLUSH_S, CoverageKeeper
from hub.uptime.coverage.states import day_start_s
from hub.uptime.daily.roller import Roller
from hub.uptime.tariffs import Tariff, put
from tests.e2e.conftest import DESK, PHONE, OpenPage
from tests.e2e.village import Village
from tests.unit.hub_uptime.words import sample

pytestmark = pytest.mark.servers

DAYS = 3
POLES = 30
FIRST = date(2026, 2, 1)
FIRST_NUMBER = (FIRST - date(1970, 1, 1)).days


@pytest.fixture(scope="module")
def reckoned(commune: Village) -> date:
    """Three evenings' hour of a part of the commune, some poles dark, some silent; gives the last day."""
    now = datetime.fromtimestamp(day_start_s(FIRST_NUMBER) - 3600, UTC)
    clock = [now]
    roller = Roller(commune.engine, lambda: clock[0])
    roller.step()
    keeper = CoverageKeeper()
    for number, site in enumerate(list(commune.sites.values())[:POLES]):
        for day in range(DAYS):
            begin_s = day_start_s(FIRST_NUMBER + day) + 19 * 3600
            dark = number % 9 == day
            for minute in range(60):
                if number % 11 == day and minute > 40:
                    break
                one = sample(
                    begin_s + minute * 60,
                    pole=site.code,
                    power_w=0.2 if dark and minute < 20 else site.lamp_rated_w,
                    energy_wh=1000.0 + 60 * day + minute if minute in (0, 59) else None,
                )
                keeper.sample(one, one.time.timestamp(), site.lamp_rated_w)
    clock[0] = datetime.fromtimestamp(day_start_s(FIRST_NUMBER + DAYS) + 3600, UTC)
    with commune.engine.begin() as conn:
        put(conn, Tariff(date(2025, 5, 10), 220_407, 80, "thử"), by="canbo", now=now)
        for later_s in (0.0, FLUSH_S):
            keeper.write(conn, next_revision(conn), clock[0] + timedelta(seconds=later_s))
    roller.step()
    return FIRST + timedelta(days=DAYS - 1)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_from_a_hamlet_down_to_a_pole(
    open_page: OpenPage, reckoned: date, size: dict[str, int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    page = open_page(f"/uptime?from={FIRST}&to={reckoned}", size=size)
    expect(page.locator("h1")).to_have_text("Thời gian sáng")
    expect(page.locator(".uptime-share strong")).to_contain_text("%")
    expect(page.locator(".uptime-legend")).to_contain_text("Không rõ")
    expect(page.locator("tbody svg rect.part-up").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    page.screenshot(path=tmp_path_factory.mktemp("uptime") / "uptime.png", full_page=True)
    hamlet = page.locator("tbody a").first
    name = hamlet.inner_text()
    hamlet.click()
    expect(page.locator(".uptime-places")).to_contain_text(name)
    pole = page.locator("tbody a").first
    code = pole.inner_text()
    pole.click()
    expect(page.locator("h1")).to_have_text(code)


def test_the_days_and_the_level_are_chosen_without_losing_the_other(
    open_page: OpenPage, reckoned: date
) -> None:
    page = open_page(f"/uptime?from={FIRST}&to={reckoned}", javascript=False)
    page.click("main >> text=Tổ tự quản")
    expect(page.locator("thead th").first).to_have_text("Tổ tự quản")
    page.fill("[name=from]", str(reckoned))
    page.click("text=Xem >> visible=true")
    expect(page.locator("[name=from]")).to_have_value(str(reckoned))
    expect(page.locator("thead th").first).to_have_text("Tổ tự quản")
    page.click("main >> text=Camera")
    expect(page.locator("main")).to_contain_text("Trong cả ngày đêm, camera chạy tốt được bao nhiêu")


def test_the_table_can_be_taken_along(open_page: OpenPage, reckoned: date) -> None:
    page = open_page(f"/uptime?from={FIRST}&to={reckoned}")
    with page.expect_download() as download:
        page.click("text=CSV")
    assert download.value.suggested_filename == f"uptime-hamlet-{FIRST}-{reckoned}.csv"
