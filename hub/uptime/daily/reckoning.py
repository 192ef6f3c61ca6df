"""From one day's minutes to its seconds up, down, unknown and set aside. Pure, and it always adds up.

For every day of every lamp: due = up + up_said + down + down_said + maintenance + hub_blind + unknown.
A camera is due all day.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields

from hub.uptime.coverage.minutes import Minutes
from hub.uptime.coverage.states import SLOT_S, SLOTS, State

Span = tuple[int, int]
"""From a minute of the day to before another."""

BRIDGED_GAPS = 3
"""A silence of up to so many times the day's usual distance between samples is no silence."""

LONGEST_USUAL_GAP = 60
"""Minutes: the contract's longest sample interval."""

FEW_SAMPLES = 8
"""With fewer sampled minutes in a day, nothing is usual: then one sample a minute is expected."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Seconds, and watt-hours where a meter told. `said`: by the node's own word, no meter answered."""

    due_s: int = 0
    up_s: int = 0
    """Lamps: due and measured lit. Cameras: healthy."""
    up_said_s: int = 0
    down_s: int = 0
    down_said_s: int = 0
    ordered_off_s: int = 0
    """The part of down (measured or said) in which people had switched the lamp off."""
    maintenance_s: int = 0
    hub_blind_s: int = 0
    unknown_s: int = 0
    burning_s: int = 0
    """Lit while not due: no part of due."""

    @property
    def known_s(self) -> int:
        """Up and down: what the share is of."""
        return self.up_s + self.up_said_s + self.down_s + self.down_said_s

    @property
    def up_share(self) -> float | None:
        """Up ÷ (up + down), 0 to 1; None where nothing is known."""
        return None if self.known_s == 0 else (self.up_s + self.up_said_s) / self.known_s

    @property
    def adds_up(self) -> bool:
        """Whether every due second is accounted for exactly once."""
        return self.due_s == self.known_s + self.maintenance_s + self.hub_blind_s + self.unknown_s


SUM_NAMES = tuple(one.name for one in fields(Sums))

_GAP_DUE, _GAP, _BLIND, _WINDOW = 101, 102, 103, 104
_IDENTITY = bytes(range(256))


def _table(*changes: tuple[int, int]) -> bytes:
    table = bytearray(_IDENTITY)
    for before, after in changes:
        table[before] = after
    return bytes(table)


_BY_NIGHT = _table(
    (State.NONE, _GAP_DUE),
    (State.UNTOLD_LIT_SAID, State.LIT_SAID),
    (State.UNTOLD_LIT, State.LIT),
    (State.UNTOLD_ORDERED_OFF, State.ORDERED_OFF),
    (State.UNTOLD_DARK_SAID, State.DARK_SAID),
    (State.UNTOLD_DARK, State.DARK),
    (State.UNTOLD_MAINTENANCE, State.MAINTENANCE),
)
_BY_DAY = _table(
    (State.NONE, _GAP),
    (State.UNTOLD_LIT_SAID, State.BURNING),
    (State.UNTOLD_LIT, State.BURNING),
    (State.UNTOLD_ORDERED_OFF, State.NOT_DUE),
    (State.UNTOLD_DARK_SAID, State.NOT_DUE),
    (State.UNTOLD_DARK, State.NOT_DUE),
    (State.UNTOLD_MAINTENANCE, State.NOT_DUE),
)
_IN_A_WINDOW = _table(
    *(
        (state, _WINDOW)
        for state in (
            *(State.LIT_SAID, State.LIT, State.ORDERED_OFF, State.DARK_SAID, State.DARK),
            *(State.MAINTENANCE, State.HEALTHY, State.FAULTY, State.CAMERA_MAINTENANCE, _GAP_DUE),
        )
    )
)
_HUB_BLIND = _table((_GAP_DUE, _BLIND))
_SILENCE = re.compile(rb"\0+")


def reckon(
    minutes: Minutes,
    *,
    daylight: Span | None,
    window: Sequence[Span] = (),
    blind: Sequence[Span] = (),
    begin: int = 0,
    end: int = SLOTS,
) -> Sums:
    """Reckon one day between the minutes `begin` and `end` (a day that began late, or is not over).

    `daylight`: when lamps are not due, for minutes in which no node told; None for a camera, always due.
    `window`: maintenance by appointment. `blind`: when the hub itself was deaf: silence then is nobody's.
    """
    day = bridged(minutes, end)
    if daylight is None:
        day = day.translate(_BY_NIGHT)
    else:
        rise, fall = daylight
        day = (
            day[:rise].translate(_BY_NIGHT)
            + day[rise:fall].translate(_BY_DAY)
            + day[max(rise, fall) :].translate(_BY_NIGHT)
        )
    for first, last in window:
        day[first:last] = day[first:last].translate(_IN_A_WINDOW)
    for first, last in blind:
        day[first:last] = day[first:last].translate(_HUB_BLIND)
    return _counted(day[begin:end])


def bridged(minutes: Minutes, end: int = SLOTS) -> Minutes:
    """The day with its short silences filled by the state before them (at its begin: after them).

    Short is up to three times the day's usual distance between samples, and at least three minutes from one
    sample to the next; so a lost sample is nothing and a node that was off is unknown.
    """
    day = bytearray(minutes)
    longest = BRIDGED_GAPS * usual_gap(minutes)
    for silence in _SILENCE.finditer(minutes, 0, end):
        first, after = silence.span()
        if after - first >= longest or after - first == end:
            continue
        state = minutes[first - 1] if first > 0 else minutes[after] if after < end else 0
        day[first:after] = bytes([state]) * (after - first)
    return day


def usual_gap(minutes: Minutes) -> int:
    """Minutes from one sampled minute to the next: three of four of the day's distances are at least that."""
    sampled = SLOTS - minutes.count(0)
    if sampled < FEW_SAMPLES:
        return 1
    inside = minutes.strip(b"\0")
    wide = sorted(len(silence[0]) + 1 for silence in _SILENCE.finditer(inside))
    quarter = (sampled - 1) // 4
    narrow = sampled - 1 - len(wide)
    return 1 if quarter < narrow else min(wide[quarter - narrow], LONGEST_USUAL_GAP)


def _counted(day: Minutes) -> Sums:
    count = day.count
    ordered = count(State.ORDERED_OFF)
    up, up_said = count(State.LIT) + count(State.HEALTHY), count(State.LIT_SAID)
    down, down_said = count(State.DARK) + count(State.FAULTY) + ordered, count(State.DARK_SAID)
    maintenance = count(State.MAINTENANCE) + count(State.CAMERA_MAINTENANCE) + count(_WINDOW)
    blind, unknown = count(_BLIND), count(_GAP_DUE)
    return Sums(
        due_s=(up + up_said + down + down_said + maintenance + blind + unknown) * SLOT_S,
        up_s=up * SLOT_S,
        up_said_s=up_said * SLOT_S,
        down_s=down * SLOT_S,
        down_said_s=down_said * SLOT_S,
        ordered_off_s=ordered * SLOT_S,
        maintenance_s=maintenance * SLOT_S,
        hub_blind_s=blind * SLOT_S,
        unknown_s=unknown * SLOT_S,
        burning_s=count(State.BURNING) * SLOT_S,
    )
