"""How money, times and sizes are written on the pages; `frontend/src/lib/format.ts` writes them alike."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from hub.numerals import SWAPPED

VIETNAM = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
"""UTC+7 without summer time since 1975: no time zone database is needed for it."""


def vnd(amount_vnd: int) -> str:
    """497130000 → `497.130.000 đ`."""
    return f"{amount_vnd:,}".replace(",", ".") + " đ"


def moment(at: datetime) -> str:
    """An aware time as `21/11/2026 20:31` in Vietnam."""
    return f"{at.astimezone(VIETNAM):%d/%m/%Y %H:%M}"


def moment_seconds(at: datetime) -> str:
    """An aware time as `21/11/2026 20:31:05` in Vietnam."""
    return f"{at.astimezone(VIETNAM):%d/%m/%Y %H:%M:%S}"


def day(on: date) -> str:
    """A calendar day as `21/11/2026`."""
    return f"{on:%d/%m/%Y}"


def titled(name: str) -> str:
    """`xã Trạm Thản` → `Xã Trạm Thản`, where a name begins a line."""
    return name[:1].upper() + name[1:]


def share(part: float | None) -> str:
    """0 to 1 as `98,1 %`; what is not known as a dash. A little less than all is never `100 %`."""
    if part is None:
        return "–"
    if part in (0, 1):
        return f"{part * 100:.0f} %"
    return f"{min(max(part * 100, 0.1), 99.9):.1f} %".replace(".", ",")


def hours(seconds: float | None) -> str:
    """Seconds as `1.234 h`, `12,5 h` or `<0,1 h`; what is not known as a dash."""
    if seconds is None:
        return "–"
    whole = seconds / 3600
    if 0 < whole < 0.1:
        return "<0,1 h"
    text = f"{whole:,.0f}" if whole >= 100 or whole == int(whole) else f"{whole:.1f}"
    return text.translate(SWAPPED) + " h"


def kwh(energy: float | None) -> str:
    """`12,3 kWh`; what no meter told as a dash."""
    return "–" if energy is None else f"{energy:,.1f}".translate(SWAPPED) + " kWh"


def size(byte_count: int) -> str:
    """A size as `512 B` or `16,0 kB`."""
    return f"{byte_count} B" if byte_count < 1000 else f"{byte_count / 1000:.1f} kB".replace(".", ",")
