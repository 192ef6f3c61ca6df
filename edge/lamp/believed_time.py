"""Which time a lamp may go by. Pure.

A synchronised clock is believed. One that was synchronised earlier in this boot is carried on by the steady
clock, whatever the wall clock does since: a crystal drifts by seconds a day. A time saved in an earlier boot
is not believed: nobody knows how long the power was away, and a lamp must not go out on a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from edge.clock import Moment

DRIFT = 100e-6
"""A Pi's crystal is specified within 50 ppm; twice that covers heat in a closed cabinet."""


class Anchor(Struct, frozen=True, kw_only=True):
    """A moment at which the clock was right."""

    utc: datetime
    mono_s: float
    boot: UUID


@dataclass(frozen=True, slots=True)
class Believed:
    """The time to go by, right within `unsure_s` either way."""

    utc: datetime
    unsure_s: float


def follow_clock(anchor: Anchor | None, moment: Moment) -> Anchor | None:
    """The newest moment of this boot at which the clock was right."""
    if moment.synced:
        return Anchor(utc=moment.utc, mono_s=moment.mono_s, boot=moment.boot)
    return anchor if anchor is not None and anchor.boot == moment.boot else None


def believed_time(anchor: Anchor | None, moment: Moment) -> Believed | None:
    """The time by the clock where it is right, else by the anchor of this boot, else None."""
    if moment.synced:
        return Believed(moment.utc, 0.0)
    if anchor is None or anchor.boot != moment.boot:
        return None
    passed_s = moment.mono_s - anchor.mono_s
    return Believed(anchor.utc + timedelta(seconds=passed_s), abs(passed_s) * DRIFT)
