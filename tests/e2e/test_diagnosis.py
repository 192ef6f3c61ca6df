"""What a node diagnoses, on the pole's page; maintenance and a camera's power by button, asked twice."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from protocol import (
    BatteryReading,
    CabinetReading,
    CameraReading,
    Command,
    LampCounters,
    LampReading,
    MeterReading,
)
from tests.e2e.conftest import DESK, PHONE, OpenPage
from tests.e2e.village import Village
from tests.support.servers import wait_until

pytestmark = pytest.mark.servers


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_standing_faults_and_figures_are_shown(
    open_page: OpenPage, commune: Village, size: dict[str, int]
) -> None:
    commune.tells(
        "TG-0015",
        faults=["lamp_power_too_low", "power_factor_too_low"],
        counters=LampCounters(burning_s=4_320_000, switches=140, energy_wh=72_500, supply_losses=3),
        battery=BatteryReading(battery_v=12.7, charge_share=0.8, panel_w=0),
        cabinet=CabinetReading(
            temperature_c=41, door_open=True, supply_present=True, phases=[MeterReading(power_w=812)]
        ),
    )
    commune.event("TG-0015", "device_reset")
    page = open_page("/poles/TG-0015", size=size)
    expect(page.locator("#faults")).to_contain_text("Đèn yếu hơn bình thường")
    facts = page.locator("#lamp-facts")
    for words in ("1.200 giờ", "72,5 kWh", "140 lần", "12,7 V · 80 %", "đang mở", "812 W"):
        expect(facts).to_contain_text(words)
    expect(page.locator("#node-events")).to_contain_text("Nút đã khởi động lại")
    expect(page.locator("#incidents")).to_contain_text("Hệ số công suất quá thấp")
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]

    commune.tells("TG-0015")
    expect(page.locator("#faults-block")).to_be_hidden()
    expect(page.locator("#incidents")).to_contain_text("Không có sự cố nào đang mở.")


def test_a_camera_that_shows_one_frozen_frame_is_not_called_well(
    open_page: OpenPage, commune: Village
) -> None:
    code = _camera(commune)
    said = CameraReading(
        camera=code,
        reachable=True,
        stream="live",
        picture="frozen",
        clock_offset_s=-90,
        recording_age_s=40,
        powered=True,
    )
    commune.tells("TG-0001", cameras=[said])
    page = open_page("/poles/TG-0001")
    camera = page.locator(f"[data-camera='{code}']")
    for words in ("có trục trặc", "hình bị đứng", "đồng hồ chậm 90 giây", "cách đây 40 giây"):
        expect(camera).to_contain_text(words)

    camera.get_by_text("Tắt bật lại nguồn").click()
    page.locator("dialog.confirm").get_by_text("Đồng ý").click()
    expect(page.locator("#receipts")).to_contain_text(f"Tắt bật lại nguồn camera {code}")
    command = _sent(commune, "TG-0001")
    assert (command.action, command.camera) == ("camera_cycle", code)


def test_maintenance_is_begun_shown_and_ended(open_page: OpenPage, commune: Village) -> None:
    page = open_page("/poles/TG-0016", size=PHONE)
    strip = page.locator("#maintenance-strip")
    expect(strip).to_be_hidden()
    page.click("text=Bắt đầu bảo trì")
    page.locator("dialog.confirm").get_by_text("Đồng ý").click()
    expect(page.locator("#receipts")).to_contain_text("Bảo trì đến")
    command = _sent(commune, "TG-0016")
    assert command.action == "maintenance_begin"
    commune.receipt(command, "accepted", level=None, power_w=None)
    commune.receipt(command, "applied", level=1.0, power_w=59.0)
    expect(strip).to_contain_text("Đang bảo trì tại cột này đến")
    commune.tells("TG-0016", lamp=LampReading(effect_level=1.0, reason="maintenance"))
    expect(page.locator("#effect-note")).to_have_text("đang bảo trì")

    page.click("text=Kết thúc bảo trì")
    page.locator("dialog.confirm").get_by_text("Đồng ý").click()
    ended = _sent(commune, "TG-0016", after=command)
    assert ended.action == "maintenance_end"
    commune.receipt(ended, "applied", level=1.0, power_w=59.0)
    commune.tells("TG-0016")
    expect(strip).to_be_hidden()


def _camera(commune: Village) -> str:
    return next(iter(commune.sites["TG-0001"].cameras))


def _sent(commune: Village, code: str, *, after: Command | None = None) -> Command:
    def handed_over() -> bool:
        commune.commit()
        found = commune.sent_command(code)
        return found is not None and (after is None or found.id != after.id)

    wait_until(handed_over, what=f"the hub to send the command for {code}")
    commune.commit()
    found = commune.sent_command(code)
    assert found is not None
    return found
