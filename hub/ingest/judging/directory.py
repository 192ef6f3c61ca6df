"""Who is known: the ingest's view of the registry, behind a port, with its fake beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class KnownNode:
    """A node of the registry with its poles; `lamp_rated_w` per pole where the registry has it."""

    name: str
    commune: str
    poles: frozenset[str]
    lamp_rated_w: Mapping[str, float] = field(default_factory=dict)
    cameras: Mapping[str, str] = field(default_factory=dict)
    """The cameras of its poles: code to pole."""


class Directory(Protocol):
    """Looked up for every message, so `lookup` must not touch the database."""

    def lookup(self, node: str) -> KnownNode | None:
        """The node as of the last refresh; None when the registry has no such one."""

    def refresh(self) -> bool:
        """Look whether the registry changed, and read it again if so. May touch the database."""


class InMemoryDirectory:
    """A directory that holds what it is given; for tests and load runs without a registry."""

    def __init__(self, *nodes: KnownNode) -> None:
        self._nodes = {node.name: node for node in nodes}
        self._changed = False
        self.refreshes = 0

    def add(self, node: KnownNode) -> None:
        """Add or replace a node; visible at once."""
        self._nodes[node.name] = node
        self._changed = True

    def lookup(self, node: str) -> KnownNode | None:
        """See Directory."""
        return self._nodes.get(node)

    def refresh(self) -> bool:
        """Whether `add` was called since the last refresh."""
        self.refreshes += 1
        changed, self._changed = self._changed, False
        return changed
