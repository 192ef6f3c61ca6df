"""What hangs on a pole for one camera, and what each part is asked. Mocks: edge/drivers/mock_camera.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from edge.drivers.ports import CameraProbe

StreamState = Literal["live", "no_media", "unauthorised", "not_found", "refused", "no_answer"]


class ProbeError(Exception):
    """A camera's answer can't be understood, is too large, or does not come. The text says which."""


@dataclass(frozen=True, slots=True)
class StreamResult:
    """What RTSP said, and what came."""

    state: StreamState
    codec: str = ""
    packets: int = 0
    detail: str = ""


class StreamProbe(Protocol):
    """Asks for a stream."""

    async def probe(self) -> StreamResult:
        """Ask once. A stream that does not come is a result, not an error. Raises DriverError."""
        ...


class SnapshotSource(Protocol):
    """Gives pictures."""

    @property
    def pixel_true(self) -> bool:
        """Whether two pictures of the same frame are the same to the pixel."""
        ...

    async def fetch(self) -> bytes:
        """One JPEG. Raises ProbeError where the camera gives none, DriverError for our own fault."""
        ...


class DeviceClock(Protocol):
    """Tells the camera's time."""

    async def clock_offset_s(self) -> float:
        """The camera's clock minus ours, seconds. Raises ProbeError, DriverError."""
        ...


class Recorder(Protocol):
    """Tells of recordings."""

    async def recording_age_s(self) -> float:
        """Seconds since the newest recording ended. Raises ProbeError, DriverError."""
        ...


class CameraPower(Protocol):
    """The relay in the camera's supply. Its safe state is power."""

    def set_powered(self, powered: bool) -> None:
        """Feed the camera or cut it off. Raises DriverError."""
        ...

    def powered(self) -> bool:
        """What the relay is driven to. Raises DriverError."""
        ...

    def close(self) -> None:
        """Let go of the output: the wiring feeds the camera."""
        ...


@dataclass(frozen=True, slots=True)
class CameraDevices:
    """One camera's probes, from light to heavy. What is not configured is None and is never asked."""

    reach: CameraProbe
    stream: StreamProbe | None = None
    snapshot: SnapshotSource | None = None
    clock: DeviceClock | None = None
    recorder: Recorder | None = None
    power: CameraPower | None = None

    def close(self) -> None:
        """Let go of the relay."""
        if self.power is not None:
            self.power.close()
