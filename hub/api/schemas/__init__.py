"""What the API answers and takes: a pydantic model per thing, units in the names, times RFC 3339 in UTC.

Here is what many routes share, poles and lamps first; what belongs to one of them has a file of its own beside.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from hub.commands.model import Action, CommandStatus
from hub.incidents.model import OriginatorType
from hub.incidents.reads import Severity
from hub.ingest.lamp_status import LampStatus
from hub.ingest.reads import NodeWord


class Out(BaseModel):
    """An answer; built from the plain dataclasses that the capabilities' reads return."""

    model_config = ConfigDict(from_attributes=True)


class In(BaseModel):
    """A request body; a field that is not known is an error, not silently dropped.

    A NUL character is refused in any text: PostgreSQL can't store one.
    """

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _no_nul(cls, values: Any) -> Any:
        if isinstance(values, dict) and any(
            isinstance(one, str) and "\0" in one for one in values.values()
        ):
            raise ValueError("a NUL character is not text")
        return values


class CameraOut(Out):
    """A camera of a pole, as far as it was asked; null is unknown. The words are those of the wire contract.

    `clock_offset_s` is the camera's clock minus the node's, `recording_age_s` counts since the newest
    recording ended, `powered` is what its power relay is driven to.
    """

    code: str
    reachable: bool | None
    stream: str | None = None
    picture: str | None = None
    clock_offset_s: float | None = None
    recording_age_s: float | None = None
    powered: bool | None = None


class FaultOut(Out):
    """A diagnosis of the node that stands now."""

    kind: str
    title_vi: str
    title_en: str


class PoleSummary(Out):
    """A pole as the list and the map show it. `power_w` null is a silent meter, never zero watts."""

    code: str
    place: str
    commune: str
    hamlet: str
    feeder: str
    node: str | None
    latitude: float
    longitude: float
    lamp_rated_w: float
    state: LampStatus
    measured: bool
    """Whether a meter stands behind `state`, or only the node's own word."""
    level: float | None
    reason: str | None
    power_w: float | None
    voltage_v: float | None
    sample_at: datetime | None
    last_seen_at: datetime | None
    override_until: datetime | None
    open_incidents: int
    cameras: list[CameraOut]
    faults: list[FaultOut]
    maintenance: bool
    """People work at the pole: its lamp stays lit and no fault is told."""


class PoleList(Out):
    """Poles by code. Give `revision` to `/api/v1/events?since=` and no change in between is missed."""

    items: list[PoleSummary]
    as_of: datetime
    revision: int
    next_cursor: str | None = None
    """Give it back as `cursor` for the next page; null: these are the last."""


class NodeStateOut(Out):
    """What the hub knows of the node on a pole."""

    status: NodeWord
    last_seen_at: datetime
    clock: str
    queued: int
    agent_version: str


class IncidentOut(Out):
    """An outage or fault from its start to its end."""

    id: int
    kind: str
    title_vi: str
    title_en: str
    originator_type: OriginatorType
    originator: str
    pole: str | None
    commune: str
    """Empty where none is known: those who work for single communes do not see it."""
    feeder: str | None
    severity: Severity
    opened_at: datetime
    """When the hub opened it."""
    since_at: datetime | None
    """Since when the trouble lasts, as far as is known."""
    closed_at: datetime | None
    closed_how: Literal["measured", "by_hand", "corrected"] | None
    closed_by: str | None
    evidence: dict[str, Any]
    closed_evidence: dict[str, Any] | None
    parent_id: int | None
    """The incident that explains this one, such as its feeder's outage."""
    quiet_reason: str | None
    """Why nobody is notified of it: `group`, `maintenance`, `flapping`; null: notices go out."""
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    assigned_group: str | None


class FundingOut(Out):
    """Whole đồng. `received` = cash + in kind; `balance` = received − spent = cash and goods on hand."""

    need_vnd: int
    received_cash_vnd: int
    received_in_kind_vnd: int
    received_vnd: int
    spent_vnd: int
    balance_vnd: int
    balance_cash_vnd: int
    balance_in_kind_vnd: int


class ReceiptOut(Out):
    """One word of a node about a command; `power_w` was measured after it."""

    status: CommandStatus
    at: datetime
    power_w: float | None
    level: float | None
    reason: str


