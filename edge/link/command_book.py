"""What becomes of a lamp command: taken once, judged by its times, followed to its last receipt.

Decisions take the time as an argument and touch no lamp: they say which override stands and which receipts
are due. What must outlive a restart is given out as notes, to be stored with the receipts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct

from edge.lamp.lamp_control import Override
from protocol.messages import Command

T = TypeVar("T", bound=Struct)

REMEMBER_FOR = timedelta(days=2)
"""After its expiry nobody sends a command again; two days cover any clock's mistake."""
COMMAND_NOTE = "command/"
OVERRIDE_NOTE = "override/"


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


class OverrideNote(Struct, frozen=True, kw_only=True):
    """A standing override, for after a restart."""

    level: float
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
    """What taking a command leads to. `override` speaks only where `lamp_changes`."""

    verdicts: list[Verdict] = field(default_factory=list)
    notes: dict[str, bytes | None] = field(default_factory=dict)
    lamp_changes: bool = False
    override: Override | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """An accepted command whose effect is measured once the lamp has settled."""

    command: UUID
    pole: str
    note: CommandNote
    measure_at_s: float


class CommandBook:
    """The commands of one node."""

    def __init__(self, poles: set[str], *, settle_s: float, override_max_h: float) -> None:
        self._poles = poles
        self._settle_s = settle_s
        self._override_max = timedelta(hours=override_max_h)
        self._seen: dict[UUID, CommandNote] = {}
        self._newest: dict[str, tuple[datetime, UUID]] = {}
        self._pending: dict[str, Pending] = {}

    def take(self, command: Command, now: Now) -> Outcome:
        """Judge one command. One that was seen before leads to nothing: its receipts are on their way."""
        if command.id in self._seen:
            return Outcome()
        refusal = self._refuse(command, now)
        if refusal is not None:
            return Outcome([refusal], self._remember(command, now, pending=False))
        verdicts = []
        older = self._pending.pop(command.pole, None)
        notes: dict[str, bytes | None] = {}
        if older is not None:
            verdicts.append(Verdict(older.command, older.pole, "superseded", f"by {command.id}"))
            notes |= self._close(older)
        notes |= self._remember(command, now, pending=True)
        self._newest[command.pole] = (command.issued_at, command.id)
        self._pending[command.pole] = Pending(
            command.id, command.pole, self._seen[command.id], now.monotonic_s + self._settle_s
        )
        override = self._override(command, now)
        notes[OVERRIDE_NOTE + command.pole] = None if override is None else _override_note(override, now)
        verdicts.append(Verdict(command.id, command.pole, "accepted"))
        return Outcome(verdicts, notes, lamp_changes=True, override=override)

    def settled(self, monotonic_s: float) -> list[Pending]:
        """Accepted commands whose lamp has had its time; each is given out once."""
        ready = [pending for pending in self._pending.values() if pending.measure_at_s <= monotonic_s]
        for pending in ready:
            del self._pending[pending.pole]
        return ready

    def next_settled_s(self) -> float | None:
        """When (steady clock) the next accepted command is ready for its measurement."""
        return min((pending.measure_at_s for pending in self._pending.values()), default=None)

    def applied(self, pending: Pending) -> dict[str, bytes | None]:
        """The notes to store with the last receipt of a command."""
        return self._close(pending)

    def restore(
        self, commands: Mapping[str, bytes], overrides: Mapping[str, bytes], now: Now
    ) -> dict[str, Override]:
        """Take up after a restart: what was seen, what is pending, and the overrides that still stand.

        With a clock that ran on from the last known time (or is right) an override keeps its end; one
        whose end can't be told, because the clock stands before the moment it was saved, is dropped.
        """
        for key, value in commands.items():
            note = _read(value, CommandNote)
            if note is None:
                continue
            self._seen[UUID(key)] = note
            if note.pending and note.pole in self._poles:
                measure_at_s = now.monotonic_s + self._settle_s
                self._pending[note.pole] = Pending(UUID(key), note.pole, note, measure_at_s)
            newest = self._newest.get(note.pole)
            if newest is None or newest[0] < note.issued_at:
                self._newest[note.pole] = (note.issued_at, UUID(key))
        standing = {}
        for pole, value in overrides.items():
            saved = _read(value, OverrideNote)
            if saved is not None and pole in self._poles and saved.saved_at <= now.utc < saved.until:
                left_s = (saved.until - now.utc).total_seconds()
                standing[pole] = Override(
                    saved.level, saved.until, now.monotonic_s + left_s, saved.command, saved.issued_at
                )
        return standing

    def _refuse(self, command: Command, now: Now) -> Verdict | None:
        def verdict(status: Literal["rejected", "expired", "superseded"], reason: str) -> Verdict:
            return Verdict(command.id, command.pole, status, reason)

        if command.pole not in self._poles:
            return verdict("rejected", "unknown_pole: this node does not serve it")
        # Without a clock to believe, the broker's own expiry has already dropped what is too old.
        if now.synced and now.utc >= command.expires_at:
            return verdict("expired", "")
        newest = self._newest.get(command.pole)
        if newest is not None and command.issued_at < newest[0]:
            return verdict("superseded", f"by {newest[1]}")
        if command.until is not None:
            length = command.until - command.issued_at
            if length > self._override_max:
                hours = self._override_max.total_seconds() / 3600
                return verdict("rejected", f"override_too_long: at most {hours:g} h")
            if now.synced and now.utc >= command.until:
                return verdict("rejected", "until_passed")
        return None

    def _override(self, command: Command, now: Now) -> Override | None:
        if command.until is None or command.level is None:
            return None
        start = now.utc if now.synced else command.issued_at
        left_s = (command.until - start).total_seconds()
        return Override(
            command.level, command.until, now.monotonic_s + left_s, command.id, command.issued_at
        )

    def _remember(self, command: Command, now: Now, *, pending: bool) -> dict[str, bytes | None]:
        note = CommandNote(
            pole=command.pole, issued_at=command.issued_at, expires_at=command.expires_at, pending=pending
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
