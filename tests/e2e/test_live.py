"""What changes in the database appears on open pages by itself, and a broken line is told."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.village import Village
from tests.e2e.watch import Watch
from tests.e2e.web_server import WebServer

pytestmark = pytest.mark.servers


def test_a_lamp_that_goes_dark_shows_without_reload_and_touches_no_other_row(
    open_page: OpenPage, commune: Village
) -> None:
    page = open_page("/")
    row = page.locator("[data-code=TG-0150]")
    expect(row.locator(".row-state")).to_have_text("Đang sáng")
    expect(page.locator("#connection")).to_contain_text("trực tiếp")
    page.evaluate(
        """() => {
          window.touched = new Set();
          new MutationObserver((news) => news.forEach(({ target }) => {
            const row = (target.nodeType === 1 ? target : target.parentElement).closest('[data-code]');
            if (row) window.touched.add(row.dataset.code);
          })).observe(document.querySelector('#poles'),
            { subtree: true, childList: true, characterData: true, attributes: true });
        }"""
    )
    commune.samples("TG-0150", power_w=0.4)
    expect(row.locator(".row-state")).to_have_text("Không sáng")
    expect(page.locator("#legend [data-state=dark] .legend-count")).to_have_text("4")
    assert page.evaluate("[...window.touched]") == ["TG-0150"]

    commune.samples("TG-0150")
    expect(row.locator(".row-state")).to_have_text("Đang sáng")


def test_open_card_follows_its_pole(open_page: OpenPage, commune: Village) -> None:
    page = open_page("/")
    # Until all of the first answer is drawn, what stands above the list still moves it under the pointer.
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    page.evaluate("document.fonts.ready")
    page.click("[data-code=TG-0141]")
    expect(page.locator("#card")).to_contain_text("Đang sáng")
    commune.samples("TG-0141", level=0.0, power_w=0.2)
    expect(page.locator("#card")).to_contain_text("Đang tắt")


def test_lost_connection_is_told_and_caught_up(
    open_page: OpenPage, commune: Village, server: WebServer, watch: Watch
) -> None:
    watch.allow("ERR_")
    page = open_page("/")
    connection = page.locator("#connection")
    expect(connection).to_have_attribute("data-state", "live")
    server.stop()
    expect(connection).to_have_text("mất kết nối — đang thử lại")
    commune.samples("TG-0142", power_w=0.3)
    server.start()
    expect(connection).to_have_text("trực tiếp", timeout=30_000)
    expect(page.locator("[data-code=TG-0142] .row-state")).to_have_text("Không sáng")


def test_news_moves_nothing_under_a_button_that_is_pressed(open_page: OpenPage, commune: Village) -> None:
    other, page = open_page("/"), open_page("/")
    for each in (other, page):
        expect(each.locator("#connection")).to_have_attribute("data-state", "live")
        each.evaluate("document.fonts.ready")
    row = page.locator("#incidents .incident").first
    pole = row.locator(".incident-where").inner_text()
    count = int(page.locator("#incident-count").inner_text())
    row.hover()
    page.mouse.down()
    commune.event("TG-0161", "relay_failure", pole="TG-0161", active=True)
    expect(other.locator("#incident-count")).to_have_text(str(count + 1))
    page.wait_for_timeout(300)
    expect(page.locator("#incident-count")).to_have_text(str(count))
    page.mouse.up()
    expect(page.locator("#card h2")).to_have_text(pole)
    expect(page.locator("#incident-count")).to_have_text(str(count + 1))


def test_news_leaves_the_focus_on_the_incident_that_had_it(open_page: OpenPage, commune: Village) -> None:
    page = open_page("/")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    row = page.locator("#incidents .incident-row").first
    key, count = row.get_attribute("data-key"), int(page.locator("#incident-count").inner_text())
    row.locator(".incident").focus()
    commune.event("TG-0162", "relay_failure", pole="TG-0162", active=True)
    expect(page.locator("#incident-count")).to_have_text(str(count + 1))
    expect(page.locator(f"#incidents [data-key='{key}'] .incident")).to_be_focused()