class CommandOut(Out):
    """A command and what became of it; `camera` where it is one for a camera."""

    id: str
    pole: str
    action: Action
    level: float | None
    until: datetime | None
    issued_at: datetime
    expires_at: datetime
    status: CommandStatus
    status_at: datetime
    power_w: float | None
    receipt_level: float | None
    reason: str
    requested_by: str
    camera: str | None
    batch: str | None
    """The command for many that this is a part of."""
    receipts: list[ReceiptOut]


class CommandList(Out):
    """Newest first."""

    items: list[CommandOut]


class CountersOut(Out):
    """What added up over the lamp's life on its node."""

    burning_s: int
    switches: int
    energy_wh: float
    supply_losses: int


class BatteryOut(Out):
    """A charge controller; `charge_share` 0 empty, 1 full."""

    battery_v: float
    charge_share: float | None = None
    panel_w: float | None = None
    load_w: float | None = None
    temperature_c: float | None = None


class PhaseOut(Out):
    """One phase at the feeder's head."""

    power_w: float
    voltage_v: float | None = None
    current_a: float | None = None


class CabinetOut(Out):
    """The node's cabinet. `lamps_w` sums the lamps' own meters, of which `unknown_poles` were silent."""

    temperature_c: float | None = None
    door_open: bool | None = None
    supply_present: bool | None = None
    phases: list[PhaseOut] = []
    lamps_w: float | None = None
    unknown_poles: int = 0


class PoleDetail(PoleSummary):
    """A pole as its own page shows it."""

    commune_name: str
    programme: str
    group: str
    node_state: NodeStateOut | None
    incidents: list[IncidentOut]
    funding: FundingOut
    last_command: CommandOut | None
    maintenance_until: datetime | None
    due: bool | None
    """Whether the road should be lit now, by the node's own word."""
    counters: CountersOut | None
    battery: BatteryOut | None
    cabinet: CabinetOut | None


class SeriesColumns(Out):
    """Columns of equal length; `time` in Unix seconds, null where nothing was measured."""

    time: list[float]
    power_w: list[float | None]
    voltage_v: list[float | None]
    level: list[float | None]
    camera_reachable: list[float | None]


class TelemetryOut(Out):
    """A pole's chart."""

    pole: str
    start: datetime
    end: datetime
    columns: SeriesColumns


class CommuneOut(Out):
    """A commune under its present name and those people still use."""

    code: str
    name: str
    province: str
    former_names: list[str]
    latitude: float | None
    longitude: float | None


class StateCounts(Out):
    """How many lamps are in each state."""

    lit: int = 0
    dark: int = 0
    off: int = 0
    on_by_day: int = 0
    unknown: int = 0


class NodeCounts(Out):
    """How many nodes are in each state; a node that was never heard is in none."""

    online: int = 0
    silent: int = 0
    lost: int = 0
    stopped: int = 0


class FundingSummary(Out):
    """Whole đồng over all poles."""

    need_vnd: int
    received_vnd: int
    spent_vnd: int
    balance_vnd: int


class SummaryOut(Out):
    """A commune at a glance."""

    commune: CommuneOut
    poles: int
    states: StateCounts
    open_incidents: int
    rejects: int
    nodes: NodeCounts
    funding: FundingSummary


class OverrideIn(In):
    """Hold a lamp at a level (0 off, 1 full) until a moment at most 24 hours ahead."""

    level: Annotated[float, Field(ge=0, le=1, strict=True, allow_inf_nan=False)]
    until: AwareDatetime


class MaintenanceIn(In):
    """Work at the pole until a moment at most 24 hours ahead."""

    until: AwareDatetime


class RowErrorOut(Out):
    """What is wrong in one row of a file, and what to do."""

    row: int
    column: str
    message_vi: str
    message_en: str


class ImportOut(Out):
    """What an import did, or with `dry_run` would do; with errors nothing is stored."""

    stored: bool
    created: int
    updated: int
    unchanged: int
    errors: list[RowErrorOut]
    ignored_columns: list[str]
    """Headers that mean nothing to the import: what stands under them was not stored."""
