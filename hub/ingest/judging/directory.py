"""Who is known: the ingest's view of the registry, behind a port, with its fake beside it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from hub.incidents.model import Place, Subject


@dataclass(frozen=True, slots=True)
class KnownNode:
    """A node of the registry with its poles; `lamp_rated_w` per pole where the registry has it."""

    name: str
    commune: str
    poles: frozenset[str]
    lamp_rated_w: Mapping[str, float] = field(default_factory=dict)
    cameras: Mapping[str, str] = field(default_factory=dict)
    """The cameras of its poles: code to pole."""
    places: Mapping[str, Place] = field(default_factory=dict)
    """Where each pole stands; a pole without one is known by its commune alone."""

    @property
    def place(self) -> Place:
        """Where the node itself stands: with its poles, and on the feeder that most of them hang on."""
        if not self.places:
            return Place(self.commune)
        return Counter(self.places[pole] for pole in sorted(self.places)).most_common(1)[0][0]

    def as_subject(self) -> Subject:
        """The node as the one whose trouble it is; a pole is named where it serves one alone."""
        only = next(iter(self.poles)) if len(self.poles) == 1 else None
        return Subject("node", self.name, only, self.name, self.place)

    def pole_subject(self, pole: str) -> Subject:
        """One of its poles as the one whose trouble it is."""
        return Subject("pole", pole, pole, self.name, self.places.get(pole) or Place(self.commune))

    def camera_subject(self, camera: str) -> Subject:
        """One of its cameras; raises KeyError where the registry does not have it here."""
        pole = self.cameras[camera]
        return self.pole_subject(pole)._replace(type="camera", name=camera)


class Directory(Protocol):
    """Looked up for every message, so nothing but `refresh` may touch the database."""

    @property
    def generation(self) -> int:
        """Another number whenever `lookup` may answer otherwise than before."""

    def lookup(self, node: str) -> KnownNode | None:
        """The node as of the last refresh; None when the registry has no such one."""

    def of_pole(self, pole: str) -> KnownNode | None:
        """The node that serves a pole."""

    def of_feeder(self, commune: str, feeder: str) -> Collection[str]:
        """The names of the nodes on a feeder."""

    def refresh(self) -> bool:
        """Look whether the registry changed, and read it again if so. May touch the database."""


class Indexed:
    """Nodes findable by name, by pole and by feeder."""

    def __init__(self, nodes: Iterable[KnownNode]) -> None:
        self.by_name = {node.name: node for node in nodes}
        self.by_pole = {pole: node for node in self.by_name.values() for pole in node.poles}
        self.by_feeder: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for node in self.by_name.values():
            place = node.place
            if place.feeder:
                self.by_feeder[(place.commune, place.feeder)].append(node.name)


class InMemoryDirectory:
    """A directory that holds what it is given; for tests and load runs without a registry."""

    def __init__(self, *nodes: KnownNode) -> None:
        self._indexed = Indexed(nodes)
        self._changed = False
        self.generation = 0
        self.refreshes = 0

    def add(self, node: KnownNode) -> None:
        """Add or replace a node; visible at once."""
        self._indexed = Indexed([*self._indexed.by_name.values(), node])
        self._changed = True
        self.generation += 1

    def lookup(self, node: str) -> KnownNode | None:
        """See Directory."""
        return self._indexed.by_name.get(node)

    def of_pole(self, pole: str) -> KnownNode | None:
        """See Directory."""
        return self._indexed.by_pole.get(pole)

    def of_feeder(self, commune: str, feeder: str) -> Collection[str]:
        """See Directory."""
        return self._indexed.by_feeder.get((commune, feeder), ())

    def refresh(self) -> bool:
        """Whether `add` was called since the last refresh."""
        self.refreshes += 1
        changed, self._changed = self._changed, False
        return changed
