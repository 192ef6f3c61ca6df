"""Who is asked next on a line: fair turns, lamps first when they must change, and patience with the dead.

Pure bookkeeping; the time is an argument, in seconds of a steady clock. A unit that does not answer is left
alone for a while, twice as long each time, so that a dead one takes little of the others' time; whoever
asks for it meanwhile hears at once that it is silent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

from edge.firmware_bridge.modbus.frames import Reply, Request

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 15.0
"""So long at most until a board that has come back is noticed."""
PATIENT_ATTEMPTS = 3
"""On a unit that answered last time; one that did not gets a single attempt."""

Ask = Callable[[Request], Reply]
"""Ask one question; raises SilentError where no reply came, ModbusRefusalError."""


class SilentError(Exception):
    """The unit did not answer; its turn is over."""


class Keeper(Protocol):
    """Someone who looks after one unit by himself, turn by turn, on the line's thread."""

    def due_s(self) -> float:
        """When he wants the next turn."""
        ...

    def urgent(self) -> bool:
        """Whether a lamp waits for that turn."""
        ...

    def turn(self, ask: Ask, now_s: float) -> None:
        """Do what is due; raises SilentError, ModbusRefusalError."""
        ...

    def missed(self, reason: str, *, line_lost: bool = False) -> None:
        """The turn came to nothing, for this unit or for all of the line."""
        ...


@dataclass(slots=True)
class Job:
    """Something asked of one unit from elsewhere, once. None in `result` means silence."""

    work: Callable[[Ask], Any]
    result: Future[Any] = field(default_factory=Future)


@dataclass(slots=True)
class Unit:
    """One address on the line."""

    address: int
    keeper: Keeper | None = None
    jobs: deque[Job] = field(default_factory=deque)
    misses: int = 0
    not_before_s: float = float("-inf")
    served: int = 0
    """Number of the turn it last had."""

    def due_s(self) -> float:
        """When it may next be asked for something; infinity while nothing is to be asked."""
        wish_s = float("-inf") if self.jobs else float("inf")
        if self.keeper is not None:
            wish_s = min(wish_s, self.keeper.due_s())
        return max(wish_s, self.not_before_s)

    def take(self, now_s: float) -> Job | Keeper | None:
        """What its turn is for: the keeper first, who seldom comes."""
        if self.keeper is not None and self.keeper.due_s() <= now_s:
            return self.keeper
        return self.jobs.popleft() if self.jobs else None


class Turns:
    """The units of one line."""

    def __init__(self) -> None:
        self.units: dict[int, Unit] = {}
        self._turn = 0

    def unit(self, address: int) -> Unit:
        """The unit of this address, from now on known."""
        return self.units.setdefault(address, Unit(address))

    def next(self, now_s: float) -> Unit | None:
        """Whose turn it is: lamps that must change first, then who has waited longest; None if nobody's."""
        due = [unit for unit in self.units.values() if unit.due_s() <= now_s]
        if not due:
            return None
        unit = min(due, key=lambda unit: (not _urgent(unit), unit.served))
        self._turn += 1
        unit.served = self._turn
        return unit

    def next_due_s(self) -> float:
        """When somebody will be due, infinity if never."""
        return min((unit.due_s() for unit in self.units.values()), default=float("inf"))

    def rests(self, address: int, now_s: float) -> bool:
        """Whether this unit is being left alone."""
        unit = self.units.get(address)
        return unit is not None and now_s < unit.not_before_s

    @staticmethod
    def attempts(unit: Unit) -> int:
        """How often a question to it is put."""
        return 1 if unit.misses else PATIENT_ATTEMPTS

    @staticmethod
    def answered(unit: Unit) -> None:
        """It lives."""
        unit.misses = 0
        unit.not_before_s = float("-inf")

    @staticmethod
    def missed(unit: Unit, now_s: float) -> Iterator[Job]:
        """It did not answer; gives the jobs that wait for it where there is nothing to wait for now.

        The first time may be noise: it keeps its place.
        """
        unit.misses += 1
        if unit.misses == 1:
            return
        unit.not_before_s = now_s + min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (unit.misses - 2))
        while unit.jobs:
            yield unit.jobs.popleft()


def _urgent(unit: Unit) -> bool:
    return unit.keeper is not None and unit.keeper.urgent()
