"""A backup's file: what went in comes out; cut, changed, spliced or under another key it is refused."""

from __future__ import annotations

import gzip
import io
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.backup.errors import BackupError, RestoreError
from hub.backup.pages import file_digest, put, take
from hub.backup.sealed import make_secret, read_secret, sealing, unsealing

SECRET = bytes(range(32))
PAGE = 512
KEY = b"k" * 16


def database(*pages: int) -> io.BytesIO:
    """A file of pages that are each filled with one number; the first says how large they are."""
    first = bytearray(bytes([pages[0]]) * PAGE)
    first[16:18] = PAGE.to_bytes(2, "big")
    return io.BytesIO(bytes(first) + b"".join(bytes([one]) * PAGE for one in pages[1:]))


def seal(path: Path, data: bytes, secret: bytes | None) -> None:
    with sealing(path, secret) as out:
        out.write(data)


def unseal(path: Path, secret: bytes | None) -> bytes:
    with unsealing(path, secret) as source:
        return b"".join(iter(lambda: source.read(70_000), b""))


@pytest.mark.parametrize("secret", [None, SECRET], ids=["plain", "encrypted"])
@pytest.mark.parametrize("size", [0, 1, 70_000, 3_000_000])
def test_what_went_in_comes_out(tmp_path: Path, secret: bytes | None, size: int) -> None:
    data = os.urandom(size)
    seal(tmp_path / "f", data, secret)
    assert unseal(tmp_path / "f", secret) == data
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o600


def test_without_a_key_gzip_reads_it(tmp_path: Path) -> None:
    seal(tmp_path / "f.gz", b"abc" * 1000, None)
    assert gzip.decompress((tmp_path / "f.gz").read_bytes()) == b"abc" * 1000


@pytest.mark.parametrize("secret", [None, SECRET], ids=["plain", "encrypted"])
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, secret: bytes | None) -> None:
    path = tmp_path / "f"
    seal(path, os.urandom(2_500_000), secret)
    whole = path.read_bytes()
    frame = 8 + 16 + 4 + 1024 * 1024 + 16
    for length in (0, 5, 20, 1000, frame, 2 * 1024 * 1024 + 60, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(RestoreError):
            unseal(path, secret)


def test_another_key_a_changed_byte_and_swapped_frames_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "f"
    seal(path, os.urandom(3_300_000), SECRET)
    whole = path.read_bytes()
    with pytest.raises(RestoreError, match="key"):
        unseal(path, bytes(32))
    with pytest.raises(RestoreError, match="encrypted"):
        unseal(path, None)
    path.write_bytes(whole[:500] + bytes([whole[500] ^ 1]) + whole[501:])
    with pytest.raises(RestoreError, match="damaged"):
        unseal(path, SECRET)
    head, frame = 24, 4 + 1024 * 1024 + 16
    first, second = whole[head : head + frame], whole[head + frame : head + 2 * frame]
    path.write_bytes(whole[:head] + second + first + whole[head + 2 * frame :])
    with pytest.raises(RestoreError, match="damaged"):
        unseal(path, SECRET)


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "key"
    make_secret(path)
    assert len(read_secret(path)) == 32
    path.chmod(0o640)
    with pytest.raises(BackupError, match="chmod 600"):
        read_secret(path)
    with pytest.raises(BackupError, match="can't be made"):
        make_secret(path)
    path.chmod(0o600)
    path.write_text("abcd")
    with pytest.raises(BackupError, match="2 bytes"):
        read_secret(path)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 255), min_size=1, max_size=40), min_size=1, max_size=5))
def test_any_row_of_states_comes_back_from_what_changed(states: list[list[int]]) -> None:
    known = b""
    restored = io.BytesIO()
    for state in states:
        file = database(*state)
        stream = io.BytesIO()
        taken = take(file, known, stream.write, key=KEY)
        known = taken.digests
        stream.seek(0)
        put(stream, restored)
        assert restored.getvalue() == file.getvalue()
        assert file_digest(restored, key=KEY) == taken.digest


def test_only_the_pages_that_changed_are_written() -> None:
    before = take(database(1, 2, 3, 4), b"", lambda _: None, key=KEY)
    assert (before.pages, before.changed) == (4, 4)
    after = take(database(1, 2, 9, 4, 5), before.digests, lambda _: None, key=KEY)
    assert (after.pages, after.changed) == (5, 2)
    shrunk = take(database(1, 2), after.digests, lambda _: None, key=KEY)
    assert (shrunk.pages, shrunk.changed) == (2, 0)


def test_what_is_no_database_is_refused() -> None:
    with pytest.raises(ValueError, match="no SQLite file"):
        take(io.BytesIO(b"x" * 700), b"", lambda _: None, key=KEY)
    with pytest.raises(RestoreError):
        put(io.BytesIO(b"NGPX" + bytes(12)), io.BytesIO())
