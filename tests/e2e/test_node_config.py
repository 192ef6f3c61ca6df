"""The node's configuration on the pole's page: wished, pending, refused, in force, for one node or for many."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from hub.nodeconfig.facts import facts_of
from hub.nodeconfig.model import NodeProfile
from hub.nodeconfig.store import desired, wish
from protocol import Config
from tests.e2e.conftest import DESK, PHONE, OpenPage
from tests.e2e.village import Village
from tests.e2e.watch import Watch
from tests.support.servers import wait_until

pytestmark = pytest.mark.servers


@pytest.mark.parametrize(("code", "size"), [("TG-0010", PHONE), ("TG-0011", DESK)], ids=["phone", "desk"])
def test_a_dimming_profile_is_wished_refused_and_comes_into_force(
    open_page: OpenPage, commune: Village, code: str, size: dict[str, int]
) -> None:
    page = open_page(f"/poles/{code}", size=size)
    standing = page.locator("#config-standing")
    expect(standing).to_have_text("Chưa đặt từ trung tâm: nút chạy theo tệp của chính nó.")
    page.click("text=Sửa cấu hình")
    page.fill("[name=dusk_offset_min]", "-10")
    _add_step(page, "22:30", "50")
    _add_step(page, "04:30", "100")
    page.check("[name=motion]")
    page.fill("[name=motion_level]", "100")
    page.fill("[name=report_interval_s]", "300")
    page.fill("[name=why]", "tiết kiệm điện sau nửa đêm")
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    page.click("text=Lưu cấu hình")
    expect(page.locator("#config-note")).to_have_text("Đã lưu bản 1.")
    expect(standing).to_have_text("Bản 1 đang chờ nút nhận; nút đang chạy theo tệp của chính nó.")

    config = _sent(commune, code)
    (pole,) = config.poles
    assert (pole.dusk_offset_min, pole.motion_level, config.report_interval_s) == (-10, 1, 300)
    assert [(step.at, step.level) for step in pole.dimming] == [("22:30", 0.5), ("04:30", 1.0)]

    commune.event(code, "config_refused", detail={"reason": "pole is not served by this node"})
    expect(standing).to_contain_text("Nút không nhận cấu hình")
    expect(page.locator("#config-refusal")).to_contain_text("pole is not served by this node")

    commune.runs(code, 1)
    expect(standing).to_have_text("Nút đang chạy đúng bản 1.")
    expect(page.locator("#config-refusal")).to_be_hidden()
    profile = page.locator("#config-profile")
    expect(profile).to_contain_text("10 phút trước khi mặt trời lặn")
    expect(profile).to_contain_text("từ 22:30: 50 %; từ 04:30: 100 %")
    expect(profile).to_contain_text("sáng 100 % trong 2 phút")
    expect(profile).to_contain_text("mỗi 5 phút")
    page.click("text=Các bản trước")
    expect(page.locator("#config-versions")).to_contain_text("canbo đặt lúc")
    expect(page.locator("#config-versions")).to_contain_text("tiết kiệm điện sau nửa đêm")


def test_what_the_hub_refuses_is_told_in_the_words_of_the_form(open_page: OpenPage, watch: Watch) -> None:
    watch.allow("422")
    page = open_page("/poles/TG-0012")
    page.click("text=Sửa cấu hình")
    _add_step(page, "23:00", "50")
    _add_step(page, "22:00", "70")
    page.fill("[name=why]", "thử")
    page.click("text=Lưu cấu hình")
    expect(page.locator("#config-note")).to_contain_text("theo thứ tự trong đêm")


def test_a_whole_hamlet_is_asked_for_twice_and_set_at_once(open_page: OpenPage, commune: Village) -> None:
    page = open_page("/poles/TG-0013")
    hamlet = page.locator("#pole").get_attribute("data-hamlet")
    page.click("text=Sửa cấu hình")
    page.select_option("[name=scope]", "hamlet")
    page.fill("[name=heartbeat_s]", "600")
    page.fill("[name=why]", "mạng tính tiền theo dung lượng")
    page.click("text=Lưu cấu hình")
    dialog = page.locator("dialog.confirm")
    expect(dialog).to_contain_text(str(hamlet))
    dialog.get_by_text("Thôi").click()
    expect(dialog).to_have_count(0)
    with commune.engine.connect() as conn:
        assert desired(conn, commune.sites["TG-0013"].node) is None

    page.click("text=Lưu cấu hình")
    dialog.get_by_text("Đồng ý").click()
    inside = [site for site in commune.sites.values() if site.hamlet == hamlet]
    expect(page.locator("#config-note")).to_contain_text("Đã đặt cho")
    with commune.engine.connect() as conn:
        wished = [desired(conn, site.node) for site in inside]
    assert len(wished) > 5
    assert {one.profile.heartbeat_s for one in wished if one is not None} == {600}
    assert None not in wished


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_nodes_that_do_not_follow_stand_first(
    open_page: OpenPage, commune: Village, size: dict[str, int]
) -> None:
    node = commune.sites["TG-0020"].node
    with commune.engine.begin() as conn:
        facts = facts_of(conn, node)
        wish(conn, node, NodeProfile(), facts, by="canbo", why="thử", now=commune.now())
    commune.event("TG-0020", "config_refused", detail={"reason": "the clock has stopped"})
    page = open_page("/nodes", size=size)
    first = page.locator("tbody tr").first
    expect(first).to_contain_text(node)
    expect(first).to_contain_text("the clock has stopped")
    expect(page.locator("tbody tr")).to_have_count(len(commune.sites))
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]


def test_a_viewer_reads_the_configuration_and_sees_no_form(open_page: OpenPage) -> None:
    page = open_page("/poles/TG-0014", user="nguoixem")
    expect(page.locator("#config-standing")).not_to_have_text("…")
    expect(page.locator("#config-form")).to_have_count(0)
    expect(page.locator("#maintenance")).to_have_count(0)


def _add_step(page: Page, at: str, level: str) -> None:
    page.click("text=Thêm mốc giờ")
    row = page.locator("#config-steps li").last
    row.locator("input[type=time]").fill(at)
    row.locator("input[type=number]").fill(level)


def _sent(commune: Village, code: str) -> Config:
    def handed_over() -> bool:
        commune.commit()
        return commune.sent_config(code) is not None

    wait_until(handed_over, what=f"the hub to send the configuration of {code}'s node")
    found = commune.sent_config(code)
    assert found is not None
    return found
