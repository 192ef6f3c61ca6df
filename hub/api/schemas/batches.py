"""Commands for many poles at once, as the API takes and answers them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field, model_validator

from hub.api.schemas import In, Out
from hub.commands.model import Action, CommandStatus
from hub.commands.scope import CameraChoice, ScopeKind

MOST_POLES = 4000
"""As many codes as fit a request's body; whoever wants more names a programme or a commune."""

PoleCode = Annotated[str, Field(min_length=1, max_length=31)]


class ScopeBoth(In):
    """Where it holds: a commune; a hamlet, feeder or group of a commune; a programme; or poles by code."""

    kind: ScopeKind
    commune: Annotated[str | None, Field(max_length=63)] = None
    name: Annotated[str, Field(max_length=160)] = ""
    poles: Annotated[list[PoleCode], Field(max_length=MOST_POLES, default_factory=list)]

    @model_validator(mode="after")
    def _says_where(self) -> ScopeBoth:
        if self.kind == "poles":
            if not self.poles:
                raise ValueError("poles needs at least one code")
            return self
        if self.poles:
            raise ValueError("poles goes with the kind poles alone")
        if self.commune is None and self.kind != "programme":
            raise ValueError(f"{self.kind} needs its commune")
        if self.kind != "commune" and not self.name:
            raise ValueError(f"{self.kind} needs a name")
        return self


class PreviewIn(In):
    """Whom a wish would reach."""

    action: Action
    scope: ScopeBoth
    cameras: CameraChoice = "offline"
    """For `camera_cycle`: those known to be offline, or all."""


class BatchIn(PreviewIn):
    """A wish for many. `level` goes with `lamp_override`; `until`, at most 24 hours ahead, also with
    `maintenance_begin`. The same `idempotency_key` again makes no second one.
    """

    idempotency_key: Annotated[str, Field(min_length=1, max_length=100)]
    why: Annotated[str, Field(min_length=1, max_length=300)]
    level: Annotated[float | None, Field(ge=0, le=1, strict=True, allow_inf_nan=False)] = None
    until: AwareDatetime | None = None
    valid_for_s: Annotated[int, Field(ge=60, le=3600)] = 900
    """How long a command may be on its way; a node that comes back later gets nothing stale."""

    @model_validator(mode="after")
    def _fits_the_action(self) -> BatchIn:
        if (self.level is not None) != (self.action == "lamp_override"):
            raise ValueError("level goes with lamp_override, and with nothing else")
        if (self.until is not None) != (self.action in ("lamp_override", "maintenance_begin")):
            raise ValueError("until goes with lamp_override and maintenance_begin, and with nothing else")
        return self


class RetryIn(In):
    """Once more for those who refused or never answered."""

    idempotency_key: Annotated[str, Field(min_length=1, max_length=100)]
    valid_for_s: Annotated[int, Field(ge=60, le=3600)] = 900


class LeftOutOut(Out):
    """A pole or camera in the scope that cannot be commanded: `no_node`, `no_relay`, `no_such_pole`."""

    pole: str
    camera: str | None
    reason: str


class PreviewOut(Out):
    """How many commands there would be, and how many of their nodes are online now."""

    total: int
    online: int
    left_out: list[LeftOutOut]
    offline_poles: list[str]
    """The first 50 poles whose node is not online: they get it only if they come back in time."""


class BatchOut(Out):
    """A wish for many and how far it has come; `counts` by status adds up to `total`."""

    id: str
    action: Action
    level: float | None
    until: datetime | None
    cameras: CameraChoice | None
    scope: ScopeBoth
    why: str
    requested_by: str
    issued_at: datetime
    expires_at: datetime
    total: int
    counts: dict[CommandStatus, int]
    finished: bool
    left_out: list[LeftOutOut]
    retry_of: str | None
    reverts: str | None
    cancelled_at: datetime | None
    cancelled_by: str | None


class BatchList(Out):
    """Newest first. Give `revision` to `/api/v1/events?since=` and no change in between is missed."""

    items: list[BatchOut]
    revision: int


class ResultOut(Out):
    """What became of one pole's or camera's command; `power_w` was measured after it."""

    id: str
    pole: str
    camera: str | None
    node: str
    status: CommandStatus
    status_at: datetime
    reason: str
    power_w: float | None
    level: float | None


class BatchDetail(BatchOut):
    """A wish with a page of its results, by pole; `next_offset` null at the end."""

    results: list[ResultOut]
    next_offset: int | None


class CancelOut(Out):
    """The wish that was taken back, and the one that reverses what it had already done, if that was needed."""

    cancelled: BatchOut
    reverting: BatchOut | None
