"""A command for many in a real browser: who is reached, how far it is, who is not done and why."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from protocol import Command, Kind, decode
from tests.e2e.conftest import DESK, PHONE, OpenPage
from tests.e2e.village import SILENT, Village
from tests.support.servers import wait_until


def _hamlet(commune: Village) -> tuple[str, list[str]]:
    """The hamlet of the pole whose node is silent, and all its poles."""
    name = commune.sites[SILENT].hamlet
    return name, sorted(code for code, site in commune.sites.items() if site.hamlet == name)


def _sent(commune: Village, action: str) -> dict[str, Command]:
    """What the hub handed to the broker, by pole."""
    found = [
        decode(Kind.COMMAND, one.payload)
        for one in commune.link.published
        if one.topic.endswith("/command")
    ]
    return {one.pole: one for one in found if isinstance(one, Command) and one.action == action}


def _go_out(commune: Village, action: str, count: int) -> dict[str, Command]:
    def gone() -> bool:
        commune.commit()
        return len(_sent(commune, action)) >= count

    wait_until(gone, what=f"{count} commands {action} to go out")
    return _sent(commune, action)


def _fill(page: Page, hamlet: str, why: str) -> None:
    page.select_option("[name=where]", f"hamlet|{hamlet}")
    page.fill("[name=why]", why)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_a_hamlet_is_lit_followed_to_the_last_pole_and_taken_back(
    open_page: OpenPage, commune: Village, size: dict[str, int]
) -> None:
    hamlet, codes = _hamlet(commune)
    commune.link.published.clear()
    page = open_page("/commands", size=size)
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    _fill(page, hamlet, "tìm cháu bé đi lạc")
    page.click("#many-send")
    dialog = page.locator("dialog.confirm")
    expect(dialog).to_contain_text(f"{len(codes)} cột, {len(codes) - 1} cột đang trực tuyến")
    expect(dialog).to_contain_text(
        f"1 cột đang mất liên lạc chỉ nhận lệnh nếu trở lại trong 15 phút: {SILENT}"
    )
    dialog.get_by_text("Đồng ý").click()

    card = page.locator(".batch").first
    expect(card).to_contain_text("tìm cháu bé đi lạc")
    expect(card).to_contain_text(f"0 trên {len(codes)} đã thực hiện")
    out = _go_out(commune, "lamp_override", len(codes))
    assert sorted(out) == codes
    first, refuses, *rest = [code for code in codes if code != SILENT]
    for code in (first, *rest):
        commune.receipt(out[code], "accepted", level=None, power_w=None)
        commune.receipt(out[code], "applied", level=1.0, power_w=58.0)
    commune.receipt(
        out[refuses], "rejected", level=None, power_w=None, reason="override_too_long: at most 8 h"
    )
    expect(card).to_contain_text(f"{len(codes) - 2} trên {len(codes)} đã thực hiện · đang thực hiện")
    expect(card.locator(".batch-list")).to_contain_text("Cột từ chối: dài hơn mức nút cho phép")
    waiting = card.locator(".batch-pole", has_text=SILENT)
    expect(waiting).to_contain_text("Đã gửi, chờ cột nhận")
    expect(card.locator(".batch-pole")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]

    card.get_by_text("Thu hồi lệnh").click()
    page.locator("dialog.confirm").get_by_text("Đồng ý").click()
    expect(page.locator(".batch")).to_have_count(2 * (1 if size is PHONE else 2))
    expect(page.locator(".batch").first).to_contain_text("trả về như cũ sau khi thu hồi")
    back = _go_out(commune, "lamp_auto", len(codes) - 1)
    assert sorted(back) == sorted(code for code in codes if code != refuses)
    expect(page.locator(".batch", has_text="canbo thu hồi lúc").first).to_contain_text("1 đã thu hồi")


def test_codes_typed_by_hand_and_a_pole_that_does_not_exist(open_page: OpenPage, commune: Village) -> None:
    page = open_page("/commands", size=PHONE)
    page.select_option("[name=where]", "poles")
    page.check("[value=lamp_auto]")
    page.fill("[name=why]", "thử")
    page.click("#many-send")
    expect(page.locator("#many-note")).to_have_text("Hãy ghi mã ít nhất một cột.")
    page.fill("[name=codes]", "tg-0001, TG-9999")
    page.click("#many-send")
    dialog = page.locator("dialog.confirm")
    expect(dialog).to_contain_text("1 cột, 1 cột đang trực tuyến.")
    expect(dialog).to_contain_text("TG-9999 (không có cột mang mã này)")
    dialog.get_by_text("Thôi").click()
    with commune.engine.connect() as conn:
        asked = conn.exec_driver_sql(
            "SELECT COUNT(*) FROM command_batch WHERE scope_kind = 'poles'"
        ).scalar()
    assert asked == 0


def test_a_viewer_sees_how_far_it_is_and_no_form(open_page: OpenPage) -> None:
    page = open_page("/commands", user="nguoixem")
    expect(page.locator(".batch").first).to_be_visible()
    expect(page.locator("#many-form")).to_have_count(0)
    expect(page.get_by_text("Thu hồi lệnh").first).to_be_hidden()
