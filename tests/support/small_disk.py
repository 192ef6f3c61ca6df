"""A disk of a few megabytes that can really be filled: a tmpfs of the test's own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.servers import missing

_BALLAST = "ballast"


class SmallDisk:
    """`with SmallDisk(folder, size_mb=16) as disk:` mounts one over the folder, which is made where it is not.

    Skips or fails the test where the right to mount is missing: that takes root.
    """

    def __init__(self, folder: Path, *, size_mb: int, owner: tuple[int, int] | None = None) -> None:
        """`owner`: user and group id of whoever writes there, where that is not this process."""
        if os.geteuid() != 0:
            missing("the right to mount a file system, which takes root,")
        self.folder = folder
        self._options = f"size={size_mb}m,mode=700"
        if owner is not None:
            self._options += f",uid={owner[0]},gid={owner[1]}"

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        words = ["mount", "-t", "tmpfs", "-o", self._options, "tmpfs", str(self.folder)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            missing(f"the right to mount a file system ({done.stderr.strip()})")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Lazily, because a process that a failing test left behind may still hold a file.
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)

    @property
    def free_bytes(self) -> int:
        """What can still be written."""
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    def fill(self) -> None:
        """Write until nothing more fits."""
        with (self.folder / _BALLAST).open("ab", buffering=0) as ballast:
            while self.free_bytes:
                try:
                    ballast.write(bytes(min(self.free_bytes, 65_536)))
                except OSError:
                    break
        assert self.free_bytes == 0

    def clear(self) -> None:
        """Make the room again that `fill` took."""
        (self.folder / _BALLAST).unlink()
