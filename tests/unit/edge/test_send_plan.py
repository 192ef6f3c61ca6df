from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.link.send_plan import MESSAGE_SAMPLES, WINDOW_MESSAGES, Fresh, SendPlan, Stored
from edge.outbox.outbox_file import Item
from protocol.messages import Event, Sample
from tests.support.nodes import event, sample


def samples(*seqs: int) -> list[Item]:
    return [msgspec.structs.replace(sample(), seq=seq) for seq in seqs]


def events(*seqs: int) -> list[Item]:
    return [msgspec.structs.replace(event(), seq=seq) for seq in seqs]


def take(plan: SendPlan, now_s: float) -> list[int]:
    """Send whatever the plan has in memory for now; its seqs."""
    todo = plan.next(now_s)
    if todo is None:
        return []
    assert isinstance(todo, Fresh)
    plan.sent(todo.items, now_s=now_s)
    return [item.seq for item in todo.items]


def test_events_go_first_then_the_newest_samples() -> None:
    plan = SendPlan(backlog=False)
    plan.add(samples(1, 2), now_s=0)
    plan.add([*events(3), *samples(4, 5)], now_s=1)
    assert take(plan, 1) == [3]
    assert take(plan, 1) == [4, 5, 1, 2]
    assert plan.next(1) is None


def test_the_backlog_gives_events_before_live_and_samples_after() -> None:
    plan = SendPlan(backlog=True)
    plan.add(samples(50), now_s=0)
    urgent = plan.next(0)
    assert isinstance(urgent, Stored)
    assert urgent.which == "urgent"
    assert plan.found(urgent, []) == []
    assert take(plan, 0) == [50]
    history = plan.next(0)
    assert isinstance(history, Stored)
    assert (history.which, history.after_seq, history.limit) == ("samples", 0, MESSAGE_SAMPLES)
    found = plan.found(history, samples(10, 11, 50))
    assert [item.seq for item in found] == [10, 11], "50 is in flight already"
    plan.sent(found, now_s=0)
    again = plan.next(0)
    assert isinstance(again, Stored)
    assert again.after_seq == 50
    plan.found(again, [])
    assert plan.next(0) is None


def test_history_can_be_held_back_and_nothing_else_with_it() -> None:
    plan = SendPlan(backlog=True)
    plan.add([*samples(9), *events(10)], now_s=0)
    for seqs in ([10], [9]):
        fresh = plan.next(0, history=())
        assert isinstance(fresh, Fresh)
        plan.sent(fresh.items, now_s=0)
        assert [item.seq for item in fresh.items] == seqs
    assert plan.next(0, history=()) is None
    urgent = plan.next(0, history=("urgent",))
    assert isinstance(urgent, Stored)
    plan.found(urgent, [])
    assert plan.next(0, history=("urgent",)) is None
    history = plan.next(0)
    assert isinstance(history, Stored)
    assert history.which == "samples"


def test_a_sample_that_waited_too_long_in_memory_is_history() -> None:
    plan = SendPlan(backlog=False)
    plan.add(samples(1), now_s=0)
    todo = plan.next(15.1)
    assert isinstance(todo, Stored)
    assert (todo.which, todo.after_seq) == ("samples", 0)


def test_no_more_than_the_window_is_under_way() -> None:
    plan = SendPlan(backlog=False)
    for number in range(WINDOW_MESSAGES + 3):
        plan.add(samples(number + 1), now_s=0)
        take(plan, 0)
    assert plan.in_flight == WINDOW_MESSAGES
    plan.confirm(1, 1, now_s=1)
    assert take(plan, 1) == [WINDOW_MESSAGES + 3, WINDOW_MESSAGES + 2, WINDOW_MESSAGES + 1]


def test_a_silent_hub_is_asked_with_one_message_at_pauses_that_double() -> None:
    plan = SendPlan(backlog=False)
    sent_at_s = []
    for second in range(1, 1400):
        plan.add(samples(second), now_s=second)
        while (todo := plan.next(second)) is not None:
            if isinstance(todo, Stored):
                stored = samples(*range(todo.after_seq + 1, second + 1)) if todo.which == "samples" else []
                items = plan.found(todo, stored[: todo.limit])
                if not items:
                    continue
            else:
                items = list(todo.items)
            plan.sent(items, now_s=second)
            sent_at_s.append(second)
    assert sent_at_s[:WINDOW_MESSAGES] == list(range(1, WINDOW_MESSAGES + 1))
    assert plan.stalled
    assert sent_at_s[WINDOW_MESSAGES:] == [21, 41, 81, 161, 321, 621, 921, 1221]


