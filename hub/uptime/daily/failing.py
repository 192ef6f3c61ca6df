"""Which poles and cameras a failure touched: a copy of what incidents say, so that areas are summed in SQL.

An incident of a pole is that pole's, wherever the pole belongs by now. One of a node or a feeder touched all
poles that hung on it when the incident last changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, bindparam, delete, select

from hub.bulk import BulkWriter
from hub.incidents.set_aside import Failure
from hub.uptime.coverage.states import local_day_of
from hub.uptime.daily.places import Place, mark_stale
from hub.uptime.model import FAILURE_KINDS
from hub.uptime.tables import uptime_failure, uptime_place

KIND_OF_FAILURE = {name: kind for kind, names in FAILURE_KINDS.items() for name in names}
"""Whether an incident of that kind is a lamp's or a camera's."""

_FAILURES = BulkWriter(uptime_failure, ("incident_id", "place_id", "began_day", "ended_day", "lasted_s"))
_IDS_AT_ONCE = 500


class Failing:
    """The places, to be found by what incidents call them."""

    def __init__(self, places: Iterable[Place]) -> None:
        self._by_code: dict[tuple[str, str], Place] = {}
        self._by_pole: dict[tuple[str, str], list[Place]] = defaultdict(list)
        self._by_node: dict[tuple[str, str], list[Place]] = defaultdict(list)
        self._by_feeder: dict[tuple[str, str, str], list[Place]] = defaultdict(list)
        for one in places:
            self._by_code[one.kind, one.code] = one
            self._by_pole[one.kind, one.pole].append(one)
            self._by_node[one.kind, one.node].append(one)
            self._by_feeder[one.kind, one.commune, one.feeder].append(one)

    def touched(self, one: Failure) -> Sequence[Place]:
        """The lamps or cameras that it is about; none where none of them is known."""
        kind = KIND_OF_FAILURE[one.kind]
        direct = self._by_code.get((kind, one.originator))
        if direct is not None:
            return (direct,)
        if one.pole is not None:
            return self._by_pole.get((kind, one.pole), ())
        by_node = self._by_node.get((kind, one.originator))
        if by_node:
            return by_node
        return self._by_feeder.get((kind, one.commune, one.feeder), ()) if one.feeder else ()


def write_failures(conn: Connection, changed: Sequence[Failure], failing: Failing) -> None:
    """Put the incidents in place of what was known of them, and mark the sums of their communes as stale."""
    stale = _forget(conn, [one.id for one in changed])
    rows: list[tuple[int, int, int, int | None, float]] = []
    for one in changed:
        if one.is_part:
            continue
        began, ended = local_day_of(one.began_at.timestamp()), None
        lasted_s = 0.0
        if one.ended_at is not None:
            ended = local_day_of(one.ended_at.timestamp())
            lasted_s = (one.ended_at - one.began_at).total_seconds()
        for place in failing.touched(one):
            rows.append((one.id, place.id, began, ended, lasted_s))
            stale |= {(place.kind, place.commune, day) for day in (began, ended) if day is not None}
    _FAILURES.write(conn, rows)
    mark_stale(conn, stale)


def _forget(conn: Connection, ids: Sequence[int]) -> set[tuple[str, str, int]]:
    """Returns the (kind, commune, local day) in which they stood."""
    stale: set[tuple[str, str, int]] = set()
    here = uptime_failure.c.incident_id.in_(bindparam("ids", expanding=True))
    query = (
        select(
            uptime_place.c.kind,
            uptime_place.c.commune,
            uptime_failure.c.began_day,
            uptime_failure.c.ended_day,
        )
        .join(uptime_place, uptime_place.c.id == uptime_failure.c.place_id)
        .where(here)
        .distinct()
    )
    for start in range(0, len(ids), _IDS_AT_ONCE):
        some = {"ids": ids[start : start + _IDS_AT_ONCE]}
        for kind, commune, *days in conn.execute(query, some):
            stale |= {(kind, commune, day) for day in days if day is not None}
        conn.execute(delete(uptime_failure).where(here), some)
    return stale
