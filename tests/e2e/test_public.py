"""`/p/<code>`: for anyone, small, without scripts, without names."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Response, expect

from tests.e2e.conftest import PHONE, OpenPage
from tests.e2e.village import DARK, Village
from tests.e2e.watch import Watch
from tests.e2e.web_server import WebServer

pytestmark = pytest.mark.servers

LIMIT_BYTES = 30_000


def test_public_page_needs_neither_login_nor_script(open_page: OpenPage) -> None:
    page = open_page(f"/p/{DARK[0]}", user=None, size=PHONE, javascript=False)
    expect(page.locator("h1")).to_have_text(f"Cột đèn {DARK[0]}")
    expect(page.locator(".state-word")).to_contain_text("Không sáng")
    for word in ("Cần", "Đã nhận", "Đã chi", "Còn lại"):
        amount = page.locator("dl > div").filter(has_text=word).locator("dd").first
        expect(amount).to_have_text(re.compile(r"^[\d.]+ đ$"))
    expect(page.locator("main")).to_contain_text("Báo đèn hỏng")
    assert _fits(page)


def test_public_page_weighs_at_most_30_kb(open_page: OpenPage, server: WebServer) -> None:
    page = open_page("/login", user=None, size=PHONE, javascript=False)
    weights: dict[str, int] = {}

    def weigh(response: Response) -> None:
        weights[response.url] = len(response.body())

    page.on("response", weigh)
    page.goto(f"{server.url}/p/TG-0001", wait_until="networkidle")
    assert len(weights) >= 2
    assert sum(weights.values()) <= LIMIT_BYTES, weights  # before compression


def test_public_page_sets_no_cookie_and_runs_no_script(open_page: OpenPage) -> None:
    page = open_page("/p/TG-0001", user=None)
    assert page.context.cookies() == []
    expect(page.locator("script")).to_have_count(0)


def test_code_is_found_as_people_type_it(open_page: OpenPage, commune: Village) -> None:
    page = open_page("/p/tg-0002", user=None)
    expect(page.locator("h1")).to_have_text("Cột đèn TG-0002")
    page.click("text=English")
    expect(page.locator("h1")).to_have_text("Light pole TG-0002")


def test_unknown_code_is_told_kindly(open_page: OpenPage, watch: Watch) -> None:
    watch.allow("404")
    page = open_page("/p/XX-1", user=None)
    expect(page.locator("main")).to_contain_text("Không có cột nào mang mã XX-1")


def _fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth") == PHONE["width"])
