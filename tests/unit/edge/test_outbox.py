import asyncio
import resource
import sqlite3
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.outbox.outbox import FILE_NAME, Outbox, Trouble
from edge.outbox.outbox_file import NotAnOutboxError, OutboxFile, OutboxInUseError
from protocol.messages import Event, Receipt
from tests.support.nodes import EVENING, NODE, POLE, event, sample


class Box:
    """An outbox with what befell it."""

    def __init__(self, folder: Path, *, max_bytes: int = 64_000_000) -> None:
        self.troubles: list[Trouble] = []
        self.executor = ThreadPoolExecutor(1)
        self.outbox = Outbox(
            folder, max_bytes=max_bytes, executor=self.executor, on_trouble=self.troubles.append
        )

    async def seqs(self) -> list[int]:
        items = [
            *await self.outbox.read("samples", 0, 10_000),
            *await self.outbox.read("urgent", 0, 10_000),
        ]
        return sorted(item.seq for item in items)


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Box]:
    box = Box(tmp_path)
    await box.outbox.open()
    yield box
    await box.outbox.close()
    box.executor.shutdown()


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process can grow, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


async def test_one_seq_space_without_gaps_over_samples_events_and_receipts(box: Box) -> None:
    receipt = Receipt(
        v=1,
        node=NODE,
        epoch=uuid4(),
        seq=1,
        time=EVENING,
        clock="synced",
        command=uuid4(),
        pole=POLE,
        status="accepted",
    )
    first = await box.outbox.write([sample(), sample(), event()])
    second = await box.outbox.write([receipt])
    assert [item.seq for item in [*first.items, *second.items]] == [1, 2, 3, 4]
    stored = second.items[0]
    assert isinstance(stored, Receipt)
    assert stored.epoch == box.outbox.epoch
    assert await box.seqs() == [1, 2, 3, 4]
    assert box.outbox.queued == 4


async def test_items_are_read_back_as_they_were_written(box: Box) -> None:
    written = await box.outbox.write([sample(), event()])
    assert await box.outbox.read("samples", 0, 10) == [written.items[0]]
    assert await box.outbox.read("urgent", 0, 10) == [written.items[1]]
    assert await box.outbox.read("urgent", 2, 10) == []


async def test_seqs_and_epoch_go_on_after_a_restart_even_when_all_was_confirmed(tmp_path: Path) -> None:
    box = Box(tmp_path)
    await box.outbox.open()
    await box.outbox.write([sample(), sample()])
    epoch = box.outbox.epoch
    box.outbox.confirm(epoch, [(1, 2)])
    await box.outbox.close()
    again = Box(tmp_path)
    await again.outbox.open()
    assert again.outbox.epoch == epoch
    assert again.outbox.queued == 0
    assert [item.seq for item in (await again.outbox.write([sample()])).items] == [3]
    await again.outbox.close()


async def test_confirmed_items_are_gone_at_once_to_readers_and_deleted_with_the_next_write(
    box: Box, tmp_path: Path
) -> None:
    await box.outbox.write([sample() for _ in range(5)])
    box.outbox.confirm(box.outbox.epoch, [(1, 2), (4, 4)])
    assert await box.seqs() == [3, 5]
    assert box.outbox.queued == 2
    await box.outbox.write([sample()])
    assert await box.seqs() == [3, 5, 6]
    assert box.outbox.queued == 3


async def test_another_epochs_confirmation_and_one_ahead_of_time_forget_nothing(box: Box) -> None:
    await box.outbox.write([sample(), sample()])
    box.outbox.confirm(uuid4(), [(1, 2)])
    box.outbox.confirm(box.outbox.epoch, [(3, 10**9)])
    await box.outbox.write([sample()])
    assert await box.seqs() == [1, 2, 3]


async def test_flush_deletes_without_waiting(tmp_path: Path) -> None:
    box = Box(tmp_path)
    await box.outbox.open()
    await box.outbox.write([sample(), sample()])
    box.outbox.confirm(box.outbox.epoch, [(1, 1)])
    await box.outbox.close()
    file = OutboxFile(tmp_path / FILE_NAME)
    assert [item.seq for item in file.read("samples", 0, 9)] == [2]
    file.close()


async def test_a_damaged_file_is_set_aside_and_a_new_epoch_begins(tmp_path: Path) -> None:
    box = Box(tmp_path)
    await box.outbox.open()
    await box.outbox.write([sample()])
    old_epoch = box.outbox.epoch
    await box.outbox.close()
    (tmp_path / FILE_NAME).write_bytes(b"what a worn-out SD card gives back" * 400)
    again = Box(tmp_path)
    await again.outbox.open()
    assert again.outbox.epoch != old_epoch
    assert not again.outbox.in_memory
    assert again.troubles[0].kind == "outbox_damaged"
    assert (tmp_path / str(again.troubles[0].detail["kept_as"])).read_bytes().startswith(b"what a worn")
    assert [item.seq for item in (await again.outbox.write([sample()])).items] == [1]
    await again.outbox.close()


