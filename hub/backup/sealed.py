"""A backup's file: gzip, and where a key is given, encrypted (AES-256-GCM) in frames of a mebibyte.

Without a key it is a plain `.gz`. With one: `NGSEAL1\\n`, 16 random bytes, then frames: length (4 bytes), and
the ciphertext, whose nonce is its number and whose associated data says whether it is the last. A file that was
cut short or put together from two is refused. Its key follows from the secret and the 16 bytes (HKDF-SHA256).
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from hub.backup.errors import BackupError, RestoreError

_MAGIC = b"NGSEAL1\n"
_FRAME = 1024 * 1024
_GZIP = 31
_LEVEL = 1


class SealedWriter:
    """Takes bytes in order; `close` ends the file, on the disk. `sha256` is of the file as it lies there."""

    def __init__(self, file: BinaryIO, secret: bytes | None) -> None:
        self._file = file
        self._packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
        self._sha256 = hashlib.sha256()
        self._waiting = bytearray()
        self._frames = 0
        self._cipher: Any = None
        if secret is not None:
            salt = secrets.token_bytes(16)
            self._cipher = _cipher(secret, salt)
            self._out(_MAGIC + salt)

    def write(self, data: bytes) -> int:
        """Take some bytes."""
        self._take(self._packer.compress(data))
        return len(data)

    def close(self) -> None:
        """Write what waits, and wait for the disk."""
        self._take(self._packer.flush())
        if self._cipher is not None:
            self._frame(last=True)
        self._file.flush()
        os.fsync(self._file.fileno())

    @property
    def sha256(self) -> str:
        """Of what was written so far, in hex."""
        return self._sha256.hexdigest()

    def _take(self, packed: bytes) -> None:
        if self._cipher is None:
            self._out(packed)
            return
        self._waiting += packed
        while len(self._waiting) > _FRAME:
            self._frame(last=False)

    def _frame(self, *, last: bool) -> None:
        plain = bytes(self._waiting if last else self._waiting[:_FRAME])
        del self._waiting[: len(plain)]
        sealed = self._cipher.encrypt(self._frames.to_bytes(12, "big"), plain, b"last" if last else b"more")
        self._frames += 1
        self._out(len(sealed).to_bytes(4, "big") + sealed)

    def _out(self, data: bytes) -> None:
        self._sha256.update(data)
        self._file.write(data)


class SealedReader:
    """The bytes that a SealedWriter took; `read` raises RestoreError for a file that is not whole."""

    def __init__(self, file: BinaryIO, secret: bytes | None) -> None:
        self._pieces = self._unpacked(_frames(file, secret))
        self._waiting = bytearray()
        self._ended = False

    def read(self, size: int, /) -> bytes:
        """The next bytes; fewer only at the end."""
        while len(self._waiting) < size and not self._ended:
            piece = next(self._pieces, None)
            if piece is None:
                self._ended = True
            else:
                self._waiting += piece
        data = bytes(self._waiting[:size])
        del self._waiting[:size]
        return data

    def _unpacked(self, frames: Iterator[bytes]) -> Iterator[bytes]:
        unpacker = zlib.decompressobj(_GZIP)
        try:
            for frame in frames:
                yield unpacker.decompress(frame)
        except zlib.error as error:
            raise RestoreError(f"damaged: {error}", f"Tệp sao lưu hỏng: {error}.") from error
        if not unpacker.eof:
            raise RestoreError("the file ends too early", "Tệp sao lưu bị cụt.")


@contextmanager
def sealing(path: Path, secret: bytes | None) -> Iterator[SealedWriter]:
    """A new file, mode 0600, whole on the disk at the end."""
    with _new(path) as file:
        writer = SealedWriter(file, secret)
        yield writer
        writer.close()


@contextmanager
def unsealing(path: Path, secret: bytes | None) -> Iterator[SealedReader]:
    """A file made by `sealing`. Raises RestoreError, on opening or on reading."""
    try:
        with path.open("rb") as file:
            yield SealedReader(file, secret)
    except OSError as error:
        raise RestoreError(f"{path} can't be read: {error}", f"Không đọc được {path}: {error}") from error


def read_secret(path: Path) -> bytes:
    """The secret of 32 bytes in a file of 64 hex digits that only its owner may read. Raises BackupError."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="ascii").strip()
        secret = bytes.fromhex(text)
    except (OSError, ValueError) as error:
        raise BackupError(
            f"the key {path} can't be read: {error}", f"Không đọc được khóa {path}: {error}"
        ) from None
    if mode & 0o077:
        raise BackupError(
            f"the key {path} is readable by others: chmod 600 {path}",
            f"Người khác đọc được khóa {path}: hãy chạy chmod 600 {path}",
        )
    if len(secret) != 32:
        raise BackupError(
            f"the key {path} has {len(secret)} bytes, not 32", f"Khóa {path} không đủ 32 byte"
        )
    return secret


def make_secret(path: Path) -> None:
    """Write a new secret, mode 0600; raises BackupError where a file is there already."""
    try:
        with _new(path) as file:
            file.write(secrets.token_hex(32).encode() + b"\n")
    except OSError as error:
        raise BackupError(
            f"the key {path} can't be made: {error}", f"Không tạo được khóa {path}: {error}"
        ) from None


def _new(path: Path) -> BinaryIO:
    """Mode 0600 from its first moment; FileExistsError where there is one."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _frames(file: BinaryIO, secret: bytes | None) -> Iterator[bytes]:
    head = file.read(len(_MAGIC))
    if head != _MAGIC:
        if secret is not None and head[:2] != b"\x1f\x8b":
            raise RestoreError("no backup file", "Đây không phải tệp sao lưu.")
        yield head
        while piece := file.read(_FRAME):
            yield piece
        return
    if secret is None:
        raise RestoreError(
            "it is encrypted: name its key with --key-file",
            "Bản sao lưu đã mã hóa: hãy chỉ ra khóa bằng --key-file.",
        )
    from cryptography.exceptions import InvalidTag

    cipher = _cipher(secret, file.read(16))
    number = 0
    size = file.read(4)
    while size:
        sealed = file.read(int.from_bytes(size, "big"))
        size = file.read(4)
        try:
            plain = cipher.decrypt(number.to_bytes(12, "big"), sealed, b"more" if size else b"last")
        except InvalidTag:
            raise RestoreError(
                "the key is not the one it was made with, or the file is damaged",
                "Sai khóa, hoặc tệp sao lưu đã hỏng.",
            ) from None
        number += 1
        yield plain
    if number == 0:
        raise RestoreError("the file ends too early", "Tệp sao lưu bị cụt.")


def _cipher(secret: bytes, salt: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return AESGCM(HKDF(SHA256(), 32, salt, b"ngonden backup").derive(secret))
