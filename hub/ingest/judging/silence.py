"""Which nodes have missed their heartbeats: a heap of deadlines, touched once per node and period.

Times here are seconds of a monotonic clock, so that a step of the hub's wall clock silences nobody. While
the hub has no broker nobody is judged; after it connects, everyone has three heartbeats' time.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping

MISSED_HEARTBEATS = 3


class _Watched:
    """One node: when it was last heard, what it promised then, and when it is looked at next."""

    __slots__ = ("heard_s", "heartbeat_s", "look_s")

    def __init__(self, heard_s: float, heartbeat_s: int) -> None:
        self.heard_s = heard_s
        self.heartbeat_s = heartbeat_s
        self.look_s: float | None = None


class SilenceWatch:
    """Tells which nodes have been silent for three of their own heartbeats."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, str]] = []
        self._nodes: dict[str, _Watched] = {}
        self._listening_since: float | None = None

    def listening(self, since: float | None) -> None:
        """The hub's connection to the broker came up at `since`, or is down (None)."""
        self._listening_since = since

    def heard(self, heartbeats_s: Mapping[str, int], at: float) -> None:
        """Any message of a node is a sign of life; each node with its heartbeat, a few thousand at once."""
        nodes = self._nodes
        for node, heartbeat_s in heartbeats_s.items():
            watched = nodes.get(node)
            if watched is None:
                watched = nodes[node] = _Watched(at, heartbeat_s)
            else:
                watched.heard_s = at
                watched.heartbeat_s = heartbeat_s
            if watched.look_s is None or watched.look_s > at + MISSED_HEARTBEATS * heartbeat_s:
                self._look(node, watched, at + MISSED_HEARTBEATS * heartbeat_s)

    def expect(self, node: str, heartbeat_s: int) -> None:
        """A word is due from this node; one not heard yet is judged from when the hub began to listen."""
        watched = self._nodes.setdefault(node, _Watched(float("-inf"), heartbeat_s))
        if watched.look_s is None or watched.look_s > float("-inf"):
            self._look(node, watched, float("-inf"))

    def due(self, now: float) -> dict[str, float]:
        """Nodes that became silent, and at which second; each is told once until it is heard again."""
        if self._listening_since is None:
            return {}
        silent: dict[str, float] = {}
        while self._heap and self._heap[0][0] <= now:
            at, node = heapq.heappop(self._heap)
            watched = self._nodes[node]
            if watched.look_s != at:
                continue  # the node has since promised shorter heartbeats
            deadline = max(watched.heard_s, self._listening_since) + MISSED_HEARTBEATS * watched.heartbeat_s
            if deadline <= now:
                watched.look_s = None
                silent[node] = deadline
            else:
                self._look(node, watched, deadline)
        return silent

    def _look(self, node: str, watched: _Watched, at: float) -> None:
        watched.look_s = at
        heapq.heappush(self._heap, (at, node))
