"""Samples that wait to travel together, what takes them along, and history that keeps to a rate."""

from typing import Any

import msgspec
import pytest

from edge.link.pace import Pace
from edge.link.send_plan import HELD_SAMPLES, MESSAGE_SAMPLES, WINDOW_MESSAGES, Fresh, SendPlan, Stored
from edge.outbox.outbox_file import Item
from protocol.messages import LampReading
from tests.support.nodes import sample
from tests.unit.edge.test_send_plan import events, samples, take


def reports(every_s: float, **changes: Any) -> SendPlan:
    return SendPlan(backlog=False, pace=Pace(metered=True, report_interval_s=every_s, **changes))


def told(seq: int, *, level: float = 1.0, reason: str = "sun", faults: list[str] | None = None) -> Item:
    lamp = LampReading(effect_level=level, reason=reason)
    return msgspec.structs.replace(sample(), seq=seq, lamp=lamp, faults=faults or [])


def test_samples_wait_to_travel_together_and_the_newest_of_a_report_is_fresh() -> None:
    plan = reports(600)
    sent: list[tuple[int, list[int]]] = []
    for tick in range(100):
        plan.add([told(tick + 1)], now_s=30 * tick)
        while seqs := take(plan, 30 * tick):
            sent.append((30 * tick, seqs))
            plan.confirm(seqs[-1], seqs[0], now_s=30 * tick)
    assert sent[0] == (0, [1]), "the first tells the hub how things are"
    assert [at_s for at_s, _ in sent[1:]] == [600, 1200, 1800, 2400]
    assert [len(seqs) for _, seqs in sent[1:]] == [20, 20, 20, 20]
    assert sent[1][1] == list(range(21, 1, -1))


def test_what_waited_is_marked_late_and_the_newest_is_not() -> None:
    plan = reports(600)
    for tick in range(21):
        plan.add([told(tick + 1)], now_s=30 * tick)
        todo = plan.next(30 * tick)
        plan.confirm(1, 1, now_s=30 * tick)
    assert isinstance(todo, Fresh)
    assert todo.late == frozenset(range(2, 21)), "they are late, and seq 21 is live"


@pytest.mark.parametrize(
    "urgent",
    [
        told(5, level=0.5, reason="override"),
        told(5, reason="photocell"),
        told(5, faults=["lamp_failure"]),
        msgspec.structs.replace(sample(), seq=5, clock="unsynced"),
        *events(5),
    ],
    ids=["level", "reason", "fault", "clock", "event"],
)
def test_what_cannot_wait_takes_along_what_waits(urgent: Item) -> None:
    plan = reports(600)
    plan.add([told(1)], now_s=0)
    assert take(plan, 0) == [1]
    plan.confirm(1, 1, now_s=0)
    for seq in (2, 3, 4):
        plan.add([told(seq)], now_s=10 * seq)
        assert take(plan, 10 * seq) == []
    assert plan.due_in_s(40) == 580
    plan.add([urgent], now_s=41)
    seqs = take(plan, 41)
    seqs += take(plan, 41)
    assert seqs == [5, 4, 3, 2]


def test_passers_by_do_not_cause_reports() -> None:
    plan = reports(600)
    plan.add([told(1, level=0.5, reason="photocell")], now_s=0)
    take(plan, 0)
    for seq in range(2, 19):
        moving = seq % 2 == 0
        plan.add(
            [told(seq, level=1.0 if moving else 0.5, reason="motion" if moving else "photocell")], now_s=seq
        )
        assert take(plan, seq) == []


def test_a_report_is_due_even_when_no_sample_comes_any_more() -> None:
    plan = reports(60)
    plan.add([told(1)], now_s=0)
    take(plan, 0)
    plan.confirm(1, 1, now_s=0)
    plan.add([told(2)], now_s=10)
    assert plan.due_in_s(30) == 40
    assert take(plan, 69.9) == []
    assert take(plan, 70) == [2]


