"""Seqs that will never come: told to the hub exactly, so that it can close the gap and knows what is missing.

What is dropped is noted in the transaction that drops it; the note goes with the transaction that stores the
event which tells of it. So no power cut comes between, and no gap stays untold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from edge.outbox.ranges import RangeSet

Why = Literal["outbox_overflow", "outbox_damaged"]
Span = tuple[int, int]
"""First and last seq, both included."""

GAP_NOTE = "gap/"
MOST_RUNS = 150
"""Runs in one event: its text stays under 4 kB."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Runs of dropped seqs, ascending, and why they were dropped: the kind of the event that tells it."""

    why: Why
    runs: tuple[Span, ...]

    @property
    def key(self) -> str:
        """Under which it is noted until it is told."""
        return f"{GAP_NOTE}{self.why}/{self.runs[0][0]}"

    @property
    def note(self) -> bytes:
        """What is noted."""
        return self._text().encode()

    @property
    def dropped(self) -> int:
        """How many seqs are gone."""
        return sum(last - first + 1 for first, last in self.runs)

    def detail(self, epoch: str) -> dict[str, str | int | float | bool | None]:
        """What the event says. `runs` stands there where something between first and last was kept."""
        told: dict[str, str | int | float | bool | None] = {
            "epoch": epoch,
            "dropped": self.dropped,
            "first_seq": self.runs[0][0],
            "last_seq": self.runs[-1][1],
        }
        if len(self.runs) > 1:
            told["runs"] = self._text()
        return told

    def _text(self) -> str:
        return ",".join(f"{first}-{last}" for first, last in self.runs)


def gaps_of(why: Why, seqs: Iterable[int]) -> Iterator[Gap]:
    """Dropped seqs, in any order, as few gaps."""
    found = RangeSet()
    for seq in seqs:
        found.add(seq, seq)
    runs = list(found)
    for start in range(0, len(runs), MOST_RUNS):
        yield Gap(why, tuple(runs[start : start + MOST_RUNS]))


def noted(notes: Mapping[str, bytes]) -> list[Gap]:
    """The gaps that were noted and not yet told, by what followed GAP_NOTE in their key."""
    return [
        Gap(why, tuple(_run(text) for text in value.decode().split(",")))
        for key, value in notes.items()
        for why in _WHY
        if key.startswith(f"{why}/")
    ]


_WHY: tuple[Why, ...] = ("outbox_overflow", "outbox_damaged")


def _run(text: str) -> Span:
    first, _, last = text.partition("-")
    return int(first), int(last)
