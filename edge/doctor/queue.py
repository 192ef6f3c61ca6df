"""What waits for the hub."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from edge.doctor.findings import Finding, Patient, Words, fault, fine, left_out, warning
from edge.outbox.outbox import FILE_NAME
from edge.outbox.rows import from_row

OLD_H = 24.0
LOOK_AT_LINK = Words("xem mục link: trung tâm chưa xác nhận", "see link: the hub does not confirm")


def check_queue(patient: Patient) -> list[Finding]:
    """Items, bytes, the oldest one's age; files that were set aside as damaged."""
    folder = Path(patient.config.data_dir)
    damaged = sorted(folder.glob("outbox.damaged-*.db"))
    set_aside = [
        warning(
            "queue",
            f"{len(damaged)} tệp hàng đợi hỏng được cất riêng, mới nhất {damaged[-1].name}",
            f"{len(damaged)} damaged outbox files were set aside, the newest is {damaged[-1].name}",
            Words("thẻ nhớ có thể sắp hỏng", "the SD card may be about to fail"),
        )
        for _ in damaged[:1]
    ]
    return [_waiting(patient, folder / FILE_NAME), *set_aside]


def _waiting(patient: Patient, path: Path) -> Finding:
    if not path.exists():
        return fine(
            "queue", "chưa có hàng đợi (phần mềm chưa chạy)", "no outbox yet: the agent has not run here"
        )
    size_mb = sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*")) / 1e6
    if patient.agent_pid is not None:
        return left_out(
            "queue",
            f"{size_mb:.1f} MB; phần mềm đang giữ, số lượng xem ở trung tâm",
            f"{size_mb:.1f} MB; the running agent holds it, the hub shows how much waits",
        )
    try:
        count, oldest = _look_into(path)
    except (sqlite3.Error, ValueError) as error:
        return fault(
            "queue",
            f"không đọc được {path}: {error}",
            f"{path} can't be read: {error}",
            Words(
                "phần mềm sẽ tự cất tệp này và bắt đầu tệp mới",
                "the agent will set this file aside by itself and begin a new one",
            ),
        )
    found = (f"{count} mục đang đợi, {size_mb:.1f} MB", f"{count} items wait, {size_mb:.1f} MB")
    if oldest is None:
        return fine("queue", *found)
    age_h = (datetime.now(UTC) - oldest).total_seconds() / 3600
    found = (f"{found[0]}, cũ nhất {age_h:.1f} giờ", f"{found[1]}, the oldest is {age_h:.1f} h old")
    return warning("queue", *found, LOOK_AT_LINK) if age_h > OLD_H else fine("queue", *found)


def _look_into(path: Path) -> tuple[int, datetime | None]:
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=1.0)
    try:
        db.execute("PRAGMA query_only = 1")
        count = db.execute("SELECT count(*) FROM item").fetchone()[0]
        row = db.execute("SELECT kind, body FROM item ORDER BY seq LIMIT 1").fetchone()
    finally:
        db.close()
    return count, from_row(*row).time if row else None
