"""Where an incident is: its pole, or all the poles that its node or feeder serves."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection

from hub.incidents.reads import IncidentView
from hub.notify.model import Place
from hub.registry.reads import PoleInfo, communes, poles, revision


class Places:
    """Answers from memory; `refresh` reads the registry anew once it has changed."""

    def __init__(self) -> None:
        self._revision = -1
        self._poles: dict[str, PoleInfo] = {}
        self._by_node: dict[str, list[PoleInfo]] = {}
        self._by_feeder: dict[tuple[str, str], list[PoleInfo]] = {}
        self._communes: dict[str, str] = {}
        self._lock = threading.Lock()

    def refresh(self, conn: Connection) -> None:
        """Follow the registry; cheap while it stays the same. Several threads may ask."""
        with self._lock:
            found = revision(conn)
            if found != self._revision:
                self._read(conn)
                self._revision = found

    def _read(self, conn: Connection) -> None:
        by_node: defaultdict[str, list[PoleInfo]] = defaultdict(list)
        by_feeder: defaultdict[tuple[str, str], list[PoleInfo]] = defaultdict(list)
        known = poles(conn)
        for one in known:
            if one.node is not None:
                by_node[one.node].append(one)
            by_feeder[(one.commune_code, one.feeder)].append(one)
        self._poles = {one.code: one for one in known}
        self._by_node, self._by_feeder = dict(by_node), dict(by_feeder)
        self._communes = {one.code: one.name for one in communes(conn)}

    def of(self, incident: IncidentView) -> Place:
        """The incident's place; what the registry doesn't know stays empty."""
        touched = self._touched(incident)
        commune = incident.commune or (touched[0].commune_code if touched else "")
        alone = touched[0] if len(touched) == 1 else None
        return Place(
            commune=commune,
            commune_name=self._communes.get(commune, ""),
            hamlets=frozenset(one.hamlet for one in touched if one.hamlet),
            groups=frozenset(one.group for one in touched if one.group),
            pole=incident.pole or (alone.code if alone else ""),
            at=alone.place if alone else "",
            feeder=incident.feeder or (alone.feeder if alone else ""),
            poles=len(touched),
        )

    def _touched(self, incident: IncidentView) -> Sequence[PoleInfo]:
        if incident.pole is not None:
            found = self._poles.get(incident.pole)
            return [] if found is None else [found]
        if incident.originator_type == "node":
            return self._by_node.get(incident.originator, [])
        return self._by_feeder.get((incident.commune, incident.feeder or incident.originator), [])
