"""The roller as a process of its own: reckoning a province's days must not slow the ingest down."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine

from hub.kept_child import KeptChild, helper_argv, leave_signals_to_parent, step_back
from hub.uptime.daily.roller import EVERY_S, Roller


def roll_process(config: str, *, first_after_s: float = EVERY_S) -> KeptChild:
    """The child that `ngonden hub run` keeps beside an ingest with these settings.

    It begins a moment later than the ingest, which has enough to do then.
    """
    argv = helper_argv("roll", config)
    return KeptChild("uptime_roller", lambda: argv, first_after_s=first_after_s)


def roll(engine: Engine, now: Callable[[], datetime]) -> None:
    """The child's work, until its standard input ends."""
    leave_signals_to_parent()
    step_back()
    roller = Roller(engine, now)

    def follow_parent() -> None:
        sys.stdin.buffer.read()
        roller.stop()

    threading.Thread(target=follow_parent, name="parent-watch", daemon=True).start()
    roller.run()
