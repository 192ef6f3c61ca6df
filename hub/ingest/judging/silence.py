"""Which nodes have missed their heartbeats: a heap of deadlines, touched once per node and period.

Times here are seconds of a monotonic clock, so that a step of the hub's wall clock silences nobody. While
the hub has no broker nobody is judged; after it connects, everyone has three heartbeats' time.
"""

from __future__ import annotations

import heapq

MISSED_HEARTBEATS = 3


class SilenceWatch:
    """Tells which nodes have been silent for three of their own heartbeats."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, str]] = []
        self._heard: dict[str, tuple[float, int]] = {}
        self._next: dict[str, float] = {}
        self._listening_since: float | None = None

    def listening(self, since: float | None) -> None:
        """The hub's connection to the broker came up at `since`, or is down (None)."""
        self._listening_since = since

    def heard(self, node: str, at: float, heartbeat_s: int) -> None:
        """Any message of the node is a sign of life."""
        self._heard[node] = (at, heartbeat_s)
        self._expect(node, at + MISSED_HEARTBEATS * heartbeat_s)

    def expect(self, node: str, heartbeat_s: int) -> None:
        """A word is due from this node; one not heard yet is judged from when the hub began to listen."""
        self._heard.setdefault(node, (float("-inf"), heartbeat_s))
        self._expect(node, float("-inf"))

    def due(self, now: float) -> dict[str, float]:
        """Nodes that became silent, and at which second; each is told once until it is heard again."""
        if self._listening_since is None:
            return {}
        silent: dict[str, float] = {}
        while self._heap and self._heap[0][0] <= now:
            at_latest, node = heapq.heappop(self._heap)
            if self._next.get(node) != at_latest:
                continue  # the node has since promised shorter heartbeats
            at, heartbeat_s = self._heard[node]
            deadline = max(at, self._listening_since) + MISSED_HEARTBEATS * heartbeat_s
            if deadline <= now:
                del self._next[node]
                silent[node] = deadline
            else:
                self._push(node, deadline)
        return silent

    def _expect(self, node: str, deadline: float) -> None:
        queued = self._next.get(node)
        if queued is None or deadline < queued:
            self._push(node, deadline)

    def _push(self, node: str, deadline: float) -> None:
        self._next[node] = deadline
        heapq.heappush(self._heap, (deadline, node))