async def test_damage_inside_the_file_is_found_at_the_start(tmp_path: Path) -> None:
    box = Box(tmp_path)
    await box.outbox.open()
    for _ in range(30):
        await box.outbox.write([sample() for _ in range(20)])
    await box.outbox.close()
    with (tmp_path / FILE_NAME).open("r+b") as file:
        file.seek(4096 * 6)
        file.write(b"\xff" * 4096 * 3)
    again = Box(tmp_path)
    await again.outbox.open()
    assert [trouble.kind for trouble in again.troubles] == ["outbox_damaged"]
    await again.outbox.close()


def test_only_the_newest_damaged_files_are_kept(tmp_path: Path) -> None:
    async def open_and_close() -> None:
        box = Box(tmp_path)
        await box.outbox.open()
        await box.outbox.close()

    for _ in range(5):
        (tmp_path / FILE_NAME).write_bytes(b"damage" * 999)
        asyncio.run(open_and_close())
    kept = sorted(path.name for path in tmp_path.glob("outbox.damaged-*.db"))
    assert kept == ["outbox.damaged-000003.db", "outbox.damaged-000004.db", "outbox.damaged-000005.db"]


async def test_a_file_of_a_later_agent_is_set_aside_unharmed(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / FILE_NAME)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(NotAnOutboxError, match="schema version 99"):
        OutboxFile(tmp_path / FILE_NAME)


async def test_a_full_disk_moves_the_outbox_to_memory_and_it_finds_back(box: Box) -> None:
    await box.outbox.write([sample()], notes={"override/TG-0001": b"old"})
    on_disk = box.outbox.epoch
    with full_disk():
        written = await box.outbox.write([sample(), event()], notes={"override/TG-0001": b"new"})
        assert box.outbox.in_memory
        assert written.epoch == box.outbox.epoch != on_disk
        assert [item.seq for item in written.items] == [1, 2]
        assert not await box.outbox.return_to_disk()
        box.outbox.confirm(written.epoch, [(1, 2)])
        assert not await box.outbox.return_to_disk(), "the disk is still full"
    assert await box.outbox.return_to_disk()
    assert box.outbox.epoch == on_disk
    assert await box.seqs() == [1], "what was on disk waited there"
    assert await box.outbox.notes("override/") == {"TG-0001": b"new"}
    assert [trouble.kind for trouble in box.troubles] == ["outbox_in_memory", "outbox_on_disk"]


async def test_memory_is_not_left_while_something_in_it_waits_for_the_hub(tmp_path: Path) -> None:
    blocked = tmp_path / "data"
    blocked.write_text("a file where the folder should be")
    box = Box(blocked)
    await box.outbox.open()
    assert box.outbox.in_memory
    await box.outbox.write([sample()])
    blocked.unlink()
    assert not await box.outbox.return_to_disk()
    box.outbox.confirm(box.outbox.epoch, [(1, 1)])
    assert await box.outbox.return_to_disk()
    assert (blocked / FILE_NAME).exists()
    await box.outbox.close()


async def test_a_second_agent_is_refused(box: Box, tmp_path: Path) -> None:
    await box.outbox.write([sample()])
    with pytest.raises(OutboxInUseError, match="in use by another agent"):
        OutboxFile(tmp_path / FILE_NAME)


async def test_notes_are_found_by_prefix_and_deleted_by_none(box: Box) -> None:
    await box.outbox.write([], notes={"command/a": b"1", "command/b": b"2", "config": b"3"})
    await box.outbox.write([sample()], notes={"command/a": None})
    assert await box.outbox.notes("command/") == {"b": b"2"}
    assert await box.outbox.notes("config") == {"": b"3"}


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("write"), st.integers(0, 6), st.booleans()),
            st.tuples(st.just("confirm"), st.integers(1, 60), st.integers(0, 20)),
            st.just(("restart", 0, 0)),
            st.just(("crash", 0, 0)),
        ),
        max_size=30,
    )
)
def test_nothing_unconfirmed_is_ever_lost_and_no_seq_is_given_twice(
    steps: list[tuple[str, int, int | bool]],
) -> None:
    """Against a model: writes, confirmations, restarts, and ends without a close."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / FILE_NAME
        file = OutboxFile(path)
        epoch: UUID = file.epoch
        made, confirmed = 0, set[int]()
        for what, number, other in steps:
            if what == "write":
                written = file.write([sample()] * number + [event()] * bool(other))
                assert [item.seq for item in written.items] == list(
                    range(made + 1, made + 1 + len(written.items))
                )
                made += len(written.items)
            elif what == "confirm":
                last = min(number + int(other), made)
                file.write([], forget=[(number, last)])
                confirmed |= set(range(number, last + 1))
            else:
                if what == "crash":
                    # What a killed process leaves: the files as they are, the log not merged.
                    left = {part: part.read_bytes() for part in path.parent.iterdir()}
                    file.close()
                    for part, content in left.items():
                        part.write_bytes(content)
                else:
                    file.close()
                file = OutboxFile(path)
            assert (file.epoch, file.high_seq) == (epoch, made)
            held = [*file.read("samples", 0, 999), *file.read("urgent", 0, 999)]
            assert {item.seq for item in held} == set(range(1, made + 1)) - confirmed
            assert file.count == len(held)
            assert all(isinstance(item, Event) for item in file.read("urgent", 0, 999))
        file.close()
