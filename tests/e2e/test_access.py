"""Signing in and out, the one-time link, and who may see what."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from hub.access.store import new_first_login
from tests.e2e.conftest import STAFF_PASSWORD, OpenPage
from tests.e2e.village import Village
from tests.e2e.watch import Watch

pytestmark = pytest.mark.servers


def test_sign_in_leads_to_the_page_that_was_asked_for(open_page: OpenPage, watch: Watch) -> None:
    watch.allow("401")
    page = open_page("/poles/TG-0003", user=None)
    expect(page).to_have_url(re.compile(r"/login\?next=%2Fpoles%2FTG-0003$"))
    page.fill("[name=name]", "canbo")
    page.fill("[name=password]", "sai-mat-khau")
    page.click("#login-form button")
    expect(page.locator("#login-form [role=status]")).to_have_text(
        "Tên đăng nhập hoặc mật khẩu không đúng."
    )
    page.fill("[name=password]", STAFF_PASSWORD)
    page.click("#login-form button")
    expect(page.locator("h1")).to_have_text("TG-0003")


@pytest.mark.parametrize("next_page", ["https://example.org/", "//example.org/", "/\\example.org"])
def test_sign_in_never_leads_elsewhere(open_page: OpenPage, next_page: str) -> None:
    page = open_page(f"/login?next={next_page}", user=None)
    page.fill("[name=name]", "canbo")
    page.fill("[name=password]", STAFF_PASSWORD)
    page.click("#login-form button")
    expect(page.locator("h1")).to_have_text("Xã Trạm Thản")


def test_first_login_sets_a_password_that_works(
    open_page: OpenPage, commune: Village, watch: Watch
) -> None:
    watch.allow("401")
    with commune.engine.begin() as conn:
        token = new_first_login(conn, now=datetime.now(UTC))
    page = open_page(f"/first-login?token={token}", user=None)
    expect(page.locator("h1")).to_have_text("Xã Trạm Thản")
    page.click(".banner summary")
    page.fill("[name=password]", "mot-mat-khau-dai")
    page.fill("[name=again]", "mot-mat-khau-khac")
    page.click("#password-form button")
    expect(page.locator("#password-form [role=status]")).to_have_text(
        "Hai lần nhập mật khẩu không giống nhau."
    )
    page.fill("[name=again]", "mot-mat-khau-dai")
    page.click("#password-form button")
    expect(page.locator("#password-form [role=status]")).to_contain_text("Đã đặt mật khẩu")

    page.click(".menu-account summary")
    page.click("#sign-out")
    expect(page.locator("#login-form")).to_be_visible()
    page.fill("[name=name]", "admin")
    page.fill("[name=password]", "mot-mat-khau-dai")
    page.click("#login-form button")
    expect(page.locator("h1")).to_have_text("Xã Trạm Thản")
    expect(page.locator(".banner")).to_have_count(0)

    again = open_page(f"/first-login?token={token}", user=None)
    expect(again.locator("main")).to_contain_text("Liên kết này đã được dùng")


@pytest.mark.parametrize("path", ["/", "/rejects", "/funding", "/poles/TG-0001"])
def test_pages_for_staff_ask_to_sign_in(open_page: OpenPage, path: str) -> None:
    page = open_page(path, user=None)
    expect(page.locator("#login-form")).to_be_visible()
