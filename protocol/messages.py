"""The messages, one class per topic kind, with units in the names and limits on the fields.

Times are aware UTC datetimes (RFC 3339 on the wire); levels are 0.0 (off) to 1.0 (full). A field that is
absent means unknown, never zero: a silent meter has no `meter`, it does not read 0 W. Fields a peer does
not know are ignored, so that a newer node can talk to an older hub; a wrong type or a value outside the
limits is refused by the codec with the path of the field.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

from msgspec import Meta, Struct

UtcTime = Annotated[datetime, Meta(tz=True, description="RFC 3339 with an offset, UTC")]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="node or commune name")]
Code = Annotated[str, Meta(pattern=r"^[A-Z0-9][A-Z0-9-]{0,30}$", description="code such as TG-0042")]
Word = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="a word of the contract")]
Seq = Annotated[int, Meta(ge=1, le=2**53 - 1, description="place in the epoch, from 1, no gaps")]
Level = Annotated[float, Meta(ge=0, le=1, description="0 off, 1 full")]
Clock = Literal["synced", "unsynced"]
SchemaVersion = Annotated[int, Meta(ge=1, le=1)]


class LampReading(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the lamp was told, what is in effect and why. Measured power stands in `MeterReading`."""

    commanded_level: Level | None = None
    """What the standing override asks for; absent without one."""
    effect_level: Level
    """What the output is driven to now."""
    reason: Word
    """Why: `photocell`, `sun`, `override`, `fail_lit` …"""
    override_until: UtcTime | None = None


class MeterReading(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Electrical values of one pole's lamp circuit."""

    power_w: Annotated[float, Meta(ge=0, le=20_000)]
    voltage_v: Annotated[float, Meta(ge=0, le=500)] | None = None
    current_a: Annotated[float, Meta(ge=0, le=100)] | None = None
    power_factor: Annotated[float, Meta(ge=-1, le=1)] | None = None
    energy_wh: Annotated[float, Meta(ge=0, le=1e12)] | None = None
    """The meter's own running total."""


class CameraReading(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether a camera answers on the network."""

    camera: Code
    reachable: bool
    latency_ms: Annotated[float, Meta(ge=0, le=60_000)] | None = None


class Sample(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One pole at one moment. Identified for ever by (node, epoch, seq)."""

    seq: Seq
    pole: Code
    time: UtcTime
    clock: Clock
    historical: bool = False
    """True when sent again or late: never raises a live alert."""
    lamp: LampReading
    meter: MeterReading | None = None
    """Absent when the meter is silent: unknown, not 0 W."""
    dark: bool | None = None
    """The photocell's word; absent without one or when it does not answer."""
    cameras: Annotated[list[CameraReading], Meta(max_length=32)] = []


class Telemetry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Samples of one epoch. QoS 1, not retained."""

    v: SchemaVersion
    node: Name
    epoch: UUID
    """Made when the node's outbox was created; a new outbox starts a new epoch at seq 1."""
    sent_at: UtcTime
    samples: Annotated[list[Sample], Meta(min_length=1, max_length=500)]


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What can't wait, or must not be lost: `supply_loss`, `lamp_failure`, `device_reset` …"""

    seq: Seq
    time: UtcTime
    clock: Clock
    historical: bool = False
    kind: Word
    pole: Code | None = None
    detail: Annotated[dict[str, str | int | float | bool | None], Meta(max_length=32)] = {}


class EventMessage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Events of one epoch; the same guarantees as telemetry, sent first."""

    v: SchemaVersion
    node: Name
    epoch: UUID
    sent_at: UtcTime
    events: Annotated[list[Event], Meta(min_length=1, max_length=500)]


class NodeState(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Birth, heartbeat, and (as last will) `lost`. Retained, QoS 1."""

    v: SchemaVersion
    node: Name
    session: UUID
    """Made at each connection; a will that carries an older one is ignored."""
    status: Literal["online", "lost", "stopped"]
    time: UtcTime
    connected_at: UtcTime
    clock: Clock
    heartbeat_s: Annotated[int, Meta(ge=1, le=3600)]
    """Promise: the next state message comes within this time. Three missed make the node stale."""
    epoch: UUID
    queued: Annotated[int, Meta(ge=0)] = 0
    """What waits in the outbox."""
    agent_version: Annotated[str, Meta(max_length=40)] = ""
    config_version: Annotated[int, Meta(ge=0)] = 0
    poles: Annotated[list[Code], Meta(max_length=64)] = []


class Receipt(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a command: `accepted`, then one of the other four."""

    v: SchemaVersion
    node: Name
    epoch: UUID
    seq: Seq
    time: UtcTime
    clock: Clock
    historical: bool = False
    command: UUID
    pole: Code
    status: Literal["accepted", "applied", "rejected", "expired", "superseded"]
    level: Level | None = None
    """In effect after the command."""
    power_w: Annotated[float, Meta(ge=0, le=20_000)] | None = None
    """Measured after the command; absent when the meter is silent."""
    reason: Annotated[str, Meta(max_length=200)] = ""


class Range(NamedTuple):
    """Seqs from first to last, both included; an array of two numbers on the wire."""

    first: Seq
    last: Seq


class SetAside(Struct, frozen=True, kw_only=True):
    """Seqs that the hub keeps as rejected: the node need not send them again."""

    first: Seq
    last: Seq
    reason: Word


class Stored(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The hub's word that these are committed to disk. Only then may the node forget them."""

    v: SchemaVersion
    node: Name
    epoch: UUID
    ranges: Annotated[list[Range], Meta(max_length=1000)] = []
    set_aside: Annotated[list[SetAside], Meta(max_length=1000)] = []


class Command(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One lamp command. QoS 1, never retained, and an override always ends."""

    v: SchemaVersion
    id: UUID
    node: Name
    pole: Code
    action: Literal["lamp_override", "lamp_auto"]
    level: Level | None = None
    until: UtcTime | None = None
    issued_at: UtcTime
    expires_at: UtcTime

    def __post_init__(self) -> None:
        """Refuse an override without level or end, and times that run backwards."""
        if self.expires_at <= self.issued_at:
            raise ValueError("expires_at must be after issued_at")
        if self.action == "lamp_override":
            if self.level is None or self.until is None:
                raise ValueError("lamp_override needs level and until: an override always ends")
            if self.until <= self.issued_at:
                raise ValueError("until must be after issued_at")
        elif self.level is not None or self.until is not None:
            raise ValueError("lamp_auto takes neither level nor until")


class PoleConfig(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a node needs to know of one pole to light it alone."""

    pole: Code
    latitude: Annotated[float, Meta(ge=-90, le=90)]
    longitude: Annotated[float, Meta(ge=-180, le=180)]
    lamp_rated_w: Annotated[float, Meta(gt=0, le=20_000)]


class Config(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The configuration the hub wants in force. Retained; the node reports the version it runs."""

    v: SchemaVersion
    node: Name
    version: Annotated[int, Meta(ge=1)]
    sample_interval_s: Annotated[float, Meta(ge=0.05, le=3600)]
    heartbeat_s: Annotated[int, Meta(ge=1, le=3600)]
    poles: Annotated[list[PoleConfig], Meta(min_length=1, max_length=64)]


Message = Telemetry | EventMessage | NodeState | Receipt | Stored | Command | Config
