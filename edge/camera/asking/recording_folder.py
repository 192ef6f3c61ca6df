"""The newest recording's age from the files of a share that the recorder writes to."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Thread

from edge.drivers.ports import DriverError

DEPTH = 6
"""Recorders file by camera, year, month, day, hour."""
NEWEST_FOLDERS = 3
"""Of each folder so many are looked into: the newest, and some whose time was touched by a clean-up."""
ENTRIES = 20_000
WITHIN_S = 20.0


def newest_file(folder: str, *, entries: int = ENTRIES) -> datetime | None:
    """When the newest file below `folder` was written; None where there is none. Raises OSError.

    It looks at no more than `entries` names, folders touched last first.
    """
    newest, left = 0.0, entries
    level = [folder]
    for _ in range(DEPTH):
        folders: list[tuple[float, str]] = []
        for path in level:
            with os.scandir(path) as found:
                for entry in found:
                    left -= 1
                    if left < 0:
                        break
                    try:
                        written = entry.stat(follow_symlinks=False).st_mtime
                    except FileNotFoundError:
                        continue  # the recorder has just deleted it to make room
                    if entry.is_dir(follow_symlinks=False):
                        folders.append((written, entry.path))
                    else:
                        newest = max(newest, written)
        level = [path for _, path in sorted(folders, reverse=True)[:NEWEST_FOLDERS]]
    return datetime.fromtimestamp(newest, UTC) if newest else None


class RecordingFolder:
    """A folder of recordings, on a mounted share as a rule."""

    def __init__(self, folder: str, *, now: Callable[[], datetime]) -> None:
        self._folder = folder
        self._now = now
        self._walk: asyncio.Future[datetime | None] | None = None

    async def recording_age_s(self) -> float:
        """Seconds since the newest file was written to. Raises DriverError."""
        if self._walk is not None and not self._walk.done():
            raise DriverError(f"recordings under {self._folder}: the share still does not answer")
        # A share whose server is gone holds a thread for ever; a daemon's never keeps the agent from ending,
        # and there is never a second one.
        self._walk = _in_daemon_thread(lambda: newest_file(self._folder))
        try:
            async with asyncio.timeout(WITHIN_S):
                newest = await asyncio.shield(self._walk)
        except TimeoutError:
            raise DriverError(f"recordings under {self._folder}: the share does not answer") from None
        except OSError as error:
            raise DriverError(f"recordings under {self._folder}: {error.strerror or error}") from None
        if newest is None:
            raise DriverError(f"recordings under {self._folder}: not one file")
        return max(0.0, (self._now() - newest).total_seconds())


def _in_daemon_thread(work: Callable[[], datetime | None]) -> asyncio.Future[datetime | None]:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[datetime | None] = loop.create_future()

    def settle(result: datetime | None, error: OSError | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
            future.exception()  # whoever waited may be gone: then nobody need hear of it
        else:
            future.set_result(result)

    def run() -> None:
        result, failure = None, None
        try:
            result = work()
        except OSError as error:
            failure = error
        try:
            loop.call_soon_threadsafe(settle, result, failure)
        except RuntimeError:
            return  # the agent has ended meanwhile

    Thread(target=run, name="recordings", daemon=True).start()
    return future
