"""The first page: map, list, legend, incidents, money; at a desk and on a phone, by night and by day."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.canvas import bright_warm_share, ring_centre
from tests.e2e.conftest import DESK, PHONE, OpenPage
from tests.e2e.village import DARK, OFF, SILENT, STUCK_ON, Village
from tests.support.servers import wait_until

ALL = 219
LIT = ALL - len(DARK) - len(OFF) - 2

pytestmark = pytest.mark.servers


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("theme", ["night", "day"])
def test_page_fits_the_screen_and_shows_all_poles(
    open_page: OpenPage, size: dict[str, int], theme: str
) -> None:
    page = open_page("/", size=size, cookies={"theme": theme})
    expect(page.locator("#poles > li")).to_have_count(ALL)
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    expect(page.locator("html")).to_have_attribute("data-theme", theme)
    expect(page.locator("h1")).to_have_text("Xã Trạm Thản")
    expect(page.locator(".title-note")).to_contain_text("trước đây: Trung Giáp")
    expect(page.locator("#connection")).to_contain_text("trực tiếp")


def test_legend_counts_every_state_and_filters_the_list(open_page: OpenPage) -> None:
    page = open_page("/")
    counts = {"lit": LIT, "dark": len(DARK), "on_by_day": 1, "off": len(OFF), "unknown": 1}
    for state, count in counts.items():
        expect(page.locator(f"#legend [data-state={state}] .legend-count")).to_have_text(str(count))
    expect(page.locator("#lit-count")).to_have_text(str(LIT))
    expect(page.locator("#dark-line")).to_have_text(f"{len(DARK)} đèn lẽ ra phải sáng mà đang tối")

    page.click("#legend [data-state=dark]")
    expect(page.locator("#poles > li:visible")).to_have_count(len(DARK))
    expect(page.locator("#shown-count")).to_have_text(f"{len(DARK)} / {ALL} cột")
    page.click("#legend [data-state=dark]")
    expect(page.locator("#poles > li:visible")).to_have_count(ALL)


def test_search_needs_no_accents(open_page: OpenPage) -> None:
    page = open_page("/")
    page.fill("#search", "dap bo ho")
    expect(page.locator("#poles > li:visible")).to_have_count(1)
    expect(page.locator("#poles > li:visible .row-place")).to_have_text("Đập bờ hồ Khu 6")
    page.fill("#search", "tg-0042")
    expect(page.locator("#poles > li:visible")).to_have_count(1)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (DARK[0], "Không sáng"),
        (OFF[0], "Đang tắt"),
        (STUCK_ON, "Sáng sai giờ"),
        (SILENT, "Chưa rõ"),
        ("TG-0001", "Đang sáng"),
    ],
)
def test_row_says_what_the_lamp_does(open_page: OpenPage, code: str, words: str) -> None:
    page = open_page("/")
    expect(page.locator(f"[data-code={code}] .row-state")).to_have_text(words)


def test_lit_lamps_glow_warm_on_the_map(open_page: OpenPage) -> None:
    page = open_page("/")
    wait_until(lambda: bright_warm_share(page) > 0.002, what="warm light on the map", limit_s=20)
    all_lit = bright_warm_share(page)
    page.click("#legend [data-state=dark]")
    wait_until(
        lambda: bright_warm_share(page) < all_lit / 3, what="lamps that the filter leaves out to fade"
    )


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_click_on_a_lamp_opens_its_card(open_page: OpenPage, size: dict[str, int]) -> None:
    page = open_page("/", size=size)
    # Until the page stands a row may move between the pointer's going down and up.
    expect(page.locator("#connection")).to_contain_text("trực tiếp")
    page.evaluate("document.fonts.ready")
    page.click(f"[data-code={DARK[1]}]")
    card = page.locator("#card")
    expect(card.locator("h2")).to_have_text(DARK[1])
    expect(card).to_contain_text("Không sáng")
    expect(card).to_contain_text("0,6 W")
    x, y = ring_centre(page)

    page.click(".card-close")
    expect(card).to_be_hidden()
    page.evaluate("window.scrollTo(0, 0)")
    frame = page.locator("#map").bounding_box()
    assert frame is not None
    page.mouse.click(frame["x"] + x, frame["y"] + y)
    expect(card.locator("h2")).to_have_text(re.compile("TG-008[89]"))  # two dark neighbours share the spot
    page.click("#card .card-link")
    expect(page.locator("h1")).to_have_text(re.compile("TG-008[89]"))


def test_map_can_be_zoomed_and_brought_back(open_page: OpenPage) -> None:
    page = open_page("/")
    scale = page.locator(".leaflet-control-scale-line")
    expect(page.locator("#poles > li")).to_have_count(ALL)
    whole = scale.inner_text()
    page.mouse.move(900, 520)
    page.mouse.wheel(0, -250)
    expect(scale).not_to_have_text(whole)
    expect(page.locator(".leaflet-zoom-anim")).to_have_count(0)
    page.click(".fit-control")
    expect(scale).to_have_text(whole)


def test_keyboard_reaches_every_pole(open_page: OpenPage) -> None:
    page = open_page("/")
    row = page.locator("[data-code=TG-0001]")
    row.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-code=TG-0002]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#card h2")).to_have_text("TG-0002")
    page.locator("#card .card-link").focus()
    page.keyboard.press("Escape")
    expect(page.locator("#card")).to_be_hidden()
    expect(page.locator("[data-code=TG-0002]")).to_be_focused()


def test_open_incidents_are_listed_and_lead_to_their_pole(open_page: OpenPage) -> None:
    page = open_page("/")
    expect(page.locator("#incident-count")).to_have_text(str(len(DARK) + 1))
    expect(page.locator("#incidents")).to_contain_text("Đèn không sáng")
    page.click(f"#incidents >> text={SILENT.lower()}")
    expect(page.locator("#card h2")).to_have_text(SILENT)
    expect(page.locator("#card")).to_contain_text("1 sự cố đang mở")
    page.click("#card .card-link")
    expect(page.locator("#incidents")).to_contain_text("Mất liên lạc với nút")


def test_money_adds_up_to_the_communes_total(open_page: OpenPage) -> None:
    page = open_page("/")
    expect(page.locator("#money-received")).to_have_text("497.130.000 đ")
    received, spent, balance = (_vnd(page, f"#money-{part}") for part in ("received", "spent", "balance"))
    assert received - spent == balance
    page.click("text=Xem từng cột")
    expect(page.locator("tr.total")).to_contain_text("497.130.000 đ")
    expect(page.locator("tbody tr")).to_have_count(ALL + 1)


def test_english_pages_write_numbers_the_english_way(open_page: OpenPage) -> None:
    page = open_page("/?lang=en")
    expect(page.locator("#money-received")).to_have_text("497,130,000 đ")
    page.click("text=Pole by pole")
    expect(page.locator("tr.total")).to_contain_text("497,130,000 đ")


def test_messages_set_aside_are_counted_and_shown_with_their_reason(
    open_page: OpenPage, commune: Village
) -> None:
    commune.garbage("TG-0010", b'{"v": 1, "node":')
    page = open_page("/")
    expect(page.locator("#reject-count")).to_have_text("1 tin để riêng vì không đọc được")
    page.click("#reject-count")
    expect(page.locator("#newest tbody tr")).to_have_count(1)
    expect(page.locator("#newest tbody tr")).to_contain_text("tg-0010")
    expect(page.locator("#newest tbody tr")).to_contain_text("không phải JSON")


def test_language_switch_is_remembered(open_page: OpenPage) -> None:
    page = open_page("/")
    page.click(".menu-account summary")
    page.click("text=English")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator(f"[data-code={DARK[0]}] .row-state")).to_have_text("Not lit")
    page.click("nav >> text=Money")
    expect(page.locator("h1")).to_have_text("Residents' contributions")
    page.click(".menu-account summary")
    page.click("text=Tiếng Việt")
    expect(page.locator("h1")).to_have_text("Kinh phí xã hội hóa")


def test_theme_switch_is_remembered(open_page: OpenPage) -> None:
    page = open_page("/")
    expect(page.locator("html")).to_have_attribute("data-theme", "night")
    page.click(".menu-account summary")
    page.click("#theme")
    expect(page.locator("html")).to_have_attribute("data-theme", "day")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "day")
    expect(page.locator("#theme")).to_have_text("Nền tối")


@pytest.mark.parametrize("path", ["/", "/poles/TG-0001", "/login"])
def test_touch_targets_are_large_enough(open_page: OpenPage, path: str) -> None:
    page = open_page(path, size=PHONE, user=None if path == "/login" else "canbo")
    page.wait_for_load_state("load")
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, input, summary, .button, .levels label')]
            .filter((each) => each.checkVisibility() && each.getBoundingClientRect().height < 43.5)
            .map((each) => each.outerHTML.slice(0, 80))"""
    )
    assert small == []


def _vnd(page: Page, selector: str) -> int:
    text = page.locator(selector).inner_text()
    return int(text.removesuffix(" đ").replace(".", ""))
