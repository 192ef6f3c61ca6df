"""What the API answers and takes: a pydantic model per thing, units in the names, times RFC 3339 in UTC."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from hub.access.model import Role
from hub.commands.model import Action, CommandStatus
from hub.funding.model import ContributorKind, EntryKind
from hub.ingest.lamp_status import LampStatus
from hub.ingest.reads import NodeWord


class Out(BaseModel):
    """An answer; built from the plain dataclasses that the capabilities' reads return."""

    model_config = ConfigDict(from_attributes=True)


class In(BaseModel):
    """A request body; a field that is not known is an error, not silently dropped."""

    model_config = ConfigDict(extra="forbid")


class CameraOut(Out):
    """A camera of a pole; `reachable` is null while nobody knows."""

    code: str
    reachable: bool | None


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


class PoleList(Out):
    """Poles by code. Give `revision` to `/api/v1/events?since=` and no change in between is missed."""

    items: list[PoleSummary]
    as_of: datetime
    revision: int


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
    originator_type: Literal["node", "pole", "camera"]
    originator: str
    pole: str | None
    opened_at: datetime
    closed_at: datetime | None
    evidence: dict[str, Any]
    closed_evidence: dict[str, Any] | None


class IncidentList(Out):
    """Newest first."""

    items: list[IncidentOut]


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
    """A lamp command and what became of it."""

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
    receipts: list[ReceiptOut]


class CommandList(Out):
    """Newest first."""

    items: list[CommandOut]


class PoleDetail(PoleSummary):
    """A pole as its own page shows it."""

    commune_name: str
    programme: str
    group: str
    node_state: NodeStateOut | None
    incidents: list[IncidentOut]
    funding: FundingOut
    last_command: CommandOut | None


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


class RejectOut(Out):
    """A message that was refused and kept aside."""

    id: int
    received_at: datetime
    topic: str
    node: str | None
    seq: int | None
    reason: str
    detail: str
    size: int
    sha256: str


class RejectList(Out):
    """Newest first."""

    items: list[RejectOut]


class OverrideIn(In):
    """Hold a lamp at a level (0 off, 1 full) until a moment at most 24 hours ahead."""

    level: Annotated[float, Field(ge=0, le=1, strict=True, allow_inf_nan=False)]
    until: AwareDatetime


class LoginIn(In):
    """Name and password."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    password: Annotated[str, Field(min_length=1, max_length=200)]


class PasswordIn(In):
    """A new password for the one who is signed in."""

    password: Annotated[str, Field(max_length=400)]


class UserOut(Out):
    """Somebody who may sign in."""

    name: str
    role: Role


class UserList(Out):
    """By name."""

    items: list[UserOut]


class NewUserIn(In):
    """Somebody new, with a first password that they should change."""

    name: Annotated[str, Field(max_length=64)]
    role: Literal[Role.VIEWER, Role.STAFF, Role.ADMIN]
    password: Annotated[str, Field(max_length=400)]


class SessionOut(Out):
    """Who is signed in; without a password yet, the page asks for one."""

    user: UserOut
    has_password: bool


class LineIn(In):
    """A pole's part of an entry: a whole number of đồng."""

    pole: Annotated[str, Field(max_length=31)]
    amount_vnd: Annotated[int, Field(ge=1, strict=True)]


class EntryIn(In):
    """A ledger entry. `description` is published, `memo` is for staff; a name only with consent."""

    kind: EntryKind
    happened_on: date
    idempotency_key: Annotated[str, Field(min_length=1, max_length=120)]
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=1000)]
    contributor_kind: ContributorKind | None = None
    contributor_name: Annotated[str, Field(max_length=160)] | None = None
    name_public: bool = False
    description: Annotated[str, Field(max_length=300)] = ""
    memo: Annotated[str, Field(max_length=300)] = ""


class ReversalIn(In):
    """Undo an entry; say why."""

    idempotency_key: Annotated[str, Field(min_length=1, max_length=120)]
    memo: Annotated[str, Field(min_length=1, max_length=300)]


class EntryOut(Out):
    """A ledger entry; `amount_vnd` is the part of `pole`, or the whole where `pole` is null."""

    id: int
    happened_on: date
    recorded_at: datetime
    kind: EntryKind
    pole: str | None
    amount_vnd: int
    contributor_kind: ContributorKind | None
    contributor_name: str | None
    description: str
    memo: str
    by: str
    reverses_id: int | None
    reversed_by_id: int | None
    hash: str


class PoleFundingOut(Out):
    """A pole's money, its sums and its entries, newest first."""

    pole: str
    funding: FundingOut
    entries: list[EntryOut]


class FundingList(Out):
    """The whole ledger: totals, each pole's sums, the newest entries, and the chain's head to print."""

    totals: FundingOut
    poles: dict[str, FundingOut]
    entries: list[EntryOut]
    head_id: int
    head_hash: str


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
