"""One pole: live state, chart, override with its receipt, money."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from hub.commands.store import commands
from protocol import Command
from tests.e2e.conftest import DESK, PHONE, OpenPage
from tests.e2e.village import Village
from tests.e2e.watch import Watch
from tests.support.servers import wait_until

pytestmark = pytest.mark.servers


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_page_shows_state_chart_and_money(
    open_page: OpenPage, commune: Village, size: dict[str, int]
) -> None:
    commune.write_last_night("TG-0001")
    page = open_page("/poles/TG-0001", size=size)
    expect(page.locator("#state-word")).to_have_text("Đang sáng")
    expect(page.locator("#commanded")).to_have_text("Tự động")
    expect(page.locator("#effect")).to_have_text("Bật 100 %")
    expect(page.locator("#effect-note")).to_have_text("theo cảm biến ánh sáng")
    expect(page.locator("#measured")).to_have_text("60 W")
    expect(page.locator("#chart canvas")).to_be_visible()
    expect(page.locator("#chart")).to_contain_text("Công suất (W)")
    expect(page.locator("#cameras li")).to_have_count(3)
    expect(page.locator("#money-received")).to_contain_text("đ")
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]


def test_override_shows_its_receipt_step_by_step(open_page: OpenPage, commune: Village) -> None:
    page = open_page("/poles/TG-0005")
    receipts = page.locator("#receipts")
    expect(receipts).to_have_attribute("aria-live", "polite")
    before = datetime.now(UTC)
    page.check("[name=level][value='0.6']")
    page.click("text=1 giờ")
    page.click("text=Gửi lệnh")
    expect(receipts).to_contain_text("Đã yêu cầu")

    command = _sent(commune, "TG-0005")
    assert command.level == 0.6
    assert command.until is not None
    assert timedelta(minutes=58) < command.until - before < timedelta(minutes=62)
    expect(receipts).to_contain_text("Đã gửi, chờ cột nhận")

    commune.receipt(command, "accepted", level=None, power_w=None)
    expect(receipts).to_contain_text("Cột đã nhận")
    commune.receipt(command, "applied", level=0.6, power_w=36.4)
    expect(receipts).to_contain_text("Đã thực hiện")
    expect(receipts).to_contain_text("mức 60 %, đo được 36 W")

    until = command.until
    commune.samples("TG-0005", level=0.6, reason="override", commanded_level=0.6, override_until=until)
    expect(page.locator("#commanded")).to_have_text("Theo lệnh")
    expect(page.locator("#effect")).to_have_text("Bật 60 %")


def test_default_end_is_two_hours_ahead_in_vietnams_time(open_page: OpenPage) -> None:
    page = open_page("/poles/TG-0006")
    shown = page.locator("#until").input_value()
    end = datetime.fromisoformat(f"{shown}+07:00")
    assert timedelta(minutes=118) < end - datetime.now(UTC) <= timedelta(hours=2)


def test_back_to_automatic_and_a_refusal(open_page: OpenPage, commune: Village) -> None:
    page = open_page("/poles/TG-0007")
    page.click("text=Trở lại tự động")
    expect(page.locator(".command-wish")).to_have_text("Trở lại tự động")
    command = _sent(commune, "TG-0007")
    assert command.action == "lamp_auto"
    commune.receipt(command, "rejected", level=None, power_w=None)
    expect(page.locator("#receipts")).to_contain_text("Cột từ chối")


def test_an_end_in_the_past_is_refused_beside_the_form(open_page: OpenPage, commune: Village) -> None:
    page = open_page("/poles/TG-0008")
    page.fill("#until", "2025-01-01T00:00")
    page.click("text=Gửi lệnh")
    expect(page.locator("#override-note")).to_have_text("Giờ kết thúc phải ở sau lúc này.")
    with commune.engine.connect() as conn:
        assert commands(conn, pole="TG-0008") == []


def test_an_end_too_far_ahead_is_refused_by_the_hub_in_plain_words(
    open_page: OpenPage, watch: Watch
) -> None:
    watch.allow("422")
    page = open_page("/poles/TG-0008")
    page.fill("#until", f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%dT%H:%M}")
    page.click("text=Gửi lệnh")
    expect(page.locator("#override-note")).to_contain_text("24 giờ")


def test_a_viewer_sees_no_form(open_page: OpenPage) -> None:
    page = open_page("/poles/TG-0009", user="nguoixem")
    expect(page.locator("#state-word")).to_have_text("Đang sáng")
    expect(page.locator("#override")).to_have_count(0)
    expect(page.locator(".control")).to_contain_text("Tài khoản của bạn chỉ được xem.")


def test_unknown_pole_is_told_kindly(open_page: OpenPage, watch: Watch) -> None:
    watch.allow("404")
    page = open_page("/poles/TG-9999")
    expect(page.locator("h1")).to_have_text("Không tìm thấy")
    expect(page.locator("main")).to_contain_text("TG-9999")


def _sent(commune: Village, code: str) -> Command:
    """Let the hub's ingest take the command from the database to the broker."""

    def handed_over() -> bool:
        commune.commit()
        return commune.sent_command(code) is not None

    wait_until(handed_over, what=f"the hub to send the command for {code}")
    commune.commit()
    found = commune.sent_command(code)
    assert found is not None
    return found
