"""The live state of all poles in one place, put together from what each capability tells.

A board is loaded whole once and then follows by revision, so that the event stream costs what has changed
and not what exists.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from hub.api.schemas import CameraOut, CommandOut, FaultOut, IncidentOut, PoleSummary
from hub.api.schemas.batches import BatchOut, LeftOutOut, ScopeBoth
from hub.api.words import incident_title
from hub.commands.batch_reads import BatchView, moved
from hub.commands.store import CommandView, commands
from hub.incidents.reads import IncidentView, incidents
from hub.ingest.lamp_status import LampStatus, is_measured, lamp_status
from hub.ingest.reads import NodeStatus, PoleStatus, latest_revision, node_states, pole_states
from hub.registry.reads import PoleInfo, poles
from hub.registry.reads import revision as registry_revision

_ALL = 1_000_000
"""More than can be open or change at once: reads want a limit."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is new on a board since it was last looked at."""

    poles: list[str]
    incidents: list[IncidentView]
    commands: list[CommandView]
    batches: list[BatchView]
    whole: bool
    """The registry changed: every pole may differ, and some may be gone."""


class Board:
    """All poles with their newest sample, their node's state and their open incidents."""

    def __init__(self) -> None:
        self.revision = 0
        self._registry_revision = -1
        self._info: dict[str, PoleInfo] = {}
        self._of_node: dict[str, list[str]] = {}
        self._of_commune: dict[str, list[str]] = {}
        self._nodes_of: dict[str, set[str]] = defaultdict(set)
        self._open_in: Counter[str] = Counter()
        self._pole: dict[str, PoleStatus] = {}
        self._node: dict[str, NodeStatus] = {}
        self._open: dict[int, IncidentView] = {}
        self._open_count: Counter[str] = Counter()

    @classmethod
    def load(cls, conn: Connection) -> Board:
        """The board as the database has it now."""
        board = cls()
        board.follow(conn)
        return board

    def follow(self, conn: Connection) -> Change:
        """Take in what was committed since the last time, and tell what it touched."""
        since, now_at = self.revision, latest_revision(conn)
        registered = registry_revision(conn)
        whole = registered != self._registry_revision
        if whole:
            self._info = {info.code: info for info in poles(conn)}
            of_node: dict[str, list[str]] = defaultdict(list)
            of_commune: dict[str, list[str]] = defaultdict(list)
            for info in self._info.values():
                of_commune[info.commune_code].append(info.code)
                if info.node is not None:
                    of_node[info.node].append(info.code)
            self._of_node, self._of_commune = dict(of_node), dict(of_commune)
            self._registry_revision = registered
        touched: set[str] = set(self._info) if whole else set()
        changed_incidents: list[IncidentView] = []
        changed_commands: list[CommandView] = []
        changed_batches: list[BatchView] = []
        if now_at != since:
            if now_at < since:  # another database stands where ours stood: begin anew
                self._pole, self._node, self._open, since = {}, {}, {}, 0
                self._nodes_of.clear()
            touched |= self._take_states(conn, since)
            changed_incidents = incidents(
                conn, status="all" if since else "open", since_revision=since, limit=_ALL
            )
            touched |= self._take_incidents(changed_incidents)
            changed_commands = commands(conn, since_revision=since, limit=1000) if since else []
            changed_batches = moved(conn, since) if since else []
            self.revision = now_at
        if whole or changed_incidents:
            self._count()
        return Change(
            sorted(touched & self._info.keys()), changed_incidents, changed_commands, changed_batches, whole
        )

    def changed_since(self, conn: Connection, revision: int) -> Change:
        """What changed after an earlier revision, for a reader that comes back to a loaded board."""
        changed_incidents = incidents(conn, status="all", since_revision=revision, limit=_ALL)
        touched = {pole.pole for pole in pole_states(conn, revision)}
        for node in node_states(conn, revision):
            touched.update(self._of_node.get(node.node, ()))
        for one in changed_incidents:
            touched.update(self._concerned(one))
        changed_commands = commands(conn, since_revision=revision, limit=1000)
        return Change(
            sorted(touched & self._info.keys()),
            changed_incidents,
            changed_commands,
            moved(conn, revision),
            False,
        )

    def codes(self) -> Iterable[str]:
        """All poles, by code."""
        return self._info.keys()

    def info(self, code: str) -> PoleInfo:
        """A pole as registered; raises KeyError."""
        return self._info[code]

    def codes_of(self, commune: str) -> Sequence[str]:
        """The poles of one commune, by code."""
        return self._of_commune.get(commune, ())

    def nodes_of(self, commune: str) -> list[NodeStatus]:
        """The nodes of one commune that were ever heard."""
        return [self._node[name] for name in self._nodes_of.get(commune, ())]

    def open_in(self, commune: str) -> int:
        """How many incidents are open in one commune; what another open one explains is not counted again."""
        return self._open_in[commune]

    def commune_of(self, one: IncidentView) -> str:
        """Where an incident belongs: as it was noted, else where its pole or node is registered."""
        if one.commune:
            return one.commune
        if one.pole is not None and one.pole in self._info:
            return self._info[one.pole].commune_code
        node = self._node.get(one.originator) if one.originator_type == "node" else None
        return "" if node is None else node.commune

    def state(self, code: str, now: datetime) -> LampStatus:
        """What the lamp does now; time alone can turn it to `unknown`."""
        info = self._info[code]
        return lamp_status(self._pole.get(code), self._node.get(info.node or ""), info.lamp_rated_w, now)

    def summary(self, code: str, now: datetime) -> PoleSummary:
        """One pole as the list shows it; raises KeyError for an unknown code."""
        info = self._info[code]
        node = self._node.get(info.node or "")
        return pole_summary(info, self._pole.get(code), node, self._open_count[code], now)

    def _take_states(self, conn: Connection, since: int) -> set[str]:
        touched: set[str] = set()
        for pole in pole_states(conn, since):
            self._pole[pole.pole] = pole
            touched.add(pole.pole)
        for node in node_states(conn, since):
            before = self._node.get(node.node)
            if before is not None and before.commune != node.commune:
                self._nodes_of[before.commune].discard(node.node)
            self._node[node.node] = node
            self._nodes_of[node.commune].add(node.node)
            touched.update(self._of_node.get(node.node, ()))
        return touched

    def _take_incidents(self, changed: Iterable[IncidentView]) -> set[str]:
        touched: set[str] = set()
        for one in changed:
            if one.closed_at is None:
                self._open[one.id] = one
            else:
                self._open.pop(one.id, None)
            touched.update(self._concerned(one))
        return touched

    def _concerned(self, one: IncidentView) -> Iterable[str]:
        """A node's incident concerns each of its poles."""
        if one.originator_type == "node":
            return self._of_node.get(one.originator, ())
        return () if one.pole is None else (one.pole,)

    def _count(self) -> None:
        self._open_count = Counter(code for one in self._open.values() for code in self._concerned(one))
        self._open_in = Counter(
            self.commune_of(one) for one in self._open.values() if one.parent_id not in self._open
        )


