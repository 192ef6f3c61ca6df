"""Messages as nodes send them, for the ingest's tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from protocol import (
    CameraReading,
    Event,
    EventMessage,
    Kind,
    LampReading,
    MeterReading,
    NodeState,
    Receipt,
    Sample,
    Telemetry,
    encode,
    topic,
)

COMMUNE = "tram-than"
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
EPOCH = UUID("11111111-1111-4111-8111-111111111111")
SESSION = UUID("22222222-2222-4222-8222-222222222222")
RATED_W = 40.0


def node_name(number: int) -> str:
    return f"tg-{number:04d}"


def pole_code(number: int) -> str:
    return f"TG-{number:04d}"


def node_topic(number: int, kind: Kind) -> str:
    return topic(COMMUNE, node_name(number), kind)


def sample(
    seq: int,
    *,
    number: int = 1,
    at: datetime = START,
    level: float = 1.0,
    power_w: float | None = RATED_W,
    historical: bool = False,
    clock: Literal["synced", "unsynced"] = "synced",
    cameras: list[CameraReading] | None = None,
    override_until: datetime | None = None,
) -> Sample:
    return Sample(
        seq=seq,
        pole=pole_code(number),
        time=at,
        clock=clock,
        historical=historical,
        lamp=LampReading(effect_level=level, reason="sun", override_until=override_until),
        meter=MeterReading(power_w=power_w, voltage_v=230.0) if power_w is not None else None,
        cameras=cameras or [],
    )


def telemetry(*samples: Sample, number: int = 1, epoch: UUID = EPOCH, sent_at: datetime = START) -> bytes:
    return encode(
        Telemetry(v=1, node=node_name(number), epoch=epoch, sent_at=sent_at, samples=list(samples))
    )


def events(*items: Event, number: int = 1, epoch: UUID = EPOCH) -> bytes:
    return encode(EventMessage(v=1, node=node_name(number), epoch=epoch, sent_at=START, events=list(items)))


def event(seq: int, *, number: int = 1, at: datetime = START, **detail: Any) -> Event:
    return Event(
        seq=seq, time=at, clock="synced", kind="supply_loss", pole=pole_code(number), detail=detail
    )


def state(
    *,
    number: int = 1,
    status: Literal["online", "lost", "stopped"] = "online",
    session: UUID = SESSION,
    at: datetime = START,
    connected_at: datetime | None = None,
    heartbeat_s: int = 10,
    queued: int = 0,
) -> bytes:
    return encode(
        NodeState(
            v=1,
            node=node_name(number),
            session=session,
            status=status,
            time=at,
            connected_at=connected_at or at,
            clock="synced",
            heartbeat_s=heartbeat_s,
            epoch=EPOCH,
            queued=queued,
            agent_version="0.1.0",
            poles=[pole_code(number)],
        )
    )


def receipt(
    seq: int,
    command: str,
    status: Literal["accepted", "applied", "rejected", "expired", "superseded"],
    *,
    number: int = 1,
    pole: int | None = None,
    at: datetime = START,
    power_w: float | None = None,
    level: float | None = None,
    reason: str = "",
) -> bytes:
    return encode(
        Receipt(
            v=1,
            node=node_name(number),
            epoch=EPOCH,
            seq=seq,
            time=at,
            clock="synced",
            command=UUID(command),
            pole=pole_code(number if pole is None else pole),
            status=status,
            level=level,
            power_w=power_w,
            reason=reason,
        )
    )


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)