def test_no_more_than_a_message_waits_whatever_the_interval() -> None:
    plan = reports(3600)
    plan.add([told(1)], now_s=0)
    take(plan, 0)
    plan.add([told(seq) for seq in range(2, MESSAGE_SAMPLES + 2)], now_s=1)
    assert len(take(plan, 1)) == MESSAGE_SAMPLES


def test_while_nothing_can_be_sent_memory_holds_no_more_than_two_messages() -> None:
    plan = reports(3600)
    for seq in range(1, 1000):
        plan.add([told(seq)], now_s=seq)
    first = take(plan, 1000)
    assert first[0] == 999
    held = len(first)
    while (todo := plan.next(1000)) is not None and isinstance(todo, Fresh):
        held += len(todo.items)
        plan.sent(todo.items, now_s=1000)
    assert held <= HELD_SAMPLES
    assert isinstance(todo, Stored)
    assert todo.after_seq == 0


def test_after_a_reconnect_what_waits_goes_before_history() -> None:
    plan = SendPlan(backlog=True, pace=Pace(report_interval_s=600))
    plan.found(plan.next(0), [])  # type: ignore[arg-type]
    plan.add([told(50)], now_s=0)
    take(plan, 0)
    plan.add([told(51)], now_s=30)
    plan.reconnected()
    urgent = plan.next(31)
    assert isinstance(urgent, Stored)
    assert urgent.which == "urgent"
    plan.found(urgent, [])
    assert take(plan, 31) == [51]


def test_history_keeps_to_its_byte_rate_and_yields_to_live() -> None:
    plan = SendPlan(backlog=True, pace=Pace(history_bytes_per_s=1000))
    plan.found(plan.next(0), [])  # type: ignore[arg-type]
    asked = plan.next(0)
    assert isinstance(asked, Stored)
    plan.sent(plan.found(asked, samples(1, 2)), now_s=0)
    plan.history_sent(5000, now_s=0)
    assert plan.next(4.9) is None
    assert plan.due_in_s(1) == 4
    plan.add(samples(9), now_s=4.9)
    assert take(plan, 4.9) == [9]
    assert isinstance(plan.next(5), Stored)
    assert plan.next(5, history=()) is None
    assert plan.due_in_s(5, history=()) == 15


def test_last_words_pass_everything_else() -> None:
    plan = SendPlan(backlog=False)
    plan.add([*samples(1), *events(2)], now_s=0)
    todo = plan.next(0, only_urgent=True)
    assert isinstance(todo, Fresh)
    assert [item.seq for item in todo.items] == [2]
    plan.sent(todo.items, now_s=0)
    assert plan.next(0, only_urgent=True) is None
    assert take(plan, 0) == [1]


def test_what_nobody_heard_goes_again_soon_and_ever_more_seldom() -> None:
    plan = SendPlan(backlog=False, pace=Pace())
    plan.add(samples(1), now_s=0)
    take(plan, 0)
    now_s, pauses = 0.0, []
    for _ in range(10):
        plan.unheard(now_s=now_s)
        assert plan.next(now_s) is None
        pause_s = plan.due_in_s(now_s)
        assert pause_s is not None
        pauses.append(pause_s)
        now_s += pause_s
        urgent = plan.next(now_s)
        assert isinstance(urgent, Stored)
        plan.found(urgent, [])
        asked = plan.next(now_s)
        assert isinstance(asked, Stored)
        plan.sent(plan.found(asked, samples(1)), now_s=now_s)
    plan.unheard(now_s=now_s)
    plan.add(samples(2), now_s=now_s)
    assert take(plan, now_s) == [2], "what is new is not held up"
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    plan.confirm(1, 2, now_s=now_s)
    plan.unheard(now_s=now_s)
    assert plan.due_in_s(now_s) == 2


def test_last_words_pass_a_full_window() -> None:
    plan = SendPlan(backlog=False)
    for seq in range(1, WINDOW_MESSAGES + 1):
        plan.add(samples(seq), now_s=0)
        take(plan, 0)
    plan.add(events(99), now_s=1)
    assert plan.next(1) is None
    todo = plan.next(1, only_urgent=True)
    assert isinstance(todo, Fresh)
    assert [item.seq for item in todo.items] == [99]
