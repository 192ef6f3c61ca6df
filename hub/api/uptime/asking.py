"""From an address's words to a question of uptime, and from the answer to what is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta, timezone

from sqlalchemy import Connection

from hub.access.model import User
from hub.api.deps import Hub
from hub.api.problems import FieldError, Problem
from hub.api.sight import seen_communes, seen_pole
from hub.api.uptime.schemas import UptimeLine, UptimeOut
from hub.registry.reads import communes
from hub.uptime.areas import WIDE
from hub.uptime.coverage.states import LOCAL_OFFSET_S
from hub.uptime.model import LEVELS, Kind, Level, Line, Question, Within
from hub.uptime.reads import uptime

USUAL_DAYS = 30
MOST_DAYS = 3660
_LOCAL = timezone(timedelta(seconds=LOCAL_OFFSET_S))
_IN_A_COMMUNE = ("segment", "hamlet", "group")
_NARROW: tuple[Level, ...] = ("commune", "segment", "hamlet", "group", "pole")


def asked(
    hub: Hub,
    conn: Connection,
    by: User,
    *,
    kind: Kind,
    level: Level,
    of: Sequence[str],
    first_day: date | None,
    last_day: date | None,
    everywhere: bool = False,
) -> Question:
    """The question; the last 30 whole days and this hub's commune where nothing else is said.

    With `everywhere`, communes, programmes and provinces are those of all the communes that the asker sees.
    Raises Problem 422 for what can't be read, and for poles or hamlets of more than one commune at once; 404
    for a place that is not the asker's to see.
    """
    today = hub.clock().astimezone(_LOCAL).date()
    last = today - timedelta(days=1) if last_day is None else last_day
    first = last - timedelta(days=USUAL_DAYS - 1) if first_day is None else first_day
    if not 0 <= (last - first).days < MOST_DAYS:
        raise _wrong(
            "query.from",
            f"from {first} to {last} is no span of 1 to {MOST_DAYS} days",
            f"Khoảng từ {first:%d/%m/%Y} đến {last:%d/%m/%Y} không hợp lệ: cần từ 1 đến {MOST_DAYS} ngày.",
        )
    within = [_within(one) for one in of]
    for one in within:
        _check_seen(conn, by, one)
    if everywhere and level in WIDE:
        if by.communes:
            within.append(Within("commune", "", among=by.communes))
    elif not any(one.level in _NARROW for one in within):
        commune = hub.settings.commune
        if by.communes and commune not in by.communes:
            commune = by.communes[0]
        if commune is None and level not in ("commune", "programme", "province"):
            known = [one.code for one in communes(conn)]
            if len(known) > 1:
                raise _wrong(
                    "query.of",
                    f"{level} needs of=commune:<code>: this hub has {len(known)} communes",
                    f"Hãy chọn một xã/phường (of=commune:<mã>): hệ thống này có {len(known)} xã/phường.",
                )
            commune = known[0] if known else None
        if commune is not None:
            within.append(Within("commune", commune))
    return Question(kind, level, first, last, tuple(within))


def _check_seen(conn: Connection, by: User, place: Within) -> None:
    if place.level == "pole":
        seen_pole(conn, by, place.name)
    elif place.level == "commune" or place.commune:
        seen_communes(by, place.name if place.level == "commune" else place.commune)


def answered(conn: Connection, question: Question) -> UptimeOut:
    """The answer as it is sent; communes with their names beside their codes."""
    answer = uptime(conn, question)
    names = {one.code: one.name for one in communes(conn)}
    return UptimeOut(
        kind=question.kind,
        level=question.level,
        first_day=question.first_day,
        last_day=question.last_day,
        lines=[line_out(one, question.level, names) for one in answer.lines],
        total=line_out(answer.total, question.level, names),
    )


def line_out(line: Line, level: Level, names: Mapping[str, str]) -> UptimeLine:
    """One line; shares of 0 to 1."""
    sums, energy = line.sums, line.energy
    return UptimeLine(
        name=line.name,
        title=names.get(line.name, line.name) if level == "commune" else line.name,
        commune=line.commune,
        place=line.place,
        up_share=sums.up_share,
        measured_share=(sums.up_s + sums.down_s) / sums.known_s if sums.known_s else None,
        **asdict(sums),
        days=line.days,
        metered_days=line.metered_days,
        failures=line.failures,
        repaired=line.repaired,
        mttr_s=line.mttr_s,
        mtbf_s=line.mtbf_s,
        energy_kwh=None if energy.energy_wh is None else energy.energy_wh / 1000,
        cost_before_vat_vnd=energy.cost_before_vat_vnd,
        cost_vnd=energy.cost_vnd,
        priced_share=energy.priced_share,
    )


def _within(written: str) -> Within:
    level, _, name = written.partition(":")
    found = next((one for one in LEVELS if one == level), None)
    if found is not None and name:
        if found not in _IN_A_COMMUNE:
            return Within(found, name)
        commune, _, rest = name.partition("/")
        if rest:
            return Within(found, rest, commune)
    raise _wrong(
        "query.of",
        f"of={written!r}: write commune:<code>, programme:<name>, province:<name>, pole:<code>, "
        "or hamlet, segment, group as hamlet:<commune>/<name>",
        f"of=“{written}”: hãy viết commune:<mã xã>, programme:<chương trình>, province:<tỉnh>, pole:<mã cột>, "
        "hoặc hamlet, segment, group theo dạng hamlet:<mã xã>/<tên>.",
    )


def _wrong(loc: str, detail: str, detail_vi: str) -> Problem:
    return Problem(422, "invalid-request", detail, detail_vi, errors=[FieldError(loc=loc, msg=detail)])
