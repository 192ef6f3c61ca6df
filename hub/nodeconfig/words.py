"""The fields of a node's configuration as Vietnamese staff read them in an error."""

from __future__ import annotations

FIELDS_VI = {
    "sample_interval_s": "khoảng cách giữa hai lần đo (giây)",
    "report_interval_s": "thời gian gom tin (giây)",
    "heartbeat_s": "nhịp báo còn sống (giây)",
    "dusk_offset_min": "số phút lệch lúc mặt trời lặn",
    "dawn_offset_min": "số phút lệch lúc mặt trời mọc",
    "dimming": "mốc giờ và mức sáng trong đêm",
    "motion_level": "mức sáng khi có người",
    "motion_hold_s": "thời gian giữ sáng khi có người (giây)",
    "power_tolerance_share": "độ lệch công suất cho phép",
    "latitude": "vĩ độ",
    "longitude": "kinh độ",
    "lamp_rated_w": "công suất danh định của đèn (W)",
    "agent": "bản phần mềm của nút",
    "poles": "danh sách cột",
}
