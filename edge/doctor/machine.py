"""The machine itself: its disk, its supply, its heat."""

from __future__ import annotations

import os
from pathlib import Path

from edge.doctor.findings import Finding, Patient, Words, fault, fine, left_out, warning

LITTLE_FREE_MB, NO_FREE_MB = 500, 100
MUCH_WRITTEN_MB = 200.0
"""A day; what an SD card of a pole is planned for."""
SECTOR_BYTES = 512
"""/proc/diskstats counts in these, whatever the device's own are."""
EARLY_S = 3600.0
"""Writes of the first hour are the start's own, and say nothing of a day."""
HOT_C, TOO_HOT_C = 70.0, 80.0
"""A Pi slows down from 80 °C."""
UNDERVOLTAGE, THROTTLED, WAS_UNDERVOLTAGE, WAS_THROTTLED = 1 << 0, 1 << 2, 1 << 16, 1 << 18
"""Bits of the firmware's `get_throttled`: raspberrypi.com, vcgencmd."""
THROTTLED_FILES = (
    "sys/devices/platform/soc/soc:firmware/get_throttled",
    "sys/devices/platform/axi/axi:firmware/get_throttled",
)
NEW_CARD = Words(
    "thay thẻ nhớ SD ở lần lên trụ tới; dữ liệu chưa gửi nằm trên thẻ này",
    "exchange the SD card at the next visit; what is not sent yet lies on this one",
)


def check_disk(patient: Patient) -> list[Finding]:
    """Room, writability, wear and the file system's own errors, where the outbox lies."""
    folder = Path(patient.config.data_dir)
    place = next(path for path in (folder, *folder.parents) if path.is_dir())
    return [_room(place), *_errors(patient), *_wear(patient, place)]


def _room(place: Path) -> Finding:
    facts = os.statvfs(place)
    free_mb = facts.f_bavail * facts.f_frsize // 1_000_000
    if facts.f_flag & os.ST_RDONLY:
        return fault(
            "disk",
            f"{place}: chỉ đọc được, không ghi được",
            f"{place} is read-only",
            Words(
                "khởi động lại máy; nếu vẫn vậy thì thẻ nhớ đã hỏng, phải thay",
                "restart the machine; if it stays so the card is broken: exchange it",
            ),
        )
    advice = Words(f"xóa tệp thừa trên {place}", f"delete what is not needed on {place}")
    found = (f"{place}: còn trống {free_mb} MB", f"{place}: {free_mb} MB free")
    if free_mb < NO_FREE_MB:
        return fault("disk", *found, advice)
    return warning("disk", *found, advice) if free_mb < LITTLE_FREE_MB else fine("disk", *found)


def _errors(patient: Patient) -> list[Finding]:
    counts = {
        path.parent.name: int(text)
        for path in sorted((patient.root / "sys/fs/ext4").glob("*/errors_count"))
        if (text := path.read_text(encoding="ascii").strip()).isdigit()
    }
    return [
        fault(
            "disk",
            f"hệ thống tệp {name}: {count} lỗi ghi nhận",
            f"file system {name}: {count} errors on record",
            NEW_CARD,
        )
        for name, count in counts.items()
        if count
    ]


def _wear(patient: Patient, place: Path) -> list[Finding]:
    device = place.stat().st_dev
    wanted = (str(os.major(device)), str(os.minor(device)))
    uptime = float((patient.read("proc/uptime") or "0").split()[0])
    for line in (patient.read("proc/diskstats") or "").splitlines():
        fields = line.split()
        if tuple(fields[:2]) != wanted or uptime < EARLY_S:
            continue
        per_day_mb = int(fields[9]) * SECTOR_BYTES / 1e6 / (uptime / 86_400)
        found = (
            f"ghi khoảng {per_day_mb:.0f} MB mỗi ngày lên {fields[2]}",
            f"about {per_day_mb:.0f} MB a day are written to {fields[2]}",
        )
        advice = Words(
            "tìm chương trình ghi nhiều (nhật ký hệ thống?): thẻ nhớ sẽ mau hỏng",
            "find what writes so much (the system's log?): the card wears out early",
        )
        much = per_day_mb > MUCH_WRITTEN_MB
        return [warning("disk", *found, advice) if much else fine("disk", *found)]
    return []


def check_power(patient: Patient) -> list[Finding]:
    """The Pi's own word on its supply and on being slowed down."""
    text = next((text for path in THROTTLED_FILES if (text := patient.read(path)) is not None), None)
    try:
        bits = int(text or "", 16)
    except ValueError:
        return [
            left_out("power", "máy này không báo về nguồn điện", "this machine tells nothing of its supply")
        ]
    better = Words(
        "dùng bộ nguồn 5 V đủ dòng và dây ngắn, to hơn",
        "use a 5 V supply with enough current and a shorter, thicker cable",
    )
    if bits & UNDERVOLTAGE:
        return [fault("power", "điện áp đang quá thấp", "the voltage is too low now", better)]
    if bits & WAS_UNDERVOLTAGE:
        return [
            warning(
                "power", "điện áp từng quá thấp từ lúc khởi động", "the voltage was too low before", better
            )
        ]
    if bits & (THROTTLED | WAS_THROTTLED):
        return [warning("power", "máy bị giảm tốc độ", "the machine is or was slowed down", better)]
    return [fine("power", "nguồn điện ổn định", "the supply holds its voltage")]


def check_heat(patient: Patient) -> list[Finding]:
    """The processor's temperature."""
    text = patient.read("sys/class/thermal/thermal_zone0/temp")
    if text is None or not text.lstrip("-").isdigit():
        return [
            left_out("heat", "máy này không báo nhiệt độ", "this machine does not tell its temperature")
        ]
    celsius = int(text) / 1000
    found = (f"bộ xử lý {celsius:.0f} °C", f"the processor is at {celsius:.0f} °C")
    advice = Words("che nắng cho tủ, mở khe thoáng", "shade the cabinet, open its vents")
    if celsius >= TOO_HOT_C:
        return [fault("heat", *found, advice)]
    return [warning("heat", *found, advice) if celsius >= HOT_C else fine("heat", *found)]
