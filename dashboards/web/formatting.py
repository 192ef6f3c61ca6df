"""How money, times and sizes are written on the pages, in the reader's language.

`frontend/src/lib/format.ts` writes them alike.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from dashboards.web.i18n import DEFAULT, Language
from hub.numerals import written

VIETNAM = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
"""UTC+7 without summer time since 1975: no time zone database is needed for it."""


def vnd(amount_vnd: int, language: Language = DEFAULT) -> str:
    """497130000 → `497.130.000 đ`, in English `497,130,000 đ`."""
    return written(amount_vnd, language, ",d") + " đ"


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


def share(part: float | None, language: Language = DEFAULT) -> str:
    """0 to 1 as `98,1 %`; what is not known as a dash. A little less than all is never `100 %`."""
    if part is None:
        return "–"
    if part in (0, 1):
        return f"{part * 100:.0f} %"
    return written(min(max(part * 100, 0.1), 99.9), language, ".1f") + " %"


def hours(seconds: float | None, language: Language = DEFAULT) -> str:
    """Seconds as `1.234 h`, `12,5 h` or `<0,1 h`; what is not known as a dash."""
    if seconds is None:
        return "–"
    whole = seconds / 3600
    if 0 < whole < 0.1:
        return f"<{written(0.1, language)} h"
    return written(whole, language, ",.0f" if whole >= 100 or whole == int(whole) else ".1f") + " h"


def kwh(energy: float | None, language: Language = DEFAULT) -> str:
    """`12,3 kWh`; what no meter told as a dash."""
    return "–" if energy is None else written(energy, language, ",.1f") + " kWh"


def size(byte_count: int, language: Language = DEFAULT) -> str:
    """A size as `512 B` or `16,0 kB`."""
    if byte_count < 1000:
        return f"{byte_count} B"
    return written(byte_count / 1000, language, ".1f") + " kB"
