"""How money, times and sizes are written on the pages; `frontend/src/lib/format.ts` writes them alike."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

VIETNAM = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
"""UTC+7 without summer time since 1975: no time zone database is needed for it."""


def vnd(amount_vnd: int) -> str:
    """497130000 → `497.130.000 đ`."""
    return f"{amount_vnd:,}".replace(",", ".") + " đ"


def moment(at: datetime) -> str:
    """An aware time as `20:31 21/11/2026` in Vietnam."""
    return f"{at.astimezone(VIETNAM):%H:%M %d/%m/%Y}"


def moment_seconds(at: datetime) -> str:
    """An aware time as `20:31:05 21/11/2026` in Vietnam."""
    return f"{at.astimezone(VIETNAM):%H:%M:%S %d/%m/%Y}"


def day(on: date) -> str:
    """A calendar day as `21/11/2026`."""
    return f"{on:%d/%m/%Y}"


def size(byte_count: int) -> str:
    """A size as `512 B` or `16,0 kB`."""
    return f"{byte_count} B" if byte_count < 1000 else f"{byte_count / 1000:.1f} kB".replace(".", ",")
