"""How often lamps or cameras failed, and how long that lasted, told to each pole or area that it touched.

An incident of a pole is that pole's. One of a node or a feeder touches all its poles: at the level of poles
each of them had it, in an area and in the total it is one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, select

from hub.incidents.set_aside import Failures, failures
from hub.uptime.areas import SPANNING, day_number, inside, name_column
from hub.uptime.daily.rolling import day_span
from hub.uptime.model import FAILURE_KINDS, Level, Question
from hub.uptime.tables import uptime_place

LineKey = tuple[str, str]
"""(commune or empty, name), as the lines of an answer are called."""

_BY_COMMUNE: frozenset[Level] = frozenset({"commune", "province"})


@dataclass(slots=True)
class Tally:
    """How many began, how many ended, and how long those had lasted in all, seconds."""

    began: int = 0
    ended: int = 0
    lasted_s: float = 0.0

    def add(self, one: Failures) -> None:
        """Add what happened at one place."""
        self.began += one.began
        self.ended += one.ended
        self.lasted_s += one.lasted_s


class _Places:
    """The places a question is about, to be found by what incidents call them."""

    def __init__(self, conn: Connection, question: Question) -> None:
        query = select(uptime_place).where(
            uptime_place.c.kind == question.kind, *(inside(uptime_place, one) for one in question.of)
        )
        self._column = name_column(question.level)
        self._spans = question.level in SPANNING
        self._by_code: dict[str, Row[tuple[object, ...]]] = {}
        self._by_pole: dict[str, list[Row[tuple[object, ...]]]] = defaultdict(list)
        self._by_node: dict[str, list[Row[tuple[object, ...]]]] = defaultdict(list)
        self._by_feeder: dict[tuple[str, str], list[Row[tuple[object, ...]]]] = defaultdict(list)
        for row in conn.execute(query):
            self._by_code[row.code] = row
            self._by_pole[row.pole].append(row)
            self._by_node[row.node].append(row)
            self._by_feeder[row.commune, row.feeder].append(row)

    @property
    def communes(self) -> set[str]:
        """All that they lie in."""
        return {commune for commune, _ in self._by_feeder}

    def lines(self, one: Failures) -> set[LineKey]:
        """The lines that an incident belongs to; none where it is outside of the question."""
        return {
            ("" if self._spans else row.commune, getattr(row, self._column)) for row in self._touched(one)
        }

    def _touched(self, one: Failures) -> Iterable[Row[tuple[object, ...]]]:
        direct = self._by_code.get(one.originator)
        if direct is not None:
            return (direct,)
        if one.pole is not None:
            return self._by_pole.get(one.pole, ())
        by_node = self._by_node.get(one.originator)
        if by_node:
            return by_node
        return self._by_feeder.get((one.commune, one.feeder), ()) if one.feeder else ()


def failures_by_line(conn: Connection, question: Question) -> tuple[Mapping[LineKey, Tally], Tally]:
    """Per line of the answer, and over all of it."""
    since, until = _span(question)
    kinds = FAILURE_KINDS[question.kind]
    lines: dict[LineKey, Tally] = defaultdict(Tally)
    whole = Tally()
    found: list[Failures] = []
    places: _Places | None = None
    if question.level in _BY_COMMUNE and all(one.level in _BY_COMMUNE for one in question.of):
        provinces = _provinces(conn, question)
        for one in failures(conn, since, until, kinds=kinds, by_pole=False):
            if one.commune not in provinces:
                continue
            whole.add(one)
            spans = question.level == "province"
            lines[("", provinces[one.commune]) if spans else (one.commune, one.commune)].add(one)
        # Incidents from before communes were noted are found by their pole or node.
        found = failures(conn, since, until, kinds=kinds, commune="")
    else:
        places = _Places(conn, question)
        communes = places.communes
        for commune in [*communes, ""] if len(communes) == 1 else [None]:
            found += failures(conn, since, until, kinds=kinds, commune=commune)
    if found:
        places = places or _Places(conn, question)
        for one in found:
            touched = places.lines(one)
            if touched:
                whole.add(one)
            for key in touched:
                lines[key].add(one)
    return lines, whole


def _span(question: Question) -> tuple[datetime, datetime]:
    return day_span(day_number(question.first_day))[0], day_span(day_number(question.last_day))[1]


def _provinces(conn: Connection, question: Question) -> dict[str, str]:
    query = (
        select(uptime_place.c.commune, uptime_place.c.province)
        .where(uptime_place.c.kind == question.kind, *(inside(uptime_place, one) for one in question.of))
        .distinct()
    )
    return {row.commune: row.province for row in conn.execute(query)}
