"""One day's minutes: 1440 bytes in memory, runs such as `o0-1065 L1066-1439` in the database. Pure."""

from __future__ import annotations

import re

from hub.uptime.coverage.states import LETTERS, SLOTS

Minutes = bytearray
"""1440 numbers of `State`, one a minute of the local day; 0 where no sample came."""

_RUN = re.compile(rb"([^\0])\1*", re.DOTALL)
_LETTER = {int(state): letter for state, letter in LETTERS.items()}
_STATE = {letter: state for state, letter in _LETTER.items()}
_TEXT = re.compile(r"([A-Za-z])(\d+)(?:-(\d+))?")


def no_minutes() -> Minutes:
    """A day without any sample."""
    return bytearray(SLOTS)


def mark(minutes: Minutes, first: int, last: int, state: int) -> None:
    """Join a state into the minutes from `first` to `last`, both included: in each the greater stands."""
    if first == last:
        minutes[first] = max(minutes[first], state)
        return
    minutes[first : last + 1] = minutes[first : last + 1].translate(_at_least(state))


def joined(one: Minutes, other: Minutes) -> Minutes:
    """Both days' samples in one, whichever came first; quick where `other` has few runs."""
    both = one[:]
    for run in _RUN.finditer(other):
        mark(both, run.start(), run.end() - 1, other[run.start()])
    return both


def to_text(minutes: Minutes) -> str:
    """The runs of equal states, in order."""
    words = []
    for run in _RUN.finditer(minutes):
        first, last = run.start(), run.end() - 1
        span = f"{first}-{last}" if last > first else str(first)
        words.append(f"{_LETTER[minutes[first]]}{span}")
    return " ".join(words)


def from_text(text: str) -> Minutes:
    """What `to_text` wrote; raises ValueError for anything else."""
    minutes = no_minutes()
    for word in text.split():
        found = _TEXT.fullmatch(word)
        if found is None or found[1] not in _STATE:
            raise ValueError(f"not a run of coverage: {word!r}")
        first = int(found[2])
        last = first if found[3] is None else int(found[3])
        if not first <= last < SLOTS:
            raise ValueError(f"not within a day: {word!r}")
        minutes[first : last + 1] = bytes([_STATE[found[1]]]) * (last + 1 - first)
    return minutes


_TABLES: dict[int, bytes] = {}


def _at_least(state: int) -> bytes:
    table = _TABLES.get(state)
    if table is None:
        table = _TABLES[state] = bytes(max(number, state) for number in range(256))
    return table
