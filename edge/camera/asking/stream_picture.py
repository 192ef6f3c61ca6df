"""A picture out of a camera's stream, for cameras without a snapshot address. Needs the extra `video`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import quote, urlsplit

import msgspec

from edge.camera import child
from edge.camera.asking.auth import Credentials
from edge.camera.devices import ProbeError
from edge.camera.picture.words import Stream

WITHIN_S = 45.0


class StreamPicture:
    """Decodes a few frames in a child process; the agent never loads a decoder."""

    pixel_true = False

    def __init__(self, url: str, credentials: Callable[[], Credentials | None] = lambda: None) -> None:
        self._url = url
        self._credentials = credentials

    async def fetch(self) -> bytes:
        """The newest of a few frames as JPEG. Raises ProbeError where none comes, DriverError without PyAV."""
        stream = Stream(url=_with(await asyncio.to_thread(self._credentials), self._url))
        try:
            return await child.run(
                "edge.camera.picture.grab", msgspec.msgpack.encode(stream), within_s=WITHIN_S
            )
        except child.NoResultError as error:
            raise ProbeError(f"no picture out of the stream: {error}") from None


def _with(credentials: Credentials | None, url: str) -> str:
    if credentials is None:
        return url
    parts = urlsplit(url)
    user = f"{quote(credentials.user, safe='')}:{quote(credentials.password, safe='')}"
    return parts._replace(netloc=f"{user}@{parts.netloc}").geturl()
