"""One camera's pictures, one after the other: each is looked at by a child process, and forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from edge.camera import child
from edge.camera.picture.words import Answer, Light, Question, Region
from edge.camera.views import Views

WITHIN_S = 40.0
"""A third of a second here; a Pi Zero under load takes ten times as long."""

LookAt = Callable[[Question], Awaitable[Answer]]


async def in_a_child(question: Question) -> Answer:
    """Have a process of its own look. Raises DriverError when it can't start, breaks or takes too long."""
    told = await child.run("edge.camera.picture.child", msgspec.msgpack.encode(question), within_s=WITHIN_S)
    return msgspec.msgpack.decode(told, type=Answer)


class Eye:
    """Remembers the last thumbnail and the usual views of one camera."""

    def __init__(
        self,
        folder: Path,
        *,
        overlays: list[Region],
        wall_s: Callable[[], float],
        look_at: LookAt = in_a_child,
    ) -> None:
        self._overlays = overlays
        self._views = Views(folder, wall_s=wall_s)
        self._previous: bytes | None = None
        self._look_at = look_at

    async def at(self, jpeg: bytes, *, light: Light, hour: int | None, pixel_true: bool = True) -> Answer:
        """Judge one snapshot. `hour`: of the local day; None while no clock tells it. Raises DriverError."""
        view = None
        if hour is not None:
            view = await asyncio.to_thread(self._views.get, f"{light.name}-{hour:02d}")
        answer = await self._look_at(
            Question(
                jpeg=jpeg,
                light=light,
                overlays=self._overlays,
                previous=self._previous,
                pixel_true=pixel_true,
                view=view,
            )
        )
        if answer.thumbnail is not None:
            self._previous = answer.thumbnail
        if answer.view is not None:
            self._views.put(answer.view)
        return answer

    async def forget(self) -> None:
        """Someone worked at the camera: learn its view anew."""
        self._previous = None
        await asyncio.to_thread(self._views.forget)

    def save(self) -> None:
        """Before the agent ends: keep what this hour has taught. Blocking."""
        self._views.save()
