"""The office: menu by role and keyboard, several communes, users and what they may see, errors of forms."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from hub.access.model import Role
from hub.access.store import add_user, set_communes, users
from hub.registry.importing import import_registry
from tests.e2e.conftest import DESK, PHONE, OpenPage
from tests.e2e.village import Village
from tests.e2e.watch import Watch
from tests.support.hub_world import incident_opens, pole_line, registry_csv

pytestmark = pytest.mark.servers

SIZES = pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])


@pytest.fixture(scope="module", autouse=True)
def neighbours(commune: Village) -> None:
    """Beside Trạm Thản a second commune with one pole; `hoa` works for both, `quantri` for all."""
    line = pole_line(
        9, code="TV-0009", commune_code="tu-vu", commune_name="xã Tu Vũ", former_names="Đồng Trung",
        node="tv-0009", place="Đầu làng", hamlet="Khu Chằm", feeder="V1", group="Tổ liên gia", cameras="",
    )  # fmt: skip
    now = datetime.now(UTC)
    with commune.engine.begin() as conn:
        assert import_registry(conn, registry_csv(line), now=now).stored
        add_user(conn, "hoa", Role.STAFF, communes=["tram-than", "tu-vu"], now=now)
        add_user(conn, "quantri", Role.ADMIN, now=now)
        set_communes(conn, "canbo", ["tram-than"])


def fits(page: Page, size: dict[str, int]) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth") == size["width"])


def test_menu_is_one_line_on_a_desk_and_works_by_keyboard(open_page: OpenPage) -> None:
    page = open_page("/uptime", user="quantri")
    header = page.locator("header.top").bounding_box()
    assert header is not None
    assert header["height"] < 64
    expect(page.locator("#menu summary.is-here")).to_have_text("Đèn & camera")
    group = page.locator("#menu details", has_text="Lịch bảo trì")
    expect(group).not_to_have_attribute("open", "")
    group.locator("summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#menu a[href='/incidents']")).to_be_focused()
    page.keyboard.press("Escape")
    expect(group.locator("summary")).to_be_focused()
    expect(group).not_to_have_attribute("open", "")
    page.keyboard.press("Enter")
    other = page.locator("#menu details", has_text="Thời gian sáng")
    other.locator("summary").click()
    expect(group).not_to_have_attribute("open", "")
    expect(other.locator("[aria-current=page]")).to_have_text("Thời gian sáng")
    page.mouse.click(1300, 800)
    expect(other).not_to_have_attribute("open", "")


def test_menu_on_a_phone_shows_every_page_in_its_group(open_page: OpenPage) -> None:
    page = open_page("/incidents", size=PHONE)
    page.click(".menu-button")
    expect(page.locator("#menu a[href='/maintenance']")).to_be_visible()
    expect(page.locator("#menu a[aria-current=page]")).to_have_text("Danh sách sự cố")
    assert fits(page, PHONE)
    page.click("#menu a[href='/maintenance']")
    expect(page.locator("h1")).to_have_text("Lịch bảo trì")


@pytest.mark.parametrize(
    ("user", "offered", "withheld"),
    [
        (
            "nguoixem",
            {"/incidents", "/uptime", "/funding"},
            {"/commands", "/thresholds", "/users", "/notices"},
        ),
        ("canbo", {"/commands", "/thresholds"}, {"/users", "/notices", "/communes"}),
        ("quantri", {"/commands", "/users", "/notices", "/communes"}, set()),
    ],
)
def test_menu_offers_what_a_role_has_use_for(
    open_page: OpenPage, user: str, offered: set[str], withheld: set[str]
) -> None:
    page = open_page("/account", user=user)
    links = set(page.eval_on_selector_all("#menu a", "all => all.map((one) => one.getAttribute('href'))"))
    assert offered <= links
    assert not withheld & links


def test_badge_counts_open_incidents_as_they_come(open_page: OpenPage, commune: Village) -> None:
    page = open_page("/incidents")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    badge = page.locator("#menu [data-badge]")
    before = int(badge.locator("[data-count]").inner_text())
    with commune.engine.begin() as conn:
        incident_opens(conn, 50, datetime.now(UTC) - timedelta(minutes=1), "badge_test")
    expect(badge.locator("[data-count]")).to_have_text(str(before + 1))
    expect(badge).to_contain_text("sự cố đang mở")


def test_a_clerk_of_two_communes_chooses_one_and_the_address_says_so(open_page: OpenPage) -> None:
    page = open_page("/incidents", user="hoa")
    expect(page.locator(".incident-card").first).to_contain_text("Xã Trạm Thản")
    page.goto(page.url.replace("/incidents", "/funding"))
    expect(page.locator("tbody tr")).to_have_count(3)  # the sum, and both communes
    page.select_option("#switcher select", label="Xã Tu Vũ")
    expect(page).to_have_url(re.compile(r"/funding\?commune=tu-vu$"))
    expect(page.locator("tbody tr", has_text="TV-0009")).to_have_count(1)
    page.click("tbody a >> text=TV-0009")
    expect(page.locator("h1")).to_have_text("TV-0009")
    page.locator("#menu summary", has_text="Bản đồ").click()
    page.click("#menu a >> text=Bản đồ")
    expect(page.locator("h1")).to_have_text("Xã Tu Vũ")
    expect(page.locator("#poles > li")).to_have_count(1)
    expect(page.locator("#money-need")).to_have_text("0 đ")
    page.select_option("#switcher select", label="Tất cả xã của tôi")
    expect(page.locator("h1")).to_have_text("Các xã của tôi")
    expect(page.locator("tbody tr")).to_have_count(2)


def test_who_works_for_one_commune_has_nothing_to_choose(open_page: OpenPage, watch: Watch) -> None:
    watch.allow("404")
    page = open_page("/incidents")
    expect(page.locator("#switcher")).to_have_count(0)
    foreign = open_page("/funding?commune=tu-vu")
    expect(foreign.locator("h1")).to_have_text("Không tìm thấy")


@SIZES
def test_every_page_of_two_communes_fits_the_screen(open_page: OpenPage, size: dict[str, int]) -> None:
    page = open_page("/communes", user="hoa", size=size)
    for path in ("/communes", "/nodes", "/rejects", "/uptime", "/maintenance", "/account", "/commands"):
        page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/")[2] + path)
        expect(page.locator("h1")).to_be_visible()
        assert fits(page, size), path


@SIZES
def test_an_administrator_gives_somebody_a_commune(
    open_page: OpenPage, commune: Village, size: dict[str, int], watch: Watch
) -> None:
    watch.allow("422")
    name = f"lan.{size['width']}"
    page = open_page("/users", user="quantri", size=size)
    page.click("#new-user summary")
    page.click("#new-form button[type=submit]")
    expect(page.locator("#new-form .field-error:visible")).to_have_count(2)
    expect(page.locator("#new-form [name=name]")).to_be_focused()
    page.fill("#new-form [name=name]", name)
    page.fill("#new-form [name=password]", "aaaaaaaaaaaa")
    page.locator("#new-form label", has_text="Chỉ một số xã").click()
    page.click("#new-form button[type=submit]")
    expect(page.locator("#new-form [data-none]")).to_have_text(
        "Hãy chọn ít nhất một xã, hoặc chọn “Toàn hệ thống”."
    )
    page.check("#new-form [value=tu-vu]")
    page.click("#new-form button[type=submit]")
    expect(page.locator("#new-form .field-error:visible")).to_contain_text("không lặp một ký tự")
    page.fill("#new-form [name=password]", "den-sang-tu-vu")
    page.click("#new-form button[type=submit]")
    expect(page.locator("#new-form .form-note")).to_contain_text(f"Đã thêm {name}")

    card = page.locator(f'[data-name="{name}"]')
    expect(card.locator("summary")).to_contain_text("Xã Tu Vũ")
    card.locator("summary").click()
    access = card.locator("[data-form=access]")
    access.locator("[name=role]").select_option("viewer")
    access.locator("[value=tram-than]").check()
    access.get_by_role("button", name="Lưu quyền").click()
    expect(card.locator("summary")).to_contain_text("Người xem")
    expect(card.locator("summary")).to_contain_text("Xã Trạm Thản, Xã Tu Vũ")
    assert fits(page, size)
    with commune.engine.connect() as conn:
        made = next(one for one in users(conn) if one.name == name)
    assert (made.role, made.communes) == (Role.VIEWER, ("tram-than", "tu-vu"))

    card.get_by_role("button", name="Khóa tài khoản").click()
    page.locator("dialog.confirm").get_by_text("Đồng ý").click()
    expect(card).to_have_count(0)


def test_what_is_wrong_in_a_form_stands_beside_its_field(open_page: OpenPage, watch: Watch) -> None:
    watch.allow("404")
    page = open_page("/maintenance")
    page.click("#plan button[type=submit]")
    expect(page.locator("#plan label", has_text="Làm việc gì").locator(".field-error")).to_have_text(
        "Hãy điền ô này."
    )
    page.fill("#name", "TG-9999")
    page.fill("[name=why]", "Thay bóng")
    expect(page.locator("#plan .field-error")).to_have_count(0)
    page.click("#plan button[type=submit]")
    expect(page.locator("#name-field .field-error")).to_contain_text("không có cột đèn nào tên “TG-9999”")
    expect(page.locator("#name")).to_be_focused()
    expect(page.locator("#plan .form-note")).to_have_text("Chưa lưu được: hãy sửa ô được báo đỏ.")

    page.goto(page.url.replace("/maintenance", "/thresholds"))
    rule = page.locator('[data-kind="lamp_failure"]')
    rule.locator("summary").click()
    rule.locator("[name=hold_off_s]").fill("-5")
    rule.get_by_role("button", name="Lưu").click()
    expect(rule.locator(".field-error")).to_have_text("Hãy ghi một số từ 0 đến 604.800.")


def test_a_date_field_says_its_date_in_words(open_page: OpenPage) -> None:
    page = open_page("/uptime?from=2026-11-03&to=2026-11-12")
    expect(page.locator(".said-date").first).to_have_text("Thứ Ba, 03/11/2026")


def test_a_password_is_changed_under_ones_own_name(open_page: OpenPage) -> None:
    page = open_page("/account", user="hoa")
    page.fill("[name=password]", "mot-mat-khau-dai")
    page.fill("[name=again]", "mot-mat-khau-dai")
    page.click("#password-form button")
    expect(page.locator("#password-form [role=status]")).to_contain_text("Đã đặt mật khẩu")


def test_every_page_has_the_menu_that_works_and_forms_that_speak_vietnamese(open_page: OpenPage) -> None:
    page = open_page("/notices", user="quantri", size=PHONE)
    page.click(".menu-button")
    expect(page.locator("#menu a[href='/users']")).to_be_visible()
    page.keyboard.press("Escape")
    page.click("#route-fold-title")
    page.click("#route-form button[type=submit]")
    expect(page.locator("#route-form label", has_text="Tên tuyến").locator(".field-error")).to_have_text(
        "Hãy điền ô này."
    )
