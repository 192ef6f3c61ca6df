"""Lamps that die and are mended, and the count of their incidents: each fault exactly one, opened once."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from bench.children import ChildError
from bench.workers.crowd import CrowdNode
from bench.workers.house import TOLD
from hub.incidents.model import LAMP_FAILURE
from hub.incidents.tables import incident, incident_change

NOTICED_WITHIN_S = 90.0
"""Whatever dies meanwhile, an incident must open, and close, within this time."""

Keyed = Counter[tuple[str, str]]
"""By (originator, kind)."""


@dataclass(slots=True)
class IncidentCount:
    """Faults made and incidents found. `double`: rows, or openings in a history, beyond one per fault."""

    expected: int = 0
    seen: int = 0
    double: int = 0
    missing: int = 0
    unmade: dict[str, int] = field(default_factory=dict)
    """Incidents of kinds that nothing here gave cause for, such as a hub that calls itself blind."""

    @property
    def sound(self) -> bool:
        """Whether each fault has its one incident and there is no other."""
        return self.double == self.missing == 0 and not self.unmade


class Faults:
    """Every third node's lamp dies by its meter, every third by its own word; the last third stays well."""

    def __init__(self, nodes: list[CrowdNode], rng: random.Random) -> None:
        self._rng = rng
        self._kinds = {
            node.pole: kind for place, kind in enumerate((LAMP_FAILURE, TOLD)) for node in nodes[place::3]
        }
        self._nodes = {node.pole: node for node in nodes if node.pole in self._kinds}
        self.made: Keyed = Counter()
        self._bad: dict[str, float] = {}
        """Since when a pole's lamp has been dead."""
        self._hold_until: dict[str, float] = {}
        self._next: dict[str, float] = dict.fromkeys(self._kinds, 0.0)
        """From when on it may die again, once its incident is closed."""
        self._mended: dict[str, float] = {}

    def step(self, conn: Connection, *, ending: bool = False) -> None:
        """Mend what is known, break what is well; with `ending` nothing breaks any more.

        Raises ChildError where an incident is overdue.
        """
        now_s, is_open = time.monotonic(), open_incidents(conn)
        for pole, kind in self._kinds.items():
            shown = (pole, kind) in is_open
            if pole in self._bad:
                self._follow_bad(pole, kind, now_s, shown=shown)
            elif pole in self._mended:
                if not shown:
                    del self._mended[pole]
                    self._next[pole] = now_s + self._rng.uniform(0.5, 4.0)
                else:
                    _in_time(self._mended[pole], now_s, f"{kind} of {pole} to close")
            elif not ending and now_s >= self._next[pole]:
                self._bad[pole] = now_s
                self.made[(pole, kind)] += 1
                self._set(pole, kind, bad=True)

    @property
    def all_well(self) -> bool:
        """Whether every fault is mended and its incident closed."""
        return not self._bad and not self._mended

    def _follow_bad(self, pole: str, kind: str, now_s: float, *, shown: bool) -> None:
        if not shown:
            _in_time(self._bad[pole], now_s, f"{kind} of {pole} to open")
            return
        until_s = self._hold_until.setdefault(pole, now_s + self._rng.uniform(0.5, 6.0))
        if now_s >= until_s:
            del self._bad[pole], self._hold_until[pole]
            self._mended[pole] = now_s
            self._set(pole, kind, bad=False)

    def _set(self, pole: str, kind: str, *, bad: bool) -> None:
        node = self._nodes[pole]
        if kind == TOLD:
            node.faults = [TOLD] if bad else []
        else:
            node.dead_lamp = bad


def _in_time(since_s: float, now_s: float, what: str) -> None:
    if now_s - since_s > NOTICED_WITHIN_S:
        raise ChildError(f"waited {NOTICED_WITHIN_S:g} s in vain for {what}")


def open_incidents(conn: Connection) -> set[tuple[str, str]]:
    """(originator, kind) of what is open."""
    query = select(incident.c.originator, incident.c.kind).where(incident.c.closed_at.is_(None))
    return {(row.originator, row.kind) for row in conn.execute(query)}


def count_incidents(conn: Connection, faults: Mapping[tuple[str, str], int]) -> IncidentCount:
    """Hold what is in the database against the faults that were made, by (originator, kind)."""
    made: Keyed = Counter(faults)
    grouped = select(incident.c.originator, incident.c.kind, func.count()).group_by(
        incident.c.originator, incident.c.kind
    )
    rows: Keyed = Counter({(originator, kind): n for originator, kind, n in conn.execute(grouped)})
    openings = (
        select(incident_change.c.incident_id)
        .where(incident_change.c.change == "opened")
        .group_by(incident_change.c.incident_id)
        .having(func.count() > 1)
    )
    kinds = {kind for _, kind in made}
    caused: Keyed = Counter({key: n for key, n in rows.items() if key[1] in kinds})
    unmade: Counter[str] = Counter()
    for (_, kind), n in (rows - caused).items():
        unmade[kind] += n
    return IncidentCount(
        expected=made.total(),
        seen=caused.total(),
        double=(caused - made).total() + len(conn.execute(openings).all()),
        missing=(made - caused).total(),
        unmade=dict(unmade),
    )
