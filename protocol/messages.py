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
    """Why: `photocell`, `sun`, `override`, `motion`, `maintenance`, `fail_lit` …"""
    override_until: UtcTime | None = None
    due: bool | None = None
    """Whether the road should be lit now by schedule or photocell, whatever an override wants; absent when
    the node can't tell."""


class MeterReading(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Electrical values of one pole's lamp circuit."""

    power_w: Annotated[float, Meta(ge=0, le=20_000)]
    voltage_v: Annotated[float, Meta(ge=0, le=500)] | None = None
    current_a: Annotated[float, Meta(ge=0, le=100)] | None = None
    power_factor: Annotated[float, Meta(ge=-1, le=1)] | None = None
    energy_wh: Annotated[float, Meta(ge=0, le=1e12)] | None = None
    """The meter's own running total."""
    frequency_hz: Annotated[float, Meta(ge=0, le=100)] | None = None


class LampCounters(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What adds up over a lamp's life on this node, kept across restarts. Sent hourly and at a change."""

    burning_s: Annotated[int, Meta(ge=0)]
    """Seconds with the output above 0 (TALQ: burning hours)."""
    switches: Annotated[int, Meta(ge=0)]
    """Times the output went from off to lit."""
    energy_wh: Annotated[float, Meta(ge=0, le=1e12)]
    """Added up from the meter's differences, so that a meter's reset or exchange loses nothing."""
    supply_losses: Annotated[int, Meta(ge=0)]


class BatteryReading(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A solar lamp's charge controller, or a node's own battery."""

    battery_v: Annotated[float, Meta(ge=0, le=200)]
    charge_share: Level | None = None
    """State of charge, 0 empty, 1 full."""
    panel_w: Annotated[float, Meta(ge=0, le=20_000)] | None = None
    load_w: Annotated[float, Meta(ge=0, le=20_000)] | None = None
    temperature_c: Annotated[float, Meta(ge=-60, le=150)] | None = None


class CabinetReading(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What concerns the node and its cabinet as a whole, once a tick, in the sample of its first pole."""

    temperature_c: Annotated[float, Meta(ge=-60, le=150)] | None = None
    door_open: bool | None = None
    supply_present: bool | None = None
    """The mains' own input; absent where no such input is wired."""
    phases: Annotated[list[MeterReading], Meta(max_length=3)] = []
    """The feeder-head meter: one reading per phase."""
    lamps_w: Annotated[float, Meta(ge=0, le=1_000_000)] | None = None
    """The sum of the lamps' own meters, where every one of them answered."""
    unknown_poles: Annotated[int, Meta(ge=0)] = 0
    """Poles of this cabinet whose meter was silent at this tick."""


class CameraReading(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far a camera is known to work: its port, its stream, its picture, its clock, its recording.

    A field stands there only where that was asked and is not older than two rounds of asking.
    """

    camera: Code
    reachable: bool
    latency_ms: Annotated[float, Meta(ge=0, le=60_000)] | None = None
    stream: Literal["live", "no_media", "unauthorised", "not_found", "refused", "no_answer"] | None = None
    """What RTSP said: `live` means RTP packets came."""
    picture: Literal["ok", "frozen", "dark", "covered", "defocused", "moved", "unreadable"] | None = None
    clock_offset_s: Annotated[float, Meta(ge=-4e9, le=4e9)] | None = None
    """The camera's clock minus the node's, while the node's is synchronised."""
    recording_age_s: Annotated[float, Meta(ge=0, le=4e9)] | None = None
    """Seconds since the newest recording ended."""
    powered: bool | None = None
    """What the camera's power relay is driven to; absent without one."""


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
    boot: UUID | None = None
    """The machine's boot during which it was taken (/proc/sys/kernel/random/boot_id)."""
    mono_s: Annotated[float, Meta(ge=0, le=1e10)] | None = None
    """Seconds of that boot's steady clock: the order and the distance of its samples, whatever the wall
    clock did."""
    time_corrected: bool = False
    """True: taken with a wrong clock; `time` was reckoned from `mono_s` once the clock had become right."""
    faults: Annotated[list[Word], Meta(max_length=32)] = []
    """Diagnoses that stand now on this pole, by event kind: `lamp_failure`, `cycling_failure` …"""
    counters: LampCounters | None = None
    battery: BatteryReading | None = None
    cabinet: CabinetReading | None = None


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
    camera: Code | None = None
    active: bool | None = None
    """True: it begins; False: it has ended; absent: it happened at this moment."""
    boot: UUID | None = None
    mono_s: Annotated[float, Meta(ge=0, le=1e10)] | None = None
    time_corrected: bool = False
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
    """Promise: the next message of any kind comes within this time. Three missed make the node stale."""
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
    boot: UUID | None = None
    mono_s: Annotated[float, Meta(ge=0, le=1e10)] | None = None
    time_corrected: bool = False
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
    """One command for a pole or its camera. QoS 1, never retained; what it sets always ends.

    `lamp_override` sets a level until `until`, `lamp_auto` ends it. `maintenance_begin` tells the node that
    people work at the pole until `until`: its lamp stays lit, nothing is power-cycled and no fault is told;
    `maintenance_end` ends it. `camera_cycle` switches a camera's power off and on once.
    """

    v: SchemaVersion
    id: UUID
    node: Name
    pole: Code
    action: Literal["lamp_override", "lamp_auto", "maintenance_begin", "maintenance_end", "camera_cycle"]
    level: Level | None = None
    until: UtcTime | None = None
    camera: Code | None = None
    issued_at: UtcTime
    expires_at: UtcTime

    def __post_init__(self) -> None:
        """Refuse an action without what it needs or with what it doesn't, and times that run backwards."""
        if self.expires_at <= self.issued_at:
            raise ValueError("expires_at must be after issued_at")
        needs = _NEEDS[self.action]
        for name, value in (("level", self.level), ("until", self.until), ("camera", self.camera)):
            if (value is not None) != (name in needs):
                word = "needs" if name in needs else "does not take"
                raise ValueError(f"{self.action} {word} {name}")
        if self.until is not None and self.until <= self.issued_at:
            raise ValueError("until must be after issued_at: what a command sets always ends")


_NEEDS = {
    "lamp_override": {"level", "until"},
    "lamp_auto": set[str](),
    "maintenance_begin": {"until"},
    "maintenance_end": set[str](),
    "camera_cycle": {"camera"},
}


class DimmingStep(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """From this local time of day on, a due lamp burns at this level."""

    at: Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="HH:MM, UTC+7")]
    level: Level


class PoleConfig(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a node needs to know of one pole to light and judge it alone."""

    pole: Code
    latitude: Annotated[float, Meta(ge=-90, le=90)]
    longitude: Annotated[float, Meta(ge=-180, le=180)]
    lamp_rated_w: Annotated[float, Meta(gt=0, le=20_000)]
    dusk_offset_min: Annotated[float, Meta(ge=-120, le=120)] = 0.0
    """Minutes after the sun's setting at which the lamp is due; negative is earlier."""
    dawn_offset_min: Annotated[float, Meta(ge=-120, le=120)] = 0.0
    """Minutes after the sun's rising until which the lamp is due; negative is earlier."""
    dimming: Annotated[list[DimmingStep], Meta(max_length=12)] = []
    """The night's profile; empty is full light all night. The step last passed is in force, over midnight."""
    motion_level: Level | None = None
    """What a due lamp is raised to while something moves; absent leaves motion out of it."""
    motion_hold_s: Annotated[float, Meta(ge=1, le=3600)] = 120.0
    power_tolerance_share: Annotated[float, Meta(ge=0.05, le=1)] = 0.25
    """How far measured power may stray from the expected before it is a diagnosis."""


class AgentRelease(Struct, frozen=True, kw_only=True):
    """The release of the agent that this node should run."""

    version: Annotated[str, Meta(pattern=r"^[0-9A-Za-z][0-9A-Za-z.+-]{0,39}$")]
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    """Of the release's file; what does not match is not installed."""


class Config(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The configuration the hub wants in force. Retained; the node reports the version it runs."""

    v: SchemaVersion
    node: Name
    version: Annotated[int, Meta(ge=1)]
    sample_interval_s: Annotated[float, Meta(ge=0.05, le=3600)]
    report_interval_s: Annotated[float, Meta(ge=0, le=3600)] | None = None
    """How long samples may wait to travel together; 0 sends each tick at once; absent keeps the node's own."""
    heartbeat_s: Annotated[int, Meta(ge=1, le=3600)]
    poles: Annotated[list[PoleConfig], Meta(min_length=1, max_length=64)]
    agent: AgentRelease | None = None


Message = Telemetry | EventMessage | NodeState | Receipt | Stored | Command | Config
