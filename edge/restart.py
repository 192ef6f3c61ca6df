"""Why this agent is starting: what the last one left behind, against what is true now."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import UUID

import msgspec
from msgspec import Struct

RUN_NOTE = "run"
"""The outbox's note of the newest run."""


class Run(Struct, frozen=True, kw_only=True):
    """One run of the agent: in which boot, and whether it came to its own end."""

    boot: UUID
    ended: bool = False


def run_note(boot: UUID, *, ended: bool) -> bytes:
    """What is stored at the start of a run, and again at its end."""
    return msgspec.json.encode(Run(boot=boot, ended=ended))


def start_cause(note: bytes | None, *, boot: UUID, service_result: str | None) -> str:
    """The `cause` in `device_reset`: docs/edge.md says what each word means.

    `service_result` is systemd's word on how the last process ended, or None without systemd.
    """
    try:
        last = None if note is None else msgspec.json.decode(note, type=Run)
    except msgspec.DecodeError:
        last = None
    if last is None:
        return "first_start"
    if last.boot != boot:
        return "reboot" if last.ended else "power_cut"
    if service_result == "watchdog":
        return "watchdog"
    return "restart" if last.ended else "crash"


def last_service_result() -> str | None:
    """What the unit's ExecStopPost wrote of the last process in this boot: $SERVICE_RESULT, systemd.exec(5)."""
    folder = os.environ.get("RUNTIME_DIRECTORY")
    if not folder:
        return None
    try:
        return (Path(folder) / "last-result").read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None
