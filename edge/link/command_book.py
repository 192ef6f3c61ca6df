"""What becomes of a command: taken once, judged by its times, followed to its last receipt.

Decisions take the time as an argument and touch no lamp and no camera: they say which override or maintenance
stands, which camera is to be cycled and which receipts are due. What must outlive a restart is given out as
notes, to be stored with the receipts. A command competes only with those of its own pole and topic: the lamp,
its maintenance, one camera.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal, TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct

from edge.lamp.lamp_control import Maintenance, Override
from protocol.messages import Command

T = TypeVar("T", bound=Struct)

REMEMBER_FOR = timedelta(days=2)
"""After its expiry nobody sends a command again; two days cover any clock's mistake."""
COMMAND_NOTE = "command/"
OVERRIDE_NOTE = "override/"
MAINTENANCE_NOTE = "maintenance/"
LAMP = "lamp"
MAINTENANCE = "maintenance"


@dataclass(frozen=True, slots=True)
class Now:
    """One moment on both clocks."""

    utc: datetime
    monotonic_s: float
    synced: bool


class CommandNote(Struct, frozen=True, kw_only=True):
    """What is remembered of a command that was taken."""

    pole: str
    issued_at: datetime
    expires_at: datetime
    pending: bool
    topic: str = LAMP
    """What it is about; a camera's code for a camera."""


class OverrideNote(Struct, frozen=True, kw_only=True):
    """A standing override, for after a restart."""

    level: float
    until: datetime
    command: UUID
    issued_at: datetime
    saved_at: datetime


