"""Nodes for tests: their configuration, and items for their outbox."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from edge.camera.surroundings import Surroundings
from edge.camera.watch import CameraWatch
from edge.clock import Clock
from edge.config import NodeConfig
from protocol.messages import Event, LampReading, Sample

NODE = "tg-0001"
COMMUNE = "tram-than"
POLE = "TG-0001"
EVENING = datetime(2026, 3, 21, 12, 0, tzinfo=UTC)
"""19:00 in Trạm Thản, an hour after sunset."""
NOON = datetime(2026, 3, 21, 5, 0, tzinfo=UTC)


def where_it_is(solar_hour: float) -> dict[str, Any]:
    """A pole's settings that put it where it is this hour now, for agents under the machine's own clock."""
    now = datetime.now(UTC)
    east = (solar_hour - now.hour - now.minute / 60) * 15
    return {"longitude": (east + 180) % 360 - 180}


def node_config(
    data_dir: Path, *, port: int = 1883, pole: dict[str, Any] | None = None, **changes: Any
) -> NodeConfig:
    """One mock pole in Trạm Thản with a plain broker on loopback; `changes` replace top-level settings."""
    settings: dict[str, Any] = {
        "node": NODE,
        "commune": COMMUNE,
        "data_dir": str(data_dir),
        "clock": "trusted",
        "broker": {"host": "127.0.0.1", "port": port, "will_delay_s": 0, "reconnect_max_s": 0.5},
        "poles": [
            {
                "code": POLE,
                "latitude": 21.4731,
                "longitude": 105.255,
                "lamp_rated_w": 60.0,
                "lamp": {"driver": "mock"},
                "meter": {"driver": "mock"},
                **(pole or {}),
            }
        ],
    }
    return msgspec.convert({**settings, **changes}, NodeConfig)


def sample(*, time: datetime = EVENING, pole: str = POLE) -> Sample:
    """A sample as a node makes it, before the outbox gives it its seq."""
    return Sample(
        seq=1, pole=pole, time=time, clock="synced", lamp=LampReading(effect_level=1.0, reason="sun")
    )


def stamped(clock: Clock) -> Sample:
    """A sample of this moment of a clock."""
    now = clock.moment()
    return msgspec.structs.replace(
        sample(time=now.utc), clock=now.quality, boot=now.boot, mono_s=now.mono_s
    )


def event(*, time: datetime = EVENING, kind: str = "device_reset") -> Event:
    """An event, before the outbox gives it its seq."""
    return Event(seq=1, time=time, clock="synced", kind=kind)


def no_cameras(config: NodeConfig, clock: Clock) -> CameraWatch:
    """The cameras of a node that has none."""

    def tell(kind: str, **_: object) -> None:
        raise AssertionError(f"{kind} told of a camera that does not exist")

    nothing = Surroundings(lambda _: None, lambda _: None, lambda _: False, lambda: None)
    return CameraWatch(config, {}, clock=clock, surroundings=nothing, tell=tell)
