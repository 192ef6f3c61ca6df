import os
from pathlib import Path
from uuid import uuid4

import pytest

from edge.outbox.carry_over import carry_over, finish
from edge.outbox.outbox import FILE_NAME
from edge.outbox.outbox_file import OutboxFile
from tests.support.nodes import event, sample

BOOT = uuid4()


def left_open(path: Path) -> dict[str, bytes]:
    """The folder of an agent that was killed in BOOT with three samples and an event in its outbox."""
    file = OutboxFile(path, boot=BOOT)
    file.write([sample(), event(), sample(), sample()], notes={"config": b"kept"})
    file.write([], forget=[(4, 4)])
    files = {part.name: part.read_bytes() for part in path.parent.iterdir()}
    file.close()
    for part in path.parent.iterdir():
        part.unlink()
    for name, content in files.items():
        (path.parent / name).write_bytes(content)
    return files


def test_a_log_of_this_boot_makes_a_file_suspect_one_of_an_earlier_boot_does_not(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    left_open(path)
    file = OutboxFile(path, boot=uuid4())
    assert not file.is_suspect, "after a reboot the page cache holds what the disk holds"
    file.close()
    left_open(path)
    file = OutboxFile(path, boot=BOOT)
    assert file.is_suspect
    file.close()
    file = OutboxFile(path, boot=BOOT)
    assert not file.is_suspect, "it was closed: no log is left"
    file.close()


def test_what_is_carried_over_has_epoch_seqs_and_notes_and_nothing_is_left_beside_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / FILE_NAME
    left_open(path)
    old = OutboxFile(path, boot=BOOT)
    carry_over(old)
    assert os.listdir(tmp_path) == [FILE_NAME]
    new = OutboxFile(path, boot=BOOT)
    assert (new.epoch, new.high_seq, new.count) == (old.epoch, 4, 3)
    assert [item.seq for item in new.read("samples", 0, 9)] == [1, 3]
    assert [item.seq for item in new.read("urgent", 0, 9)] == [2]
    assert new.note("config") == b"kept"
    new.close()


def test_a_cut_before_the_new_file_is_in_its_place_is_made_good_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    files = left_open(path)
    old = OutboxFile(path, boot=BOOT)
    carry_over(old)
    path.rename(tmp_path / f"{FILE_NAME}.whole")
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    finish(path)
    assert os.listdir(tmp_path) == [FILE_NAME], (
        "the old log is gone: it must not be merged into the new file"
    )
    new = OutboxFile(path, boot=BOOT)
    assert new.count == 3
    new.close()
    finish(path)
    assert path.exists(), "nothing to do"


def test_without_room_for_a_second_file_the_old_one_stays_open_and_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    left_open(path)
    (tmp_path / f"{FILE_NAME}.new").mkdir()  # what can't be replaced by a file
    old = OutboxFile(path, boot=BOOT)
    with pytest.raises(OSError, match=r"outbox\.db\.new"):
        carry_over(old)
    assert [item.seq for item in old.write([sample()]).items] == [5]
    old.close()
