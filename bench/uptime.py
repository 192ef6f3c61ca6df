"""How fast uptime answers over a province's year, on a real PostgreSQL that is filled for it.

The poles and their days are made up by arithmetic, in bulk; what is measured is the program's own reading
of them (`hub.uptime.reads`), through the same tables and indexes, after the sums of areas were added up by the
program itself.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, func, insert, select, text

from bench.postgres import BenchPostgres
from hub.db import open_database, reading
from hub.migrations.runner import upgrade
from hub.uptime.areas import day_number
from hub.uptime.daily.adding import add_up_areas
from hub.uptime.daily.places import mark_stale
from hub.uptime.model import Level, Question, Within
from hub.uptime.reads import uptime
from hub.uptime.tables import uptime_area_day, uptime_place
from hub.uptime.tariffs import Tariff, put

POLES_PER_COMMUNE = 219
PROVINCE = "tỉnh Phú Thọ"
LAST = date(2026, 10, 31)
ROUNDS = 5
_NOW = datetime(2026, 11, 1, tzinfo=UTC)
_FAILURES_PER_POLE_YEAR = 3
_PLACES_AT_ONCE = 1000
_SETTINGS = ("fsync=off", "shared_buffers=256MB", "work_mem=32MB", "max_wal_size=4GB")


@dataclass(frozen=True, slots=True)
class UptimeReport:
    """Medians in milliseconds over five askings each, the first one (cold) left out."""

    server: str
    poles: int
    days: int
    pole_days: int
    incidents: int
    fill_s: float
    areas_s: float
    province_year_ms: float
    province_year_by_commune_ms: float
    province_year_by_programme_ms: float
    commune_month_by_hamlet_ms: float
    commune_year_by_pole_ms: float
    pole_year_ms: float
    lit_share: float | None


def run_uptime(*, poles: int, days: int, progress: Callable[[int], None]) -> UptimeReport:
    """Fill, add up, ask; raises ChildError where PostgreSQL is missing. `progress` counts days of poles."""
    with BenchPostgres(settings=_SETTINGS) as server:
        engine = open_database(server.url)
        upgrade(engine)
        started = time.monotonic()
        _fill_places(engine, poles)
        _fill_days(server.address, days, progress)
        incidents = _fill_incidents(server.address, poles, days)
        filled = time.monotonic()
        _add_up(engine, days)
        with psycopg.connect(server.address, autocommit=True) as conn:
            conn.execute("VACUUM ANALYZE")
        added = time.monotonic()
        report = _ask(engine, poles, days, incidents, filled - started, added - filled)
        engine.dispose()
    return report


def _fill_places(engine: Engine, poles: int) -> None:
    since = datetime(2025, 1, 1, tzinfo=UTC)
    rows = [
        {
            "kind": "lamp",
            "code": code,
            "pole": code,
            "province": PROVINCE,
            "commune": commune,
            "hamlet": f"Khu {number % 9 + 1}",
            "feeder": f"F{number % 7 + 1}",
            "programme": ("Ngọn đèn an ninh", "Thắp sáng đường quê")[number % 2],
            "resident_group": f"Tổ tự quản {number % 5 + 1}",
            "node": code.lower(),
            "latitude": 21.47,
            "longitude": 105.25,
            "since_at": since,
            "gone_at": None,
        }
        for number, code, commune in _poles(poles)
    ]
    with engine.begin() as conn:
        for start in range(0, len(rows), 2000):
            conn.execute(insert(uptime_place), rows[start : start + 2000])
        put(conn, Tariff(date(2025, 5, 10), 220_407, 80, "bench"), by="bench", now=_NOW)
        put(conn, Tariff(date(2026, 3, 1), 231_000, 80, "bench"), by="bench", now=_NOW)


def _poles(poles: int) -> Iterator[tuple[int, str, str]]:
    for number in range(poles):
        commune, place = divmod(number, POLES_PER_COMMUNE)
        yield number, f"P{commune:03}-{place:04}", f"xa-{commune:03}"


_DAYS = """
INSERT INTO uptime_day
SELECT place_id, local_day, due_s, due_s - down_s - unknown_s - maintenance_s, 0, down_s, 0, 0,
       maintenance_s, 0, unknown_s, 0, (due_s - down_s - unknown_s - maintenance_s) * 40 / 3600
