import os
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest

from edge.outbox.outbox import FILE_NAME
from edge.outbox.outbox_file import OutboxFile
from tests.support.nodes import event, sample
from tests.unit.edge.test_outbox import Box


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Box]:
    box = Box(tmp_path)
    await box.outbox.open()
    yield box
    await box.outbox.close()
    box.executor.shutdown()


def told(box: Box, kind: str) -> set[int]:
    """Seqs that troubles of a kind say are gone; each only once."""
    seqs: list[int] = []
    for trouble in box.troubles:
        if trouble.kind == kind:
            first, last = trouble.detail["first_seq"], trouble.detail["last_seq"]
            runs = str(trouble.detail.get("runs", f"{first}-{last}")).split(",")
            mine = [seq for a, b in (run.split("-") for run in runs) for seq in range(int(a), int(b) + 1)]
            assert (len(mine), mine[0], mine[-1]) == (trouble.detail["dropped"], first, last)
            seqs += mine
    assert len(seqs) == len(set(seqs))
    return set(seqs)


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


async def test_a_full_outbox_lets_the_oldest_samples_go_keeps_events_and_tells_the_exact_gap(
    tmp_path: Path,
) -> None:
    box = Box(tmp_path, max_bytes=1_600_000)
    await box.outbox.open()
    events, largest = set[int](), 0
    for _ in range(60):
        written = await box.outbox.write([event(), *(sample() for _ in range(60))])
        events.add(written.items[0].seq)
        largest = max(largest, size(tmp_path))
    kept, gone = set(await box.seqs()), told(box, "outbox_overflow")
    assert events <= kept
    assert gone
    assert kept | gone == set(range(1, 60 * 61 + 1))
    assert not kept & gone
    assert max(gone) < min(kept - events), "the oldest went"
    assert box.outbox.queued == len(kept)
    assert largest <= 1_600_000
    await box.outbox.close()


async def test_a_gap_that_was_not_told_before_the_end_is_told_at_the_next_start(tmp_path: Path) -> None:
    file = OutboxFile(tmp_path / FILE_NAME)
    file.write([sample() for _ in range(9)])
    file.drop("outbox_overflow", [1, 2, 3])
    file.close()
    box = Box(tmp_path)
    await box.outbox.open()
    assert told(box, "outbox_overflow") == {1, 2, 3}
    note = box.troubles[0].told_by
    assert note is not None
    await box.outbox.write([event(kind="outbox_overflow")], notes={note: None})
    await box.outbox.close()
    again = Box(tmp_path)
    await again.outbox.open()
    assert again.troubles == []
    await again.outbox.close()


async def test_samples_beyond_their_age_go_and_those_nobody_can_date_only_with_them(box: Box) -> None:
    ages: list[bool | None] = [None, True, None, True, None, False, True]
    await box.outbox.write([sample() for _ in ages])
    verdicts = dict(enumerate(ages, start=1))
    await box.outbox.expire(lambda item: verdicts[item.seq])
    assert told(box, "outbox_overflow") == {1, 2, 3, 4}
    assert await box.seqs() == [5, 6, 7]


async def test_a_row_that_cannot_be_read_is_dropped_alone_and_told(tmp_path: Path) -> None:
    file = OutboxFile(tmp_path / FILE_NAME)
    file.write([sample() for _ in range(3)])
    file.close()
    db = sqlite3.connect(tmp_path / FILE_NAME)
    db.execute("UPDATE item SET body = x'01ffff' WHERE seq = 2")
    db.commit()
    db.close()
    box = Box(tmp_path)
    await box.outbox.open()
    assert await box.seqs() == [1, 3]
    assert told(box, "outbox_damaged") == {2}
    assert box.outbox.queued == 2
    await box.outbox.close()


async def test_a_drained_outbox_gives_its_space_back_and_goes_on_counting(tmp_path: Path) -> None:
    box = Box(tmp_path)
    await box.outbox.open()
    for _ in range(8):
        await box.outbox.write([sample() for _ in range(12_500)])
    assert not await box.outbox.compact(), "much of it is in use"
    box.outbox.confirm(box.outbox.epoch, [(1, 99_990)])
    await box.outbox.flush()
    assert await box.outbox.compact()
    assert size(tmp_path) < 100_000
    assert not await box.outbox.compact()
    assert [item.seq for item in (await box.outbox.write([sample()])).items] == [100_001]
    assert len(await box.seqs()) == 11
    await box.outbox.close()


def make_version_1(path: Path) -> UUID:
    """A file as agents before 0.2 wrote it, with a sample, an event and a note in it."""
    epoch = uuid4()
    db = sqlite3.connect(path)
    db.execute(
        "CREATE TABLE item (seq INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, body BLOB NOT NULL)"
    )
    db.execute("CREATE INDEX item_urgent ON item (seq) WHERE kind <> 0")
    db.execute("CREATE TABLE note (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")
    db.execute("INSERT INTO note VALUES ('epoch', ?), ('config', ?)", (epoch.bytes, b"kept"))
    for seq, (kind, item) in enumerate([(0, sample()), (1, event()), (0, sample())], start=1):
        body = msgspec.json.encode(msgspec.structs.replace(item, seq=seq))
        db.execute("INSERT INTO item VALUES (?, ?, ?)", (seq, kind, body))
    db.execute("DELETE FROM item WHERE seq = 3")
    db.execute("PRAGMA user_version = 1")
    db.commit()
    db.close()
    return epoch


async def test_an_older_agents_file_is_carried_over_whole(tmp_path: Path) -> None:
    epoch = make_version_1(tmp_path / FILE_NAME)
    box = Box(tmp_path)
    await box.outbox.open()
    assert box.outbox.epoch == epoch
    assert await box.seqs() == [1, 2]
    assert await box.outbox.notes("config") == {"": b"kept"}
    assert [item.seq for item in (await box.outbox.write([sample()])).items] == [4], (
        "3 was given out before"
    )
    await box.outbox.close()
    db = sqlite3.connect(tmp_path / FILE_NAME)
    assert [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("user_version", "page_size")] == [
        2,
        1024,
    ]
    db.close()
    assert os.listdir(tmp_path) == [FILE_NAME]


async def test_an_older_agents_file_is_used_as_it_is_where_there_is_no_room_for_another(
    tmp_path: Path,
) -> None:
    make_version_1(tmp_path / FILE_NAME)
    box = Box(tmp_path)
    (tmp_path / f"{FILE_NAME}.new").mkdir()  # what can't be replaced by a file
    await box.outbox.open()
    assert not box.outbox.in_memory
    await box.outbox.write([sample()])
    assert await box.seqs() == [1, 2, 4]
    await box.outbox.close()
