"""From the form on the page to the lamp and back: real broker, real hub, real agents behind a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import DESK
from tests.e2e.watch import Watch
from tests.support.stack import running

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

PATIENCE_MS = 60_000
"""A dozen agents, three servers and a browser share the machine."""


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """A page of a freshly started commune of twelve poles, signed in as its first administrator."""
    with running(tmp_path / "data", "--scenario", "one-road", "--sample-interval", "2") as stack:
        facts = stack.facts()
        context = browser.new_context(viewport={"width": DESK["width"], "height": DESK["height"]})
        context.set_default_timeout(PATIENCE_MS)
        watch, opened = Watch(), context.new_page()
        watch.over(opened, facts["address"])
        opened.goto(Path(facts["first_login_file"]).read_text(encoding="utf-8").strip())
        opened.goto(f"{facts['address']}/poles/TT-0003", wait_until="domcontentloaded")
        yield opened
        context.close()
        watch.check()


def test_a_dimming_profile_comes_into_force_on_a_real_node(page: Page) -> None:
    expect(page.locator("#effect")).to_have_text("Bật 100 %", timeout=PATIENCE_MS)
    page.click("text=Sửa cấu hình")
    page.click("text=Thêm mốc giờ")
    # A night runs from noon to noon, so this step holds at whatever hour the test runs.
    page.fill("#config-steps input[type=time]", "12:00")
    page.fill("#config-steps input[type=number]", "50")
    page.fill("[name=sample_interval_s]", "1")
    page.fill("[name=why]", "thử giảm sáng")
    page.click("text=Lưu cấu hình")
    standing = page.locator("#config-standing")
    expect(standing).to_have_text("Nút đang chạy đúng bản 1.", timeout=PATIENCE_MS)
    expect(page.locator("#effect")).to_have_text("Bật 50 %", timeout=PATIENCE_MS)
    expect(page.locator("#effect-note")).to_have_text("theo mức giảm sáng trong đêm")
    expect(page.locator("#measured")).to_have_text(re.compile("^(18|19|20|21) W$"), timeout=PATIENCE_MS)

    page.click("text=Bắt đầu bảo trì")
    page.locator("dialog.confirm").get_by_text("Đồng ý").click()
    expect(page.locator("#maintenance-strip")).to_contain_text("Đang bảo trì", timeout=PATIENCE_MS)
    expect(page.locator("#effect")).to_have_text("Bật 100 %", timeout=PATIENCE_MS)
    expect(page.locator("#effect-note")).to_have_text("đang bảo trì")
