"""Which points stay: all of the last days, then one a day, then one a week, and whatever those are built on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Keep:
    """How long: every point for `hours`, one of each of `days` days, one of each of `weeks` weeks (UTC)."""

    hours: int = 48
    days: int = 14
    weeks: int = 8


def kept(
    made_at: Mapping[str, datetime], bases: Mapping[str, Sequence[str]], keep: Keep, now: datetime
) -> set[str]:
    """The names of the points that stay, of all in `made_at`; the newest always does.

    Of a day or a week the earliest whole point stays (one without a base), else the earliest.
    """
    ordered = sorted(made_at, key=lambda name: made_at[name])
    stay = set(ordered[-1:])
    stay |= {name for name in ordered if now - made_at[name] <= timedelta(hours=keep.hours)}
    whole_first = sorted(ordered, key=lambda name: (bool(bases.get(name)), made_at[name]))
    for width_d, count in ((1, keep.days), (7, keep.weeks)):
        seen: set[int] = set()
        for name in whole_first:
            slot = made_at[name].toordinal() // width_d
            if now.toordinal() // width_d - slot < count and slot not in seen:
                seen.add(slot)
                stay.add(name)
    waiting = list(stay)
    while waiting:
        for base in bases.get(waiting.pop(), ()):
            if base in made_at and base not in stay:
                stay.add(base)
                waiting.append(base)
    return stay