FROM (
    SELECT place_id, local_day, due_s,
           CASE WHEN chance < 3 THEN due_s / 2 ELSE 0 END AS down_s,
           CASE WHEN chance BETWEEN 3 AND 7 THEN due_s / 4 ELSE 0 END AS unknown_s,
           CASE WHEN chance = 8 THEN 3600 ELSE 0 END AS maintenance_s
    FROM (
        SELECT id AS place_id, local_day, 43200 + local_day * 97 %% 7200 - 3600 AS due_s,
               (id * 7919 + local_day * 104729::bigint) %% 100 AS chance
        FROM uptime_place CROSS JOIN generate_series(%(first)s::integer, %(last)s::integer) AS local_day
        WHERE id BETWEEN %(low)s AND %(high)s
    ) AS drawn
) AS night
"""
"""A night of eleven to thirteen hours; now and then dark, unknown or under maintenance for a while."""


def _fill_days(address: str, days: int, progress: Callable[[int], None]) -> None:
    last = day_number(LAST)
    with psycopg.connect(address, autocommit=True) as conn:
        # The rows fit by construction; the key is made once over all of them.
        conn.execute("SET session_replication_role = replica")
        conn.execute("ALTER TABLE uptime_day DROP CONSTRAINT pk_uptime_day")
        low, high = conn.execute("SELECT MIN(id), MAX(id) FROM uptime_place").fetchone() or (0, -1)
        for start in range(low, high + 1, _PLACES_AT_ONCE):
            end = min(start + _PLACES_AT_ONCE - 1, high)
            conn.execute(_DAYS, {"first": last - days + 1, "last": last, "low": start, "high": end})
            progress(end - low + 1)
        conn.execute(
            "ALTER TABLE uptime_day ADD CONSTRAINT pk_uptime_day PRIMARY KEY (place_id, local_day)"
        )


def _fill_incidents(address: str, poles: int, days: int) -> int:
    count = max(1, poles * _FAILURES_PER_POLE_YEAR * days // 365)
    columns = (
        "id, kind, originator_type, originator, pole, commune, severity, opened_at, since_at, closed_at, "
        "opened_evidence, revision"
    )
    begin = datetime.combine(LAST, datetime.min.time(), UTC) - timedelta(days=days)
    known = list(_poles(poles))
    with (
        psycopg.connect(address) as server,
        server.cursor() as cursor,
        cursor.copy(f"COPY incident ({columns}) FROM STDIN") as copy,
    ):
        for number in range(count):
            _, code, commune = known[number * 31 % poles]
            opened = begin + timedelta(seconds=number * 86_400 * days // count)
            closed = opened + timedelta(hours=5 + number % 90)
            what = (number + 1, "lamp_failure", "pole", code, code, commune, "major")
            copy.write_row((*what, opened, opened, closed, "{}", number + 1))
    with psycopg.connect(address) as server:
        server.execute(_FAILURES)
    return count


_FAILURES = """
INSERT INTO uptime_failure
SELECT i.id, p.id, ((i.since_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date - date '1970-01-01'),
       ((i.closed_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date - date '1970-01-01'),
       EXTRACT(epoch FROM i.closed_at - i.since_at)
FROM incident i JOIN uptime_place p ON p.kind = 'lamp' AND p.code = i.pole
"""
"""What the roller keeps of them, a few hundred at a time."""


def _add_up(engine: Engine, days: int) -> None:
    last = day_number(LAST)
    with engine.begin() as conn:
        communes = conn.execute(select(uptime_place.c.commune).distinct()).scalars().all()
        mark_stale(conn, {("lamp", one, last - n) for one in communes for n in range(days)})
        conn.execute(text("ANALYZE uptime_place"))
        conn.execute(text("ANALYZE uptime_day"))
    done = 1
    while done:
        with engine.begin() as conn:
            done = add_up_areas(conn, limit=days)


def _ask(
    engine: Engine, poles: int, days: int, incidents: int, fill_s: float, areas_s: float
) -> UptimeReport:
    first = LAST - timedelta(days=days - 1)
    month = LAST - timedelta(days=min(days, 31) - 1)
    commune = Within("commune", "xa-000")
    with reading(engine).connect() as conn:

        def ms(level: Level, *of: Within, since: date = first) -> float:
            return _median_ms(conn, Question("lamp", level, since, LAST, of))

        whole = uptime(conn, Question("lamp", "province", first, LAST))
        pole_days = conn.execute(select(func.sum(uptime_area_day.c.days))).scalar_one()
        return UptimeReport(
            server=conn.exec_driver_sql("SHOW server_version").scalar_one(),
            poles=poles,
            days=days,
            pole_days=int(pole_days),
            incidents=incidents,
            fill_s=round(fill_s, 1),
            areas_s=round(areas_s, 1),
            province_year_ms=ms("province"),
            province_year_by_commune_ms=ms("commune", Within("province", PROVINCE)),
            province_year_by_programme_ms=ms("programme"),
            commune_month_by_hamlet_ms=ms("hamlet", commune, since=month),
            commune_year_by_pole_ms=ms("pole", commune),
            pole_year_ms=ms("pole", Within("pole", "P000-0000")),
            lit_share=whole.total.sums.up_share,
        )


def _median_ms(conn: Connection, question: Question) -> float:
    spent: list[float] = []
    answer: Any = None
    for _ in range(ROUNDS + 1):
        started = time.perf_counter()
        answer = uptime(conn, question)
        spent.append((time.perf_counter() - started) * 1000)
    if not answer.lines:
        raise RuntimeError(f"nothing to measure: {question}")
    return round(statistics.median(spent[1:]), 1)
