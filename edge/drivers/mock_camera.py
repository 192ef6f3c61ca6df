"""A camera that answers without a network."""

from __future__ import annotations

from edge.drivers.ports import Reachability


class MockCamera:
    """Reachable while `reachable` says so."""

    def __init__(self, *, reachable: bool = True, latency_ms: float = 4.0) -> None:
        self.reachable = reachable
        self.latency_ms = latency_ms

    async def probe(self) -> Reachability:
        """What was set."""
        return Reachability(self.reachable, self.latency_ms if self.reachable else None)
