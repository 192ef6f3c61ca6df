"""One camera's pictures, one after the other: decoded, judged, learnt from. Blocking: run it in a thread."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge.camera.picture.judge import Light, Verdict, judge
from edge.camera.picture.thumbnail import Region, Thumbnail, UnreadablePictureError, decode
from edge.camera.picture.views import Views

__all__ = ["Light", "Look", "UnreadablePictureError", "Verdict"]


class Look:
    """Remembers the last picture and the usual views of one camera, as thumbnails."""

    def __init__(self, folder: Path, *, overlays: list[Region], wall_s: Callable[[], float]) -> None:
        self._overlays = overlays
        self._views = Views(folder, wall_s=wall_s)
        self._previous: Thumbnail | None = None

    def at(self, jpeg: bytes, *, light: Light, hour: int | None) -> Verdict:
        """Judge one snapshot. `hour`: of the local day; None while no clock tells it.

        Raises UnreadablePictureError.
        """
        now = decode(jpeg)
        slot = None if hour is None else f"{light.name}-{hour:02d}"
        usual = None if slot is None else self._views.usual(slot)
        verdict = judge(now, previous=self._previous, usual=usual, light=light, overlays=self._overlays)
        self._previous = now
        if slot is not None and verdict.learn:
            self._views.learn(slot, now)
        return verdict

    def forget(self) -> None:
        """Someone worked at the camera: learn its view anew."""
        self._previous = None
        self._views.forget()

    def save(self) -> None:
        """Before the agent ends: keep what this hour has taught."""
        self._views.save()