class MaintenanceNote(Struct, frozen=True, kw_only=True):
    """A standing maintenance, for after a restart."""

    until: datetime
    command: UUID
    issued_at: datetime
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """A receipt that is due."""

    command: UUID
    pole: str
    status: Literal["accepted", "rejected", "expired", "superseded"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What taking a command leads to. `override` speaks only where `lamp_changes`, and so does
    `maintenance` where `maintenance_changes`.
    """

    verdicts: list[Verdict] = field(default_factory=list)
    notes: dict[str, bytes | None] = field(default_factory=dict)
    lamp_changes: bool = False
    override: Override | None = None
    maintenance_changes: bool = False
    maintenance: Maintenance | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What outlived a restart, by pole. `over`: poles whose maintenance ended meanwhile, or can't be told."""

    overrides: dict[str, Override]
    maintenances: dict[str, Maintenance]
    over: list[str]


@dataclass(frozen=True, slots=True)
class Pending:
    """An accepted command whose last receipt is due: once the lamp has settled, or the camera is cycled."""

    command: UUID
    pole: str
    note: CommandNote
    measure_at_s: float
    interrupted: bool = False
    """The agent has started anew since it was accepted."""

    @property
    def camera(self) -> str | None:
        """The camera that is to be cycled; None for a command to the lamp."""
        return None if self.note.topic in (LAMP, MAINTENANCE) else self.note.topic


class CommandBook:
    """The commands of one node."""

    def __init__(
        self, cameras: Mapping[str, Collection[str]], *, settle_s: float, override_max_h: float
    ) -> None:
        """`cameras`: the codes of each pole's cameras, by the codes of all poles of the node."""
        self._cameras = cameras
        self._settle_s = settle_s
        self._override_max = timedelta(hours=override_max_h)
        self._seen: dict[UUID, CommandNote] = {}
        self._newest: dict[tuple[str, str], tuple[datetime, UUID]] = {}
        self._pending: dict[tuple[str, str], Pending] = {}

    def take(self, command: Command, now: Now) -> Outcome:
        """Judge one command. One that was seen before leads to nothing: its receipts are on their way."""
        if command.id in self._seen:
            return Outcome()
        refusal = self._refuse(command, now)
        if refusal is not None:
            return Outcome([refusal], self._remember(command, now, pending=False))
        key = (command.pole, _topic(command))
        verdicts = []
        older = self._pending.pop(key, None)
        notes: dict[str, bytes | None] = {}
        if older is not None:
            verdicts.append(Verdict(older.command, older.pole, "superseded", f"by {command.id}"))
            notes |= self._close(older)
        notes |= self._remember(command, now, pending=True)
        self._newest[key] = (command.issued_at, command.id)
        settle_s = 0.0 if command.camera is not None else self._settle_s
        self._pending[key] = Pending(
            command.id, command.pole, self._seen[command.id], now.monotonic_s + settle_s
        )
        verdicts.append(Verdict(command.id, command.pole, "accepted"))
        if command.action in ("lamp_override", "lamp_auto"):
            override = _override(command, now)
            notes[OVERRIDE_NOTE + command.pole] = (
                None if override is None else _override_note(override, now)
            )
            return Outcome(verdicts, notes, lamp_changes=True, override=override)
        if command.action in ("maintenance_begin", "maintenance_end"):
            maintenance = _maintenance(command, now)
            notes[MAINTENANCE_NOTE + command.pole] = (
                None if maintenance is None else _maintenance_note(maintenance, now)
            )
            return Outcome(verdicts, notes, maintenance_changes=True, maintenance=maintenance)
        return Outcome(verdicts, notes)

    def settled(self, monotonic_s: float) -> list[Pending]:
        """Accepted commands whose lamp has had its time; each is given out once."""
        ready = [pending for pending in self._pending.values() if pending.measure_at_s <= monotonic_s]
        for pending in ready:
            del self._pending[pending.pole, pending.note.topic]
        return ready

    def wait_until(self, pending: Pending, monotonic_s: float) -> None:
        """Measure this one later after all, for its lamp is still held back."""
        self._pending.setdefault(
            (pending.pole, pending.note.topic), replace(pending, measure_at_s=monotonic_s + self._settle_s)
        )

    def next_settled_s(self) -> float | None:
        """When (steady clock) the next accepted command is ready for its measurement."""
        return min((pending.measure_at_s for pending in self._pending.values()), default=None)

    def applied(self, pending: Pending) -> dict[str, bytes | None]:
        """The notes to store with the last receipt of a command."""
        return self._close(pending)

    def restore(
        self,
        commands: Mapping[str, bytes],
        overrides: Mapping[str, bytes],
        maintenances: Mapping[str, bytes],
        now: Now,
    ) -> Standing:
        """Take up after a restart: what was seen, what is pending, and what still stands.

        With a clock that ran on from the last known time (or is right) a wish keeps its end; one whose end
        can't be told, because the clock stands before the moment it was saved, is dropped.
        """
        for key, value in commands.items():
            note = _read(value, CommandNote)
            if note is None:
                continue
            self._seen[UUID(key)] = note
            if note.pending and note.pole in self._cameras:
                measure_at_s = now.monotonic_s + self._settle_s
                self._pending[note.pole, note.topic] = Pending(
                    UUID(key), note.pole, note, measure_at_s, interrupted=True
                )
            newest = self._newest.get((note.pole, note.topic))
            if newest is None or newest[0] < note.issued_at:
                self._newest[note.pole, note.topic] = (note.issued_at, UUID(key))
        standing = Standing({}, {}, [])
        for pole, value in overrides.items():
            saved = _read(value, OverrideNote)
            if saved is not None and pole in self._cameras and saved.saved_at <= now.utc < saved.until:
                standing.overrides[pole] = Override(
                    saved.until,
                    _ends_s(saved.until, now),
                    saved.command,
                    saved.issued_at,
                    level=saved.level,
                )
        for pole, value in maintenances.items():
            work = _read(value, MaintenanceNote)
            if work is not None and pole in self._cameras and work.saved_at <= now.utc < work.until:
                standing.maintenances[pole] = Maintenance(
                    work.until, _ends_s(work.until, now), work.command, work.issued_at
                )
            elif pole in self._cameras:
                standing.over.append(pole)
        return standing

    def _refuse(self, command: Command, now: Now) -> Verdict | None:
        def verdict(status: Literal["rejected", "expired", "superseded"], reason: str) -> Verdict:
            return Verdict(command.id, command.pole, status, reason)

        if command.pole not in self._cameras:
            return verdict("rejected", "unknown_pole: this node does not serve it")
        if command.camera is not None and command.camera not in self._cameras[command.pole]:
            return verdict("rejected", "unknown_camera: this pole does not have it")
        # Without a clock to believe, the broker's own expiry has already dropped what is too old.
        if now.synced and now.utc >= command.expires_at:
            return verdict("expired", "")
        newest = self._newest.get((command.pole, _topic(command)))
        if newest is not None and command.issued_at < newest[0]:
            return verdict("superseded", f"by {newest[1]}")
        if command.until is not None:
            length = command.until - command.issued_at
            if length > self._override_max:
                hours = self._override_max.total_seconds() / 3600
                what = "override" if command.action == "lamp_override" else "maintenance"
                return verdict("rejected", f"{what}_too_long: at most {hours:g} h")
            if now.synced and now.utc >= command.until:
                return verdict("rejected", "until_passed")
        return None

    def _remember(self, command: Command, now: Now, *, pending: bool) -> dict[str, bytes | None]:
        note = CommandNote(
            pole=command.pole,
            issued_at=command.issued_at,
            expires_at=command.expires_at,
            pending=pending,
            topic=_topic(command),
        )
        notes: dict[str, bytes | None] = {COMMAND_NOTE + str(command.id): msgspec.json.encode(note)}
        if now.synced:
            for old in [
                id_ for id_, seen in self._seen.items() if seen.expires_at + REMEMBER_FOR < now.utc
            ]:
                if not self._seen[old].pending:
                    del self._seen[old]
                    notes[COMMAND_NOTE + str(old)] = None
        self._seen[command.id] = note
        return notes

    def _close(self, pending: Pending) -> dict[str, bytes | None]:
        note = msgspec.structs.replace(pending.note, pending=False)
        self._seen[pending.command] = note
        return {COMMAND_NOTE + str(pending.command): msgspec.json.encode(note)}


def _read(note: bytes, type_: type[T]) -> T | None:
    """A note as it was written; None for one that another version of the agent wrote in another shape."""
    try:
        return msgspec.json.decode(note, type=type_)
    except msgspec.DecodeError:
        return None


def _topic(command: Command) -> str:
    if command.camera is not None:
        return command.camera
    return LAMP if command.action in ("lamp_override", "lamp_auto") else MAINTENANCE


def _override(command: Command, now: Now) -> Override | None:
    if command.until is None or command.level is None:
        return None
    return Override(
        command.until,
        _end_of(command, command.until, now),
        command.id,
        command.issued_at,
        level=command.level,
    )


def _maintenance(command: Command, now: Now) -> Maintenance | None:
    if command.until is None:
        return None
    return Maintenance(command.until, _end_of(command, command.until, now), command.id, command.issued_at)


def _end_of(command: Command, until: datetime, now: Now) -> float:
    """Its end by the steady clock; without a right wall clock its whole length counts from its arrival."""
    start = now.utc if now.synced else command.issued_at
    return now.monotonic_s + (until - start).total_seconds()


def _ends_s(until: datetime, now: Now) -> float:
    return now.monotonic_s + (until - now.utc).total_seconds()


def _maintenance_note(maintenance: Maintenance, now: Now) -> bytes:
    return msgspec.json.encode(
        MaintenanceNote(
            until=maintenance.until_utc,
            command=maintenance.command,
            issued_at=maintenance.issued_at_utc,
            saved_at=now.utc,
        )
    )


def _override_note(override: Override, now: Now) -> bytes:
    return msgspec.json.encode(
        OverrideNote(
            level=override.level,
            until=override.until_utc,
            command=override.command,
            issued_at=override.issued_at_utc,
            saved_at=now.utc,
        )
    )
