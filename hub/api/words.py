"""The names of incidents and of what nodes tell, as people read them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

TITLES: dict[str, tuple[str, str]] = {
    "communication_failure": ("Mất liên lạc với nút", "Node does not answer"),
    "feeder_outage": ("Cả tuyến mất điện", "Feeder has no supply"),
    "backhaul_outage": ("Cả tuyến mất liên lạc", "A whole feeder lost its link"),
    "hub_blind": ("Trung tâm không nhận được tin", "The hub heard nothing"),
    "clock_unsynced": ("Đồng hồ của nút chưa đúng giờ", "Node's clock is not set"),
    # lamp, meter, board
    "lamp_failure": ("Đèn không sáng", "Lamp does not light"),
    "lamp_unexpected_on": ("Đèn sáng sai giờ", "Lamp burns when it should be off"),
    "cycling_failure": ("Đèn chập chờn: tắt rồi lại sáng", "Lamp goes out and on again"),
    "lamp_power_too_low": ("Đèn yếu hơn bình thường", "Lamp draws less power than it should"),
    "lamp_power_too_high": ("Đèn tốn điện hơn bình thường", "Lamp draws more power than it should"),
    "lamp_output_lost": ("Không điều khiển được đầu ra của đèn", "Lamp output does not obey"),
    "lamp_output_back": ("Điều khiển được đầu ra của đèn trở lại", "Lamp output obeys again"),
    "relay_failure": ("Rơ-le không đóng cắt được đèn", "Relay does not switch the lamp"),
    "power_factor_too_low": ("Hệ số công suất quá thấp", "Power factor too low"),
    "supply_voltage_too_low": ("Điện áp quá thấp", "Supply voltage too low"),
    "supply_voltage_too_high": ("Điện áp quá cao", "Supply voltage too high"),
    "power_tapping": ("Có thể bị câu trộm điện", "Somebody may be tapping the line"),
    "meter_stale": ("Công tơ không trả lời", "Meter does not answer"),
    "board_silent": ("Bo mạch đèn không trả lời", "Lamp board does not answer"),
    "board_fault": ("Bo mạch đèn báo lỗi", "Lamp board tells of a fault"),
    "motion_sensor_stuck": ("Cảm biến chuyển động bị kẹt", "Motion sensor is stuck"),
    "board_found": ("Đã tìm thấy bo mạch đèn", "Lamp board was found"),
    # node and cabinet
    "feeder_loss": ("Hao hụt điện trên tuyến", "Power is lost along the feeder"),
    "phase_open": ("Tuyến mất một pha", "A phase of the feeder is missing"),
    "supply_loss": ("Mất điện lưới", "Mains supply lost"),
    "cabinet_door_open": ("Cửa tủ điện đang mở", "Cabinet door is open"),
    "high_temperature": ("Tủ điện quá nóng", "Cabinet is too hot"),
    "serial_line_lost": ("Mất đường truyền nối tiếp trong tủ", "Serial line is gone"),
    "device_reset": ("Nút đã khởi động lại", "Node has restarted"),
    "maintenance_mode": ("Bảo trì tại cột", "Maintenance at the pole"),
    "config_refused": ("Nút không nhận cấu hình mới", "Node refused its new configuration"),
    # cameras
    "camera_offline": ("Camera không trả lời", "Camera does not answer"),
    "camera_stream_lost": ("Camera không truyền hình", "Camera sends no stream"),
    "camera_frozen": ("Hình camera bị đứng", "Camera picture is frozen"),
    "camera_dark": ("Hình camera tối đen", "Camera picture is dark"),
    "camera_covered": ("Ống kính camera bị che", "Camera lens is covered"),
    "camera_defocused": ("Hình camera bị mờ", "Camera picture is out of focus"),
    "camera_moved": ("Camera bị xoay lệch hướng", "Camera looks elsewhere than before"),
    "camera_clock_drift": ("Đồng hồ camera chạy sai", "Camera clock is wrong"),
    "camera_power_cycled": ("Đã tắt bật lại nguồn camera", "Camera was switched off and on"),
    "recording_gap": ("Camera ngừng ghi hình", "Camera has stopped recording"),
    # outbox, clock, link
    "outbox_damaged": (
        "Kho tin ở nút bị hỏng, đã lập kho mới",
        "Node's store was damaged; a new one begins",
    ),
    "outbox_in_memory": (
        "Thẻ nhớ không ghi được, tin giữ tạm trong bộ nhớ",
        "Disk takes no writes; kept in memory",
    ),
    "outbox_on_disk": ("Thẻ nhớ ghi được trở lại", "Disk takes writes again"),
    "outbox_overflow": ("Kho tin đầy, bỏ bớt số đo cũ nhất", "Store full: oldest samples made room"),
    "clock_corrected": ("Đồng hồ của nút đã được chỉnh đúng", "Node's clock was set right"),
    "link_stalled": ("Đường truyền bị nghẽn", "Link is up but nothing passes"),
    "modem_reset": ("Đã khởi động lại modem", "Modem was reset"),
    "node_reboot": ("Nút tự khởi động lại máy", "Node reboots itself"),
    # the agent's own update
    "agent_update_started": ("Bắt đầu cập nhật phần mềm nút", "Agent update begins"),
    "agent_updated": ("Phần mềm nút đã cập nhật", "Agent was updated"),
    "agent_rolled_back": ("Phần mềm nút trở lại bản trước", "Agent went back to its former release"),
}
"""Kind to its title in Vietnamese and English; contract tests hold it whole."""


def incident_title(kind: str) -> tuple[str, str]:
    """Vietnamese and English title; the kind itself where a newer peer tells one not known here."""
    return TITLES.get(kind, (kind, kind.replace("_", " ")))


_VIETNAM = timezone(timedelta(hours=7))


def local_moment(at: datetime) -> str:
    """An aware time as `21/11/2026 20:31` in Vietnam, for sentences of the API."""
    return f"{at.astimezone(_VIETNAM):%d/%m/%Y %H:%M}"
