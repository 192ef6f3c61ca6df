"""What is open now, as memory holds it between commits, and what must be written about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from hub.incidents.model import Evidence, Key, QuietReason, Severity, Subject, Watch, feeder_name

Word = Literal["opened", "closed", "grouped", "released", "quieted", "flapping", "turned", "corrected"]


@dataclass(slots=True)
class Standing:
    """One open incident."""

    key: Key
    subject: Subject
    since: datetime
    opened_at: datetime
    severity: Severity
    parent: Key | None = None
    quiet: QuietReason | None = None
    flapping: bool = False
    last_bad: datetime | None = None
    spread_s: float = 0
    """How long after `since` it may in truth have begun: a node goes within a heartbeat of its last word."""
    notify_after: datetime | None = None
    pauses_s: tuple[float, float] = (0.0, 0.0)
    """Between its last three words of being bad: how often it is looked at, as far as it shows."""
    members: set[str] = field(default_factory=set)
    """Of a group: the nodes that ever were parts of it."""
    supply_members: set[str] = field(default_factory=set)
    """Those of them that told of lost supply."""

    def bad_at(self, at: datetime) -> None:
        """One more word that it is bad."""
        pause_s = (at - self.last_bad).total_seconds() if self.last_bad is not None else 0.0
        if pause_s > 0:  # an event and the sample of the same moment are one look
            self.pauses_s = (self.pauses_s[1], pause_s)
        self.last_bad = at


@dataclass(slots=True)
class Step:
    """One thing that happened to an incident; `columns` are what it changes in its row."""

    key: Key
    change: Word
    at: datetime
    detail: Evidence
    standing: Standing | None = None
    """Of an opening: its row is made from how it stands when it is written."""
    columns: dict[str, Any] = field(default_factory=dict)
    opened_at: datetime | None = None
    """Names one that may be closed already; else the open one of this key is meant."""
    merge: Evidence | None = None
    """Facts to be added to its evidence: that of its closing where it is closed."""


@dataclass(slots=True)
class Outcome:
    """What must be written: steps in order, parents, and the watches as they stand now (None: forget it)."""

    changes: list[Step] = field(default_factory=list)
    parents: dict[Key, Key | None] = field(default_factory=dict)
    watches: dict[Key, Watch | None] = field(default_factory=dict)


class Book:
    """All that is open, findable by node, by feeder and by parent."""

    def __init__(self) -> None:
        self._all: dict[Key, Standing] = {}
        self._of_node: defaultdict[str, set[Key]] = defaultdict(set)
        self._of_feeder: defaultdict[str, set[Key]] = defaultdict(set)
        self._parts: defaultdict[Key, set[Key]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Standing]:
        return iter(self._all.values())

    def get(self, key: Key) -> Standing | None:
        """The open incident of this key."""
        return self._all.get(key)

    def add(self, standing: Standing) -> None:
        """It opens, or is known from before."""
        key, subject = standing.key, standing.subject
        self._all[key] = standing
        self._of_node[subject.node].add(key)
        if subject.place.feeder:
            self._of_feeder[feeder_of(subject)].add(key)
        if standing.parent is not None:
            self._parts[standing.parent].add(key)

    def remove(self, key: Key) -> Standing | None:
        """It is closed."""
        standing = self._all.pop(key, None)
        if standing is None:
            return None
        for index, name in (
            (self._of_node, standing.subject.node),
            (self._of_feeder, feeder_of(standing.subject)),
        ):
            index[name].discard(key)
            if not index[name]:
                del index[name]
        self.set_parent(standing, None)
        return standing

    def learn(self, standing: Standing, subject: Subject) -> None:
        """Whose it is, in the registry's newest words."""
        if standing.subject == subject:
            return
        parent = standing.parent
        self.remove(standing.key)
        standing.subject, standing.parent = subject, parent
        self.add(standing)

    def set_parent(self, standing: Standing, parent: Key | None) -> None:
        """It becomes a part of another, or of none."""
        if standing.parent is not None:
            parts = self._parts[standing.parent]
            parts.discard(standing.key)
            if not parts:
                del self._parts[standing.parent]
        standing.parent = parent
        if parent is not None:
            self._parts[parent].add(standing.key)

    def parts(self, parent: Key) -> list[Standing]:
        """The open parts of an incident."""
        return [self._all[key] for key in self._parts.get(parent, ()) if key in self._all]

    def of_node(self, node: str) -> list[Standing]:
        """What is open of a node, its poles and their cameras."""
        return [self._all[key] for key in self._of_node.get(node, ())]

    def of_feeder(self, feeder: str) -> list[Standing]:
        """What is open of a feeder and of all that hangs on it."""
        return [self._all[key] for key in self._of_feeder.get(feeder, ())]


def feeder_of(subject: Subject) -> str:
    """The originator's name of a subject's feeder; empty where it hangs on none."""
    place = subject.place
    return feeder_name(place.commune, place.feeder) if place.feeder else ""
