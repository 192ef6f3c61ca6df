"""Secrets and generated files: nobody else can read them, and a power cut leaves no half file."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4


def private_dir(path: Path) -> Path:
    """Make the directory (and missing parents) for the owner alone, mode 0700; an old one is kept."""
    for missing in reversed([path, *path.parents]):
        if not missing.exists():
            missing.mkdir(mode=0o700, exist_ok=True)
    return path


def write_private(path: Path, data: bytes | str) -> None:
    """Replace the file in one step, mode 0600: a reader sees the old content or the new, never a part."""
    payload = data.encode() if isinstance(data, str) else data
    # A name of its own, and O_EXCL: two processes never share a half-written file.
    temporary = path.with_name(f"{path.name}.{uuid4().hex[:8]}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_private_if_changed(path: Path, text: str) -> bool:
    """Write a generated file only where its text is new; says whether it wrote."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    write_private(path, text)
    return True
