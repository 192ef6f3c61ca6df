"""A clerk's way with an incident, seen live by another; planned work; thresholds. On a phone and on a desk."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from hub.incidents import work
from hub.incidents.reads import incident_of
from hub.incidents.search import Wanted, search
from tests.e2e.conftest import DESK, PHONE, OpenPage
from tests.e2e.village import DARK, Village
from tests.e2e.watch import Watch
from tests.support.hub_world import incident_opens

pytestmark = pytest.mark.servers

SIZES = pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])


def lamp_out(commune: Village, pole: str) -> int:
    with commune.engine.connect() as conn:
        (one,) = [one for one in search(conn, Wanted(poles=[pole])) if one.kind == "lamp_failure"]
        return one.id


def test_a_clerk_works_on_an_incident_and_another_sees_it_live(
    open_page: OpenPage, commune: Village
) -> None:
    key = lamp_out(commune, DARK[0])
    clerk, other = open_page("/incidents", size=PHONE), open_page(f"/incidents/{key}", user="nguoixem")
    expect(other.locator("#signs")).to_contain_text("chưa ai tiếp nhận")
    expect(other.locator("#connection")).to_have_attribute("data-state", "live")
    expect(other.locator("#comments")).to_have_count(0)

    clerk.click(f'.incident-card[data-id="{key}"]')
    expect(clerk.locator("h1")).to_have_text("Đèn không sáng")
    expect(clerk.locator("#sentence")).to_contain_text("nhưng chỉ dùng 0,6 W; lẽ ra phải khoảng")
    clerk.click("#acknowledge button")
    expect(clerk.locator("#acknowledge")).to_be_hidden()
    for page in (clerk, other):
        expect(page.locator("#signs")).to_contain_text("canbo đã tiếp nhận")

    clerk.click("#assign button")
    group = clerk.locator("#group").input_value()
    expect(other.locator("#history")).to_contain_text(f"Đã giao cho {group}")
    clerk.fill("#comments textarea", "Hỏng bộ nguồn")
    clerk.click("#comments button")
    expect(other.locator("#history")).to_contain_text("Hỏng bộ nguồn")

    clerk.fill("#resolve textarea", "Đã thay bộ nguồn")
    clerk.click("#resolve button")
    clerk.locator("dialog.confirm").get_by_text("Đồng ý").click()
    for page in (clerk, other):
        expect(page.locator("#signs")).to_contain_text("canbo đã xử lý xong")
        expect(page.locator("#history li").first).to_contain_text("Đã thay bộ nguồn")
    expect(clerk.locator("#resolve")).to_be_hidden()
    with commune.engine.connect() as conn:
        done = incident_of(conn, key)
    assert done is not None
    assert (done.closed_how, done.closed_by, done.assigned_group) == ("by_hand", "canbo", group)


def test_who_is_second_is_told(open_page: OpenPage, commune: Village, watch: Watch) -> None:
    watch.allow("409")
    watch.allow("ERR_FAILED")
    key = lamp_out(commune, DARK[1])
    page = open_page(f"/incidents/{key}")
    expect(page.locator("#acknowledge button")).to_be_visible()
    # The news of the other clerk's step is held back, as on a slow line.
    page.route(f"**/api/v1/incidents/{key}", lambda route: route.abort())
    with commune.engine.begin() as conn:
        work.acknowledge(conn, key, by="minh", note="", now=datetime.now(UTC))
    page.click("#acknowledge button")
    expect(page.locator("#acknowledge .form-note")).to_contain_text("minh đã tiếp nhận sự cố")


@SIZES
def test_a_feeders_outage_is_one_line_that_holds_its_poles(
    open_page: OpenPage, commune: Village, size: dict[str, int]
) -> None:
    at = datetime.now(UTC) - timedelta(minutes=20)
    place = "phone" if size is PHONE else "desk"
    with commune.engine.begin() as conn:
        outage = incident_opens(
            conn, 30, at, f"outage_{place}", pole=None, originator=f"tuyen-{place}", severity="critical"
        )
        parts = [
            incident_opens(conn, n, at, f"supply_{place}", parent_id=outage, quiet_reason="group")
            for n in range(30, 40)
        ]
    page = open_page("/incidents", size=size)
    card = page.locator(f'.incident-card[data-id="{outage}"]')
    expect(card).to_contain_text("gồm 10 sự cố")
    expect(page.locator(f'.incident-card[data-id="{parts[0]}"]')).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    card.click()
    expect(page.locator("#parts li")).to_have_count(10)
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    page.locator("#parts a").first.click()
    expect(page.locator("#parent")).to_contain_text(f"outage_{place}")

    home = open_page("/", size=size)
    expect(home.locator("#connection")).to_have_attribute("data-state", "live")
    if home.locator("#incidents-more").is_visible():
        home.click("#incidents-more")
    expect(home.locator(f'#incidents [data-kind="outage_{place}"]')).to_contain_text("gồm 10 sự cố")
    expect(home.locator(f'#incidents [data-kind="supply_{place}"]')).to_have_count(0)


def test_filters_stand_in_the_address_and_are_found_there_again(
    open_page: OpenPage, commune: Village
) -> None:
    key = lamp_out(commune, DARK[2])
    page = open_page("/incidents")
    expect(page.locator(f'[data-id="{key}"]')).to_have_count(1)
    page.click("text=Lọc thêm")
    page.fill("[name=pole]", DARK[2].lower())
    expect(page.locator(".incident-card")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"pole=tg-0089"))
    again = open_page(f"/incidents?{urlsplit(page.url).query}")
    expect(again.locator(".incident-card")).to_have_count(1)
    again.check("[name=status][value=closed]")
    expect(again.locator("#incidents")).to_contain_text("Không có sự cố nào như vậy.")


@SIZES
def test_work_is_planned_and_taken_back(open_page: OpenPage, size: dict[str, int], watch: Watch) -> None:
    watch.allow("409")
    page = open_page("/maintenance", size=size)
    pole = "TG-0160" if size is PHONE else "TG-0161"
    for _ in range(2):
        page.select_option("#scope", "pole")
        page.fill("#name", pole)
        page.fill("[name=why]", "Nâng cột")
        page.click("#plan button[type=submit]")
        expect(page.locator("#plan .form-note")).not_to_be_empty()
    expect(page.locator("#plan .form-note")).to_contain_text("Nơi này đã có lịch bảo trì")
    card = page.locator("#current .window-card", has_text=pole)
    expect(card).to_have_count(1)
    card.get_by_text("Hủy lịch").click()
    page.locator("dialog.confirm").get_by_text("Đồng ý").click()
    expect(page.locator("#over .window-card", has_text=pole)).to_contain_text("canbo hủy lúc")
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]


@SIZES
def test_thresholds_are_set_and_reset(open_page: OpenPage, size: dict[str, int], watch: Watch) -> None:
    watch.allow("422")
    page = open_page("/thresholds", size=size)
    rule = page.locator('[data-kind="lamp_failure"]')
    expect(rule).to_contain_text("báo sau 1 phút")
    rule.locator("summary").click()
    rule.locator("[name=hold_off_s]").fill("300")
    rule.get_by_role("button", name="Lưu").click()
    expect(rule.locator("summary")).to_contain_text("báo sau 5 phút")
    expect(rule.locator("summary")).to_contain_text("đặt riêng")
    expect(rule.locator('[name="params.fail_share"]')).to_have_value("20")
    rule.locator('[name="params.fail_share"]').fill("90")
    rule.get_by_role("button", name="Lưu").click()
    expect(rule.locator(".field-error")).to_contain_text("không được cao hơn ngưỡng hết lỗi")
    expect(rule.locator('[name="params.fail_share"]')).to_be_focused()
    rule.get_by_role("button", name="Trở lại mặc định").click()
    expect(rule.locator("summary")).to_contain_text("báo sau 1 phút")
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    page.select_option("#commune", "")
    expect(page.locator('[data-kind="lamp_failure"] [name=hold_off_s]')).to_be_disabled()


def test_messages_set_aside_are_counted_by_node(open_page: OpenPage, commune: Village) -> None:
    for text in (b"{", b"[", b"{"):
        commune.garbage("TG-0170", text)
    page = open_page("/rejects")
    expect(page.locator("#counts tbody tr").first).to_contain_text(commune.sites["TG-0170"].node)
    expect(page.locator("#counts tbody tr").first).to_contain_text("3")
