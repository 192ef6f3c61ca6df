"""One JPEG from a camera's snapshot address. It is judged in memory and forgotten: it never leaves the node."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from edge.camera.asking.auth import Credentials
from edge.camera.asking.http import request
from edge.camera.devices import ProbeError

SNAPSHOT_BYTES = 2_000_000
"""A 4K picture of a busy street at high quality; a sub-stream's snapshot has 20 to 100 kB."""
SNAPSHOT_WITHIN_S = 15.0


class HttpSnapshot:
    """A camera's snapshot over HTTP."""

    pixel_true = True

    def __init__(self, url: str, credentials: Callable[[], Credentials | None] = lambda: None) -> None:
        self._url = url
        self._credentials = credentials

    async def fetch(self) -> bytes:
        """The JPEG as it came. Raises ProbeError where there is none, DriverError for the password file."""
        credentials = await asyncio.to_thread(self._credentials)
        try:
            status, body = await request(
                self._url, credentials=credentials, max_bytes=SNAPSHOT_BYTES, within_s=SNAPSHOT_WITHIN_S
            )
        except (OSError, EOFError, TimeoutError) as error:
            raise ProbeError(f"no snapshot: {error or 'no answer in time'}") from None
        if status != 200:
            raise ProbeError(f"no snapshot: answered {status}")
        return body
