from __future__ import annotations

from dataclasses import dataclass, field

from edge.firmware_bridge.modbus.turns import LONGEST_PAUSE_S, Ask, Job, Turns


@dataclass
class Wanting:
    """A keeper that wants its turn at `due`."""

    due: float = float("inf")
    waits: bool = False
    turns: list[float] = field(default_factory=list)

    def due_s(self) -> float:
        return self.due

    def urgent(self) -> bool:
        return self.waits

    def turn(self, ask: Ask, now_s: float) -> None:
        self.turns.append(now_s)

    def missed(self, reason: str, *, line_lost: bool = False) -> None: ...


def job() -> Job:
    return Job(lambda ask: None)


def served(turns: Turns, now_s: float, times: int) -> list[int]:
    order = []
    for _ in range(times):
        unit = turns.next(now_s)
        assert unit is not None
        assert unit.take(now_s) is not None
        order.append(unit.address)
    return order


def test_units_take_turns_however_many_questions_one_has() -> None:
    turns = Turns()
    for _ in range(3):
        turns.unit(1).jobs.append(job())
    for address in (2, 3):
        turns.unit(address).jobs.append(job())
    assert served(turns, 0.0, 5) == [1, 2, 3, 1, 1]
    assert turns.next(0.0) is None
    assert turns.next_due_s() == float("inf")


def test_a_lamp_that_must_change_goes_before_all_readings() -> None:
    turns = Turns()
    for address in range(1, 5):
        turns.unit(address).jobs.append(job())
    turns.unit(9).keeper = Wanting(due=0.0, waits=True)
    unit = turns.next(0.0)
    assert unit is not None
    assert unit.address == 9


def test_a_keeper_has_his_turn_when_it_is_due() -> None:
    turns = Turns()
    turns.unit(1).keeper = Wanting(due=20.0)
    assert turns.next(19.9) is None
    assert turns.next_due_s() == 20.0
    assert turns.next(20.0) is turns.unit(1)


def test_a_silent_unit_is_left_alone_longer_each_time_and_its_questions_end() -> None:
    turns = Turns()
    unit = turns.unit(1)
    unit.jobs.append(job())
    assert list(turns.missed(unit, 0.0)) == []
    assert turns.next(0.0) is unit, "the first time may have been noise"
    unit.jobs.clear()
    now_s, pauses = 0.0, []
    for _ in range(6):
        unit.jobs.append(job())
        waiting = list(turns.missed(unit, now_s))
        assert len(waiting) == 1
        assert turns.rests(1, now_s)
        pauses.append(unit.not_before_s - now_s)
        now_s = unit.not_before_s
    assert pauses == [1.0, 2.0, 4.0, 8.0, LONGEST_PAUSE_S, LONGEST_PAUSE_S]
    assert turns.attempts(unit) == 1
    turns.answered(unit)
    assert not turns.rests(1, 0.0)
    assert turns.attempts(unit) == 3
