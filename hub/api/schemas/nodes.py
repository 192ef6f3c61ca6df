"""What the API answers and takes about the configuration of nodes; see `hub.api.schemas`.

Bounds are not repeated here: the wire contract's own are applied, and a refusal names the field.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from hub.api.schemas import In, Out
from hub.ingest.reads import NodeWord
from hub.nodeconfig.model import Standing
from hub.nodeconfig.store import Cause

Why = Annotated[str, Field(min_length=1, max_length=300, description="kept in the history")]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class DimmingStepBoth(In):
    """From this local time of day on (HH:MM, UTC+7) a due lamp burns at this level, 0 to 1."""

    at: Annotated[str, Field(max_length=5)]
    level: Finite


class LampProfileBoth(In):
    """How a lamp burns through a night; `dimming` runs from noon to noon, empty is full light."""

    dusk_offset_min: Finite = 0.0
    dawn_offset_min: Finite = 0.0
    dimming: list[DimmingStepBoth] = Field(default_factory=list, max_length=12)
    motion_level: Finite | None = None
    motion_hold_s: Finite = 120.0
    power_tolerance_share: Finite = 0.25


class AgentReleaseBoth(In):
    """The release of the agent that a node should run; who changes it is an administrator."""

    version: Annotated[str, Field(max_length=40)]
    sha256: Annotated[str, Field(max_length=64)]


class NodeProfileBoth(In):
    """What people decide for a node. `lamp` holds for its poles, `lamps` for those that differ, by code."""

    sample_interval_s: Finite = 30.0
    report_interval_s: Finite | None = None
    heartbeat_s: int = 30
    lamp: LampProfileBoth = LampProfileBoth()
    lamps: dict[str, LampProfileBoth] = Field(default_factory=dict, max_length=64)
    agent: AgentReleaseBoth | None = None


class NodeConfigIn(In):
    """A wish and its reason. With `based_on` (0: none yet) it stands only on that version."""

    profile: NodeProfileBoth
    why: Why
    based_on: Annotated[int, Field(ge=0)] | None = None


class NodeConfigsIn(In):
    """One profile for all nodes with a pole in a commune, or in one of its hamlets or feeders.

    Each node keeps its agent release; poles that differed no longer do.
    """

    commune: Annotated[str, Field(max_length=63)]
    hamlet: Annotated[str, Field(max_length=160)] | None = None
    feeder: Annotated[str, Field(max_length=64)] | None = None
    profile: NodeProfileBoth
    why: Why


class PoleFactsOut(Out):
    """What the registry says of a pole; degrees WGS 84, watts."""

    pole: str
    latitude: float
    longitude: float
    lamp_rated_w: float


class ConfigVersionOut(Out):
    """One version; `made_by` is empty where the hub followed a change of the registry."""

    version: int
    made_at: datetime
    made_by: str
    cause: Cause
    why: str
    profile: NodeProfileBoth


class ConfigRefusalOut(Out):
    """Why the node did not put a configuration in force, in its own words."""

    at: datetime
    reason: str


class NodeConfigOut(Out):
    """What is wished for a node beside what it runs; `in_force` is null for a node that was never heard.

    Without `desired` the node runs by its own file, and `profile` holds what a wish would begin with.
    """

    node: str
    standing: Standing
    in_force: int | None
    desired: ConfigVersionOut | None
    profile: NodeProfileBoth
    poles: list[PoleFactsOut]
    refusal: ConfigRefusalOut | None


class NodeStandingOut(Out):
    """One node: `desired` and `in_force` are versions, null where nothing was wished or heard."""

    node: str
    poles: list[str]
    standing: Standing
    desired: int | None
    in_force: int | None
    refusal: ConfigRefusalOut | None
    status: NodeWord | None
    last_seen_at: datetime | None
    agent_version: str


class NodeStandingList(Out):
    """By name."""

    items: list[NodeStandingOut]


class ConfigHistoryOut(Out):
    """Newest first."""

    items: list[ConfigVersionOut]


class BulkRefusalOut(Out):
    """A node that the profile does not fit."""

    node: str
    detail: str
    detail_vi: str


class NodeConfigsOut(Out):
    """What one profile for many did: nodes with a new version, nodes that had it, nodes it does not fit."""

    changed: list[str]
    unchanged: list[str]
    refused: list[BulkRefusalOut]
