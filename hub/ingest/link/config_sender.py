"""Keeps the broker's retained configurations what the database wants them to be.

A broker that was restarted may have lost what it retained, so after every new connection all are sent again,
a few at a time. A node ignores a version that it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import islice

from sqlalchemy import Engine

from hub.ingest.judging.directory import Directory
from hub.ingest.link.port import BrokerLink
from hub.ingest.state import IngestState
from hub.nodeconfig.delivery import adapted, changed_since, to_publish
from hub.nodeconfig.facts import facts_by_node
from hub.nodeconfig.store import Desired
from hub.registry import reads as registry

AT_ONCE = 100
"""Configurations sent in one round: a province's worth must not hold up the samples' commits."""


class ConfigSender:
    """`reader` never writes; what must be written is handed to the caller's transaction."""

    def __init__(self, reader: Engine, link: BrokerLink) -> None:
        self._reader = reader
        self._link = link
        self._connected_since: float | None = None
        self._known_revision = 0
        self._registry_revision: int | None = None
        self._waiting: dict[str, None] = {}

    def send(self, directory: Directory) -> None:
        """Publish what is new, or after a new connection everything."""
        connected_since = self._link.connected_since
        if connected_since is None:
            return
        if connected_since != self._connected_since:
            self._connected_since = connected_since
            self._known_revision = 0
        with self._reader.connect() as conn:
            nodes, self._known_revision = changed_since(conn, self._known_revision)
            self._waiting |= dict.fromkeys(nodes)
            turn = list(islice(self._waiting, AT_ONCE))
            outgoing = to_publish(conn, turn, lambda name: _commune(directory, name)) if turn else []
        held_up = {one.node for one in outgoing if not self._publish(one.topic, one.payload)}
        for node in turn:
            if node not in held_up:
                del self._waiting[node]

    def adapted(self, state: IngestState, directory: Directory, now: datetime) -> Sequence[Desired]:
        """New versions that a changed registry calls for; empty while it has not changed."""
        with self._reader.connect() as conn:
            revision = registry.revision(conn)
            if revision == self._registry_revision:
                return ()
            self._registry_revision = revision
            facts = facts_by_node(registry.poles(conn))
            if state.scope.tokens is not None:  # the others are another worker's to make
                facts = {node: of_node for node, of_node in facts.items() if directory.lookup(node)}
            return adapted(conn, facts, lambda name: _reported(state, name), now)

    def forget(self) -> None:
        """What was last handed over was not written: look at the registry again."""
        self._registry_revision = None

    def _publish(self, topic: str, payload: bytes) -> bool:
        return self._link.publish(topic, payload, expiry_s=None, retain=True)


def _commune(directory: Directory, name: str) -> str | None:
    known = directory.lookup(name)
    return None if known is None else known.commune


def _reported(state: IngestState, name: str) -> int:
    live = state.nodes.get(name)
    return 0 if live is None else live.config_version