def test_a_word_from_the_hub_opens_the_window_again() -> None:
    plan = SendPlan(backlog=False)
    plan.add(samples(1), now_s=0)
    take(plan, 0)
    assert isinstance(plan.next(20), Stored)
    before = plan.stalled
    plan.confirm(1, 1, now_s=25)
    assert (before, plan.stalled) == (True, False)
    plan.add(samples(2), now_s=26)
    plan.add(events(3), now_s=26)
    waits = plan.urgent_waits
    assert take(plan, 26) == [3], "what has just happened goes before events of yesterday"
    assert (waits, plan.urgent_waits) == (True, False)
    assert isinstance(plan.next(26), Stored)


def test_one_lost_message_goes_again_while_others_are_confirmed() -> None:
    plan = SendPlan(backlog=False)
    plan.add(samples(1), now_s=0)
    take(plan, 0)
    plan.add(samples(2), now_s=19)
    take(plan, 19)
    plan.confirm(2, 2, now_s=19.5)
    todo = plan.next(20)
    assert isinstance(todo, Stored)
    assert todo.after_seq == 0
    assert not plan.stalled


def test_after_a_reconnect_everything_in_flight_goes_again_at_once() -> None:
    plan = SendPlan(backlog=False)
    plan.add(samples(7, 8), now_s=0)
    take(plan, 0)
    plan.reconnected()
    assert plan.in_flight == 0
    todo = plan.next(0.1)
    assert isinstance(todo, Stored)
    assert todo.after_seq == 0


def test_a_late_answer_of_the_outbox_skips_nothing_that_was_given_back() -> None:
    plan = SendPlan(backlog=True)
    asked = plan.next(0)
    assert isinstance(asked, Stored)
    plan.look_again()
    plan.found(asked, [])
    again = plan.next(0)
    assert isinstance(again, Stored)
    assert again.which == "urgent", "the empty answer was from before"


@pytest.mark.parametrize("in_flight", [0, 3])
def test_it_says_how_long_it_can_sleep(in_flight: int) -> None:
    plan = SendPlan(backlog=False)
    for number in range(in_flight):
        plan.add(samples(number + 1), now_s=number)
        take(plan, number)
    assert plan.due_in_s(5) == (15 if in_flight else None)


class LossyWorld:
    """A node, a link that loses messages both ways and also breaks, and a hub."""

    def __init__(self, random: Random, loss: float) -> None:
        self.random = random
        self.loss = loss
        self.outbox: dict[int, Item] = {}
        self.hub: set[int] = set()
        self.made = 0
        self.now_s = 0.0
        self.plan = SendPlan(backlog=False)
        self.on_the_way: list[set[int]] = []

    def make(self) -> None:
        if self.random.random() < 0.7:
            next_ = self.made + 1
            fresh = samples(next_, next_ + 1) if self.random.random() < 0.8 else events(next_)
            self.made += len(fresh)
            self.outbox |= {item.seq: item for item in fresh}
            self.plan.add(fresh, now_s=self.now_s)

    def turn(self) -> None:
        self.now_s += self.random.choice([0.1, 1.0, 7.0, 30.0])
        if self.random.random() < 0.05:
            self.plan.reconnected()
            self.on_the_way.clear()
        for _ in range(self.random.randint(0, 6)):
            self.send()
        if self.on_the_way and self.random.random() < 0.8:
            self.arrive(self.on_the_way.pop(self.random.randrange(len(self.on_the_way))))

    def send(self) -> None:
        todo = self.plan.next(self.now_s)
        if todo is None:
            return
        if isinstance(todo, Fresh):
            items = list(todo.items)
        else:
            kind = Sample if todo.which == "samples" else Event
            above = [self.outbox[seq] for seq in sorted(self.outbox) if seq > todo.after_seq]
            items = self.plan.found(todo, [item for item in above if isinstance(item, kind)][: todo.limit])
        if items:
            self.plan.sent(items, now_s=self.now_s)
            if self.random.random() >= self.loss:
                self.on_the_way.append({item.seq for item in items})

    def arrive(self, seqs: set[int]) -> None:
        self.hub |= seqs
        if self.random.random() >= self.loss:
            for seq in seqs:
                self.outbox.pop(seq, None)
                self.plan.confirm(seq, seq, now_s=self.now_s)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**9), loss=st.floats(0, 0.7))
def test_whatever_is_lost_on_the_way_everything_arrives(seed: int, loss: float) -> None:
    world = LossyWorld(Random(seed), loss)
    for _ in range(150):
        world.make()
        world.turn()
    for _ in range(4000):
        if not world.outbox:
            break
        world.turn()
    assert not world.outbox, f"{len(world.outbox)} of {world.made} never went through"
    assert world.hub == set(range(1, world.made + 1))
