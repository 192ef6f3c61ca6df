"""One day's minutes: 1440 bytes in memory, runs such as `o0-1065 L1066-1439` in the database. Pure."""

from __future__ import annotations

import re

import numpy as np

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
    """Both days' samples in one, whichever came first."""
    day = np.maximum(np.frombuffer(one, np.uint8), np.frombuffer(other, np.uint8))
    return bytearray(day.tobytes())


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
        first, last, state = _run(word)
        minutes[first : last + 1] = bytes([state]) * (last + 1 - first)
    return minutes


def with_more(text: str, more: Minutes) -> str:
    """The day that `to_text` wrote, joined with more minutes of it; a malformed text may raise ValueError.

    What is later than all that is there is put behind it unread: a node that samples every other minute leaves
    hundreds of runs a day, and reading them all for each new one would cost a hundred times the sample itself.
    """
    begin = SLOTS - len(more.lstrip(b"\0"))
    if begin == SLOTS:
        return text
    if not text:
        return to_text(more)
    before, _, word = text.rpartition(" ")
    first, last, state = _run(word)
    if begin <= last:
        return to_text(joined(from_text(text), more))
    if begin > last + 1 or more[begin] != state:
        return f"{text} {to_text(more)}"
    whole = bytearray(more)
    mark(whole, first, last, state)
    return f"{before} {to_text(whole)}".lstrip()


def _run(word: str) -> tuple[int, int, int]:
    """The first and the last minute of one run, and its state."""
    found = _TEXT.fullmatch(word)
    if found is None or found[1] not in _STATE:
        raise ValueError(f"not a run of coverage: {word!r}")
    first = int(found[2])
    last = first if found[3] is None else int(found[3])
    if not first <= last < SLOTS:
        raise ValueError(f"not within a day: {word!r}")
    return first, last, _STATE[found[1]]


_TABLES: dict[int, bytes] = {}


def _at_least(state: int) -> bytes:
    table = _TABLES.get(state)
    if table is None:
        table = _TABLES[state] = bytes(max(number, state) for number in range(256))
    return table
