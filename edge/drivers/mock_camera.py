"""A camera and its relay without a network and without pins."""

from __future__ import annotations

from edge.camera.devices import ProbeError, StreamResult, StreamState
from edge.drivers.ports import Reachability


class MockCamera:
    """Reachable while `reachable` says so."""

    def __init__(self, *, reachable: bool = True, latency_ms: float = 4.0) -> None:
        self.reachable = reachable
        self.latency_ms = latency_ms

    async def probe(self) -> Reachability:
        """What was set."""
        return Reachability(self.reachable, self.latency_ms if self.reachable else None)


class MockStream:
    """Says what was set."""

    def __init__(self, state: StreamState = "live") -> None:
        self.state = state

    async def probe(self) -> StreamResult:
        """What was set."""
        return StreamResult(self.state)


class MockSnapshot:
    """Gives the picture that was set; none is a camera that gives none."""

    pixel_true = True

    def __init__(self, jpeg: bytes | None = None) -> None:
        self.jpeg = jpeg

    async def fetch(self) -> bytes:
        """What was set. Raises ProbeError without a picture."""
        if self.jpeg is None:
            raise ProbeError("no snapshot: answered 404")
        return self.jpeg


class MockDeviceClock:
    """A camera's clock that goes wrong by what was set, seconds."""

    def __init__(self, offset_s: float = 0.0) -> None:
        self.offset_s = offset_s

    async def clock_offset_s(self) -> float:
        """What was set."""
        return self.offset_s


class MockRecorder:
    """A recorder whose newest recording ended as long ago as was set."""

    def __init__(self, age_s: float = 0.0) -> None:
        self.age_s = age_s

    async def recording_age_s(self) -> float:
        """What was set."""
        return self.age_s


class MockCameraPower:
    """Remembers what it was driven to, and how often power was taken away."""

    def __init__(self) -> None:
        self.cuts = 0
        self.closed = False
        self._powered = True

    def set_powered(self, powered: bool) -> None:
        """Remember."""
        if self._powered and not powered:
            self.cuts += 1
        self._powered = powered

    def powered(self) -> bool:
        """What was set last."""
        return self._powered

    def close(self) -> None:
        """The safe state: power."""
        self._powered, self.closed = True, True
