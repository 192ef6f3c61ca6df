"""The page of notices: an administrator tries a channel, makes a route, sees what was sent, adds a webhook."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect

from hub.access.model import Role
from hub.access.store import add_user
from hub.notify import routing
from hub.notify.model import Outcome
from tests.e2e.conftest import DESK, PHONE, OpenPage
from tests.e2e.village import Village
from tests.e2e.watch import Watch
from tests.e2e.web_server import WebServer
from tests.support.notices import Desk

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key behind webhooks' secrets."""
    path = tmp_path_factory.mktemp("keys") / "webhook.key"
    path.write_text("ef" * 32)
    path.chmod(0o600)
    return path


@pytest.fixture(scope="module")
def server(commune: Village, key_file: Path) -> Iterator[WebServer]:
    """The web server, with that key."""
    found = WebServer(commune.database_url, commune.telemetry_url, webhook_key_file=key_file)
    found.start()
    yield found
    found.stop()


def turn(desk: Desk) -> None:
    """A turn of the notifier, at the web server's own time."""
    desk.clock.now = datetime.now(UTC)
    desk.turn()


@pytest.fixture(scope="module")
def desk(commune: Village) -> Desk:
    """A notifier with three channels; what happened before it came is nobody's news."""
    with commune.engine.begin() as conn:
        add_user(conn, "quantri", Role.ADMIN, hashed="x", now=datetime.now(UTC))
    made = Desk(commune.engine)
    turn(made)
    return made


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_a_route_is_made_and_what_it_sends_is_seen(
    open_page: OpenPage, desk: Desk, size: dict[str, int]
) -> None:
    name = f"Trực xã {size['width']}"
    page = open_page("/notices", user="quantri", size=size)
    expect(page.locator("#notifier")).to_have_text("Bộ gửi tin đang chạy.")
    expect(page.locator("#channels > li")).to_have_count(3)
    page.click("#route-fold > summary")
    page.fill("#route-form [name=name]", name)
    page.check("#route-channels [value=truc]")
    page.select_option("#route-form [name=group]", "Tổ liên gia số 1")
    page.fill("#route-form [name=quiet_from]", "22:00")
    page.fill("#route-form [name=quiet_until]", "05:30")
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    page.click("#route-form [type=submit]")
    expect(page.locator("#route-note")).to_have_text(f"Đã lưu tuyến “{name}”.")
    made = page.locator("#routes > li", has_text=name)
    expect(made).to_contain_text("Gửi tới truc · Tổ liên gia số 1")
    expect(made).to_contain_text("yên tĩnh 22:00–05:30")

    page.locator("#channels > li", has_text="truc").get_by_role("button").click()
    waiting = page.locator("#sent > li.is-waiting")
    expect(waiting).to_have_count(1)
    turn(desk)
    expect(waiting).to_have_count(0)
    expect(page.locator("#sent > li").first).to_contain_text("Đã gửi · truc")

    made.get_by_role("button", name="Sửa").click()
    expect(page.locator("#route-form [name=group]")).to_have_value("Tổ liên gia số 1")
    page.fill("#route-form [name=digest_at]", "07:00")
    page.click("#route-form [type=submit]")
    expect(page.locator("#routes > li", has_text=name)).to_contain_text("bản tin lúc 07:00")
    page.locator("#routes > li", has_text=name).get_by_role("button", name="Xóa").click()
    page.get_by_role("dialog").get_by_role("button", name="Đồng ý").click()
    expect(page.locator("#routes > li", has_text=name)).to_have_count(0)


def test_what_makes_no_sense_is_said_where_it_was_typed(
    open_page: OpenPage, desk: Desk, watch: Watch
) -> None:
    watch.allow("422")
    page = open_page("/notices", user="quantri")
    page.click("#route-fold > summary")
    page.fill("#route-form [name=name]", "Nửa giờ yên tĩnh")
    page.check("#route-channels [value=truc]")
    page.fill("#route-form [name=quiet_from]", "22:00")
    page.click("#route-form [type=submit]")
    expect(page.locator("#route-note")).to_have_text("Giờ yên tĩnh cần cả giờ bắt đầu và giờ kết thúc.")


def test_a_failure_is_shown_with_its_reason_and_tried_again(open_page: OpenPage, desk: Desk) -> None:
    desk.lists["to-1"]._answers = [Outcome("permanent", "SMTP 550 no such user")]
    made = desk.route(name="Tổ 1", channels=("to-1",))
    desk.opens(7, kind="camera_covered", originator="CAM-LOI")
    turn(desk)
    page = open_page("/notices", user="quantri")
    failed = page.locator("#sent > li.is-failed")
    expect(failed).to_contain_text("Ống kính camera bị che: cột TG-0007")
    expect(failed).to_contain_text("SMTP 550 no such user")
    failed.get_by_role("button", name="Gửi lại").click()
    expect(page.locator("#sent > li.is-waiting")).to_have_count(1)
    turn(desk)
    expect(page.locator("#sent > li.is-waiting, #sent > li.is-failed")).to_have_count(0)
    assert desk.subjects("to-1") == ["Ống kính camera bị che: cột TG-0007"]
    with desk.engine.begin() as conn:
        routing.remove(conn, made.id)


def test_a_webhooks_secret_is_shown_once(open_page: OpenPage, desk: Desk) -> None:
    page = open_page("/notices", user="quantri")
    page.click("text=Thêm webhook")
    page.fill("#webhook-form [name=url]", "https://example.vn/hook")
    page.click("#webhook-form [type=submit]")
    expect(page.locator("#secret code")).to_contain_text("whsec_")
    hook = page.locator("#webhooks > li", has_text="https://example.vn/hook")
    first = page.locator("#secret code").inner_text()
    hook.get_by_role("button", name="Đổi khóa").click()
    page.get_by_role("dialog").get_by_role("button", name="Đồng ý").click()
    expect(page.locator("#secret code")).not_to_have_text(first)
    expect(hook).to_contain_text("Khóa cũ còn dùng được đến")
    page.reload()
    expect(page.locator("#webhooks > li")).to_have_count(1)
    expect(page.locator("#secret")).to_be_hidden()


def test_only_administrators_find_the_page(open_page: OpenPage, desk: Desk, watch: Watch) -> None:
    watch.allow("403")
    page = open_page("/", user="canbo")
    expect(page.locator("#menu a[href='/notices']")).to_have_count(0)
    refused = open_page("/notices", user="canbo")
    expect(refused.locator("main")).to_contain_text("Tài khoản của bạn không xem được trang này.")
