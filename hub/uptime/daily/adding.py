"""Sums of communes and programmes by day and by month, added up in SQL from poles' days and failures."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

from sqlalchemy import Connection, delete, select, text

from hub.uptime.areas import day_number, day_of, month_start
from hub.uptime.daily.reckoning import SUM_NAMES
from hub.uptime.tables import uptime_area_stale

FAILURE_NAMES = ("failures", "repaired", "repair_s")
ONCE_NAMES = ("failures_once", "repaired_once", "repair_once_s")
"""The same, but what touched poles of two programmes is told to one of them: so they add up to a commune."""

_ADDED = (*SUM_NAMES, "energy_wh", "days", "metered_days", *FAILURE_NAMES, *ONCE_NAMES)
_NAMES = ", ".join(_ADDED)
_SUMS = ", ".join(f"SUM({name}) AS {name}" for name in _ADDED)

_DAYS = f"""
INSERT INTO uptime_area_day (kind, province, commune, programme, local_day, {_NAMES})
WITH failed AS (
    SELECT DISTINCT f.incident_id, f.began_day, f.ended_day, f.lasted_s, p.province, p.programme,
        CASE WHEN p.programme = MIN(p.programme) OVER (PARTITION BY f.incident_id) THEN 1 ELSE 0 END AS once
    FROM uptime_place p JOIN uptime_failure f ON f.place_id = p.id
    WHERE p.kind = :kind AND p.commune = :commune AND (f.began_day IN (WITHIN) OR f.ended_day IN (WITHIN))
)
SELECT CAST(:kind AS VARCHAR), MAX(province), CAST(:commune AS VARCHAR), programme, local_day, {_SUMS}
FROM (
    SELECT p.province, p.programme, d.local_day, {", ".join(f"d.{name}" for name in SUM_NAMES)},
        COALESCE(d.energy_wh, 0) AS energy_wh, 1 AS days,
        CASE WHEN d.energy_wh IS NULL THEN 0 ELSE 1 END AS metered_days,
        0 AS failures, 0 AS repaired, 0.0 AS repair_s,
        0 AS failures_once, 0 AS repaired_once, 0.0 AS repair_once_s
    FROM uptime_place p JOIN uptime_day d ON d.place_id = p.id
    WHERE p.kind = :kind AND p.commune = :commune AND d.local_day IN (WITHIN)
    UNION ALL
    SELECT province, programme, began_day, {"0, " * len(SUM_NAMES)} 0, 0, 0, 1, 0, 0.0, once, 0, 0.0
    FROM failed WHERE began_day IN (WITHIN)
    UNION ALL
    SELECT province, programme, ended_day, {"0, " * len(SUM_NAMES)} 0, 0, 0, 0, 1, lasted_s,
        0, once, lasted_s * once
    FROM failed WHERE ended_day IN (WITHIN)
) AS told
GROUP BY programme, local_day
"""  # noqa: S608

_MONTH = text(
    f"INSERT INTO uptime_area_month (kind, province, commune, programme, local_day, {_NAMES}) "  # noqa: S608
    f"SELECT kind, MAX(province), commune, programme, :first, {_SUMS} FROM uptime_area_day "
    "WHERE kind = :kind AND commune = :commune AND local_day >= :first AND local_day < :after "
    "GROUP BY kind, commune, programme"
)
_NO_MONTH = text(
    "DELETE FROM uptime_area_month WHERE kind = :kind AND commune = :commune AND local_day = :first"
)


def add_up_areas(conn: Connection, *, limit: int) -> int:
    """Add up stale sums of communes and programmes; returns how many (commune, day)s were done.

    A month's sums change in the same transaction as its days'.
    """
    stale = conn.execute(select(uptime_area_stale).order_by(uptime_area_stale.c.commune).limit(limit)).all()
    days: dict[tuple[str, str], list[int]] = defaultdict(list)
    for kind, commune, day in stale:
        days[kind, commune].append(day)
    for (kind, commune), found in days.items():
        # Numbers of our own making; a list of them has no portable parameter.
        within = ", ".join(str(int(day)) for day in found)
        about = {"kind": kind, "commune": commune}
        conn.execute(
            text(
                "DELETE FROM uptime_area_day WHERE kind = :kind AND commune = :commune "  # noqa: S608
                f"AND local_day IN ({within})"
            ),
            about,
        )
        conn.execute(text(_DAYS.replace("WITHIN", within)), about)
        months = [
            {**about, "first": day_number(first), "after": day_number(_next_month(first))}
            for first in sorted({month_start(day_of(day)) for day in found})
        ]
        conn.execute(_NO_MONTH, [{**about, "first": one["first"]} for one in months])
        conn.execute(_MONTH, months)
        conn.execute(
            delete(uptime_area_stale).where(
                uptime_area_stale.c.kind == kind,
                uptime_area_stale.c.commune == commune,
                uptime_area_stale.c.local_day.in_(found),
            )
        )
    return len(stale)


def _next_month(first: date) -> date:
    return month_start(first + timedelta(days=31))
