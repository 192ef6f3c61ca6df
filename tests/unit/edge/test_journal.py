import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.clock import MockClock
from edge.link.send_plan import Fresh, Stored
from edge.outbox.journal import HOLD_EVENTS_S, HOLD_HISTORY_S, Journal
from edge.outbox.outbox_file import Item
from protocol.messages import Event
from tests.support.hub_side import eventually
from tests.support.nodes import EVENING, NODE, sample, stamped
from tests.unit.edge.test_outbox import full_disk


def make_journal(folder: Path, executor: ThreadPoolExecutor, clock: MockClock | None = None) -> Journal:
    return Journal(folder, node=NODE, clock=clock or MockClock(EVENING), executor=executor)


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    with ThreadPoolExecutor(1) as executor:
        journal = make_journal(tmp_path, executor)
        await journal.open()
        yield journal
        await journal.close()


async def test_what_is_recorded_is_on_disk_before_it_is_in_the_plan(journal: Journal) -> None:
    await journal.record([sample(), sample()])
    todo = journal.plan.next(0)
    assert isinstance(todo, Fresh)
    assert [item.seq for item in todo.items] == [1, 2]
    assert len(await journal.outbox.read("samples", 0, 10)) == 2


async def test_posts_are_stored_together_in_their_order(journal: Journal) -> None:
    journal.later("device_reset")
    journal.post([sample()], notes={"config": b"1"})
    journal.post(notes={"config": b"2"})
    delivering = asyncio.create_task(journal.deliver())
    await eventually(lambda: journal.outbox.queued == 2, what="both stored")
    assert [item.seq for item in await journal.outbox.read("urgent", 0, 9)] == [1]
    assert await journal.outbox.notes("config") == {"": b"2"}
    delivering.cancel()


async def test_what_was_posted_at_the_very_end_is_not_lost(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as executor:
        journal = make_journal(tmp_path, executor)
        await journal.open()
        journal.later("device_reset")
        await journal.close()
        again = make_journal(tmp_path, executor)
        await again.open()
        assert again.outbox.queued == 1
        await again.close()


async def test_confirmation_frees_outbox_and_plan(journal: Journal) -> None:
    await journal.record([sample()])
    todo = journal.plan.next(0)
    assert isinstance(todo, Fresh)
    journal.plan.sent(todo.items, now_s=0)
    journal.confirmed(journal.outbox.epoch, [(1, 1)])
    assert journal.outbox.queued == 0
    assert journal.plan.in_flight == 0


async def test_when_the_disk_fails_the_new_epoch_is_told_and_nothing_is_left_out(journal: Journal) -> None:
    epochs = []
    journal.on_new_epoch = lambda: epochs.append(journal.outbox.epoch)
    await journal.record([sample()])
    before = journal.outbox.epoch
    with full_disk():
        await journal.record([sample()])
    assert epochs == [journal.outbox.epoch]
    assert journal.outbox.epoch != before
    found = []
    while (todo := journal.plan.next(0)) is not None:
        assert isinstance(todo, Stored)
        answer = await journal.outbox.read(todo.which, todo.after_seq, todo.limit)
        items = journal.plan.found(todo, answer)
        if items:
            journal.plan.sent(items, now_s=0)
        found += [item.seq for item in items]
    assert found == [1], "the sample whose write failed on disk"


async def test_every_item_says_in_which_boot_and_at_which_steady_second_it_was_made(
    journal: Journal,
) -> None:
    journal.later("camera_offline", pole="TG-0001", camera="CAM-1", active=True)
    await journal.record([sample()])
    [event] = await journal.outbox.read("urgent", 0, 9)
    [stored] = await journal.outbox.read("samples", 0, 9)
    assert isinstance(event, Event)
    assert (event.camera, event.active) == ("CAM-1", True)
    now = journal.moment()
    for item in (event, stored):
        assert (item.boot, item.mono_s) == (now.boot, now.mono_s)


async def read_all(journal: Journal) -> list[Item]:
    stored = [
        *await journal.outbox.read("urgent", 0, 99),
        *await journal.outbox.read("samples", 0, 99),
    ]
    return journal.dated(stored)


async def test_a_clock_that_becomes_right_is_told_and_mends_what_waits_also_after_a_restart(
    tmp_path: Path,
) -> None:
    with ThreadPoolExecutor(1) as executor:
        clock = MockClock(datetime(1970, 1, 1, tzinfo=UTC), synced=False)
        journal = make_journal(tmp_path, executor, clock)
        await journal.open()
        await journal.record([stamped(clock)])
        clock.advance(30)
        clock.jump_to(EVENING)
        clock.is_synced = True
        await journal.record([stamped(clock)])
        told = await read_all(journal)
        await journal.close()
        again = make_journal(tmp_path, executor, clock)
        await again.open()
        assert await read_all(again) == told
        await again.close()
    [corrected, *samples] = told
    assert isinstance(corrected, Event)
    assert corrected.kind == "clock_corrected"
    assert corrected.detail["by_s"] == pytest.approx(EVENING.timestamp() - 30, abs=0.01)
    times = [(item.time, item.time_corrected, item.clock) for item in samples]
    assert times == [(EVENING - timedelta(seconds=30), True, "synced"), (EVENING, False, "synced")]


async def test_history_waits_a_while_for_a_clock_that_may_soon_be_right(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as executor:
        clock = MockClock(EVENING - timedelta(days=3), synced=False)
        journal = make_journal(tmp_path, executor, clock)
        await journal.open()
        clock.advance(3600)
        journal.reconnected()
        told = [set(journal.tells_history)]
        clock.advance(HOLD_EVENTS_S)
        told.append(set(journal.tells_history))
        clock.advance(HOLD_HISTORY_S)
        told.append(set(journal.tells_history))  # no time server in reach: better flagged than never
        journal.reconnected()
        told.append(set(journal.tells_history))
        clock.is_synced = True
        told.append(set(journal.tells_history))
        assert told == [set(), {"urgent"}, {"urgent", "samples"}, set(), {"urgent", "samples"}]
        await journal.close()