def pole_summary(
    info: PoleInfo, pole: PoleStatus | None, node: NodeStatus | None, open_incidents: int, now: datetime
) -> PoleSummary:
    """A pole as registered, with its newest sample and its node's state where there are any."""
    faults = () if pole is None else pole.faults
    return PoleSummary(
        code=info.code,
        place=info.place,
        commune=info.commune_code,
        hamlet=info.hamlet,
        feeder=info.feeder,
        node=info.node,
        latitude=info.latitude,
        longitude=info.longitude,
        lamp_rated_w=info.lamp_rated_w,
        state=lamp_status(pole, node, info.lamp_rated_w, now),
        measured=is_measured(pole),
        level=None if pole is None else pole.effect_level,
        reason=None if pole is None else pole.reason,
        power_w=None if pole is None else pole.power_w,
        voltage_v=None if pole is None else pole.voltage_v,
        sample_at=None if pole is None else pole.sample_at,
        last_seen_at=None if node is None else node.last_seen_at,
        override_until=None if pole is None else pole.override_until,
        open_incidents=open_incidents,
        cameras=_cameras(info, pole),
        faults=[fault_out(one) for one in faults],
        maintenance=pole is not None and (pole.reason == "maintenance" or "maintenance_mode" in faults),
    )


def _cameras(info: PoleInfo, pole: PoleStatus | None) -> list[CameraOut]:
    told = {} if pole is None else {one.camera: one for one in pole.cameras}
    return [
        CameraOut(
            code=code,
            reachable=one.reachable,
            stream=one.stream,
            picture=one.picture,
            clock_offset_s=one.clock_offset_s,
            recording_age_s=one.recording_age_s,
            powered=one.powered,
        )
        if (one := told.get(code)) is not None
        else CameraOut(code=code, reachable=None)
        for code in info.cameras
    ]


def fault_out(kind: str) -> FaultOut:
    """A standing diagnosis with its titles."""
    title_vi, title_en = incident_title(kind)
    return FaultOut(kind=kind, title_vi=title_vi, title_en=title_en)


def incident_out(one: IncidentView) -> IncidentOut:
    """An incident with its titles."""
    title_vi, title_en = incident_title(one.kind)
    return IncidentOut(
        id=one.id,
        kind=one.kind,
        title_vi=title_vi,
        title_en=title_en,
        originator_type=one.originator_type,
        originator=one.originator,
        pole=one.pole,
        commune=one.commune,
        feeder=one.feeder,
        severity=one.severity,
        opened_at=one.opened_at,
        since_at=one.since_at,
        closed_at=one.closed_at,
        closed_how=one.closed_how,
        closed_by=one.closed_by,
        evidence=dict(one.opened_evidence),
        closed_evidence=None if one.closed_evidence is None else dict(one.closed_evidence),
        parent_id=one.parent_id,
        quiet_reason=one.quiet_reason,
        acknowledged_at=one.acknowledged_at,
        acknowledged_by=one.acknowledged_by,
        assigned_group=one.assigned_group,
    )


def command_out(one: CommandView) -> CommandOut:
    """A command with its receipts."""
    return CommandOut.model_validate(one)


def batch_out(one: BatchView) -> BatchOut:
    """A command for many, and how far it has come."""
    scope = one.scope
    return BatchOut(
        id=one.id,
        action=one.action,
        level=one.level,
        until=one.until,
        cameras=one.cameras,
        scope=ScopeBoth(kind=scope.kind, commune=scope.commune, name=scope.name, poles=list(scope.poles)),
        why=one.why,
        requested_by=one.requested_by,
        issued_at=one.issued_at,
        expires_at=one.expires_at,
        total=one.total,
        counts=one.counts,
        finished=one.finished,
        left_out=[LeftOutOut.model_validate(left) for left in one.left_out],
        retry_of=one.retry_of,
        reverts=one.reverts,
        cancelled_at=one.cancelled_at,
        cancelled_by=one.cancelled_by,
    )
