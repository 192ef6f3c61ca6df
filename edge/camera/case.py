"""What is known of one camera, and which faults stand: fed with each probe's answer, time as an argument."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from edge.camera.devices import StreamResult, StreamState
from edge.camera.hold_off import HoldOff
from edge.camera.picture.words import Picture
from edge.drivers.ports import Reachability
from protocol.messages import CameraReading

if TYPE_CHECKING:
    from edge.config import CameraSettings

T = TypeVar("T")

Detail = dict[str, str | int | float | bool | None]

PICTURE_FAULTS: dict[Picture, str] = {
    "frozen": "camera_frozen",
    "dark": "camera_dark",
    "covered": "camera_covered",
    "defocused": "camera_defocused",
    "moved": "camera_moved",
}
FAULTS = (
    "camera_offline",
    "camera_stream_lost",
    *PICTURE_FAULTS.values(),
    "camera_clock_drift",
    "recording_gap",
)
ANSWER_WITHIN_S = 60.0
"""The longest a probe takes; so much older than two rounds may a word be."""


@dataclass(frozen=True, slots=True)
class Told:
    """A fault that begins or ends."""

    kind: str
    active: bool
    detail: Detail = field(default_factory=dict)


@dataclass(slots=True)
class _Words:
    """The newest answers, each with when (steady clock) it came."""

    reach: tuple[float, Reachability] | None = None
    stream: tuple[float, StreamState] | None = None
    picture: tuple[float, Picture] | None = None
    clock: tuple[float, float] | None = None
    recording: tuple[float, float] | None = None


class CameraCase:
    """One camera. A word is used until it is two rounds of its own probe old."""

    def __init__(self, settings: CameraSettings, *, reach_interval_s: float) -> None:
        self.settings = settings
        self._words = _Words()
        self._reach_for_s = 2 * reach_interval_s + 10.0
        self._faults = {kind: HoldOff(begins_after=settings.fault_rounds) for kind in FAULTS}

    @property
    def faults(self) -> list[str]:
        """What stands now, by event kind."""
        return [kind for kind, hold in self._faults.items() if hold.active]

    def restore(self, kinds: list[str]) -> None:
        """These stood when an earlier run ended."""
        for kind in kinds:
            if kind in self._faults:
                self._faults[kind].active = True

    def reached(self, result: Reachability, *, now_s: float, quiet: bool) -> list[Told]:
        """Take in a knock. `quiet`: maintenance, nothing is judged."""
        self._words.reach = (now_s, result)
        return self._judge("camera_offline", None if quiet else not result.reachable, {})

    def streamed(self, result: StreamResult, *, now_s: float, quiet: bool) -> list[Told]:
        """Take in what RTSP said."""
        self._words.stream = (now_s, result.state)
        detail: Detail = {"stream": result.state, "detail": result.detail[:200]}
        return self._judge("camera_stream_lost", None if quiet else result.state != "live", detail)

    def pictured(
        self, word: Picture | None, figures: dict[str, float], *, now_s: float, quiet: bool
    ) -> list[Told]:
        """Take in a picture's verdict; None: it could not be judged."""
        if word is None:
            self._words.picture = None
            return []
        self._words.picture = (now_s, word)
        if quiet or word == "unreadable":
            return []
        told = []
        for fault, kind in PICTURE_FAULTS.items():
            told += self._judge(kind, word == fault, {**figures})
        return told

    def clock_told(self, offset_s: float, *, now_s: float, quiet: bool) -> list[Told]:
        """Take in how far the camera's clock is from ours, seconds."""
        self._words.clock = (now_s, offset_s)
        wrong = abs(offset_s) > self.settings.clock_tolerance_s
        return self._judge("camera_clock_drift", None if quiet else wrong, {"offset_s": round(offset_s, 1)})

    def recording_told(self, age_s: float, *, now_s: float, quiet: bool) -> list[Told]:
        """Take in how old the newest recording is, seconds."""
        self._words.recording = (now_s, age_s)
        old = age_s > self.settings.recording_gap_s
        return self._judge("recording_gap", None if quiet else old, {"age_s": round(age_s)})

    def hung(self, *, now_s: float) -> bool | None:
        """Port dead, or port there and stream dead; None when neither is known.

        A wrong password and a wrong path are no fault of a camera that a power cycle could mend.
        """
        reach = self._fresh(self._words.reach, now_s, self._reach_for_s)
        if reach is None:
            return None
        stream = self._fresh(self._words.stream, now_s, self._for_s(self.settings.stream_interval_s))
        return not reach.reachable or stream in ("no_media", "no_answer")

    def reading(self, *, now_s: float, powered: bool | None) -> CameraReading | None:
        """What a sample tells; None before the first knock and while knocking itself fails."""
        words, settings = self._words, self.settings
        reach = self._fresh(words.reach, now_s, self._reach_for_s)
        if reach is None:
            return None
        age_s = self._fresh(words.recording, now_s, self._for_s(settings.recording_interval_s))
        return CameraReading(
            camera=settings.code,
            reachable=reach.reachable,
            latency_ms=reach.latency_ms,
            stream=self._fresh(words.stream, now_s, self._for_s(settings.stream_interval_s)),
            picture=self._fresh(words.picture, now_s, self._for_s(settings.picture_interval_s)),
            clock_offset_s=self._fresh(words.clock, now_s, self._for_s(settings.clock_interval_s)),
            recording_age_s=age_s,
            powered=powered,
        )

    def _judge(self, kind: str, bad: bool | None, detail: Detail) -> list[Told]:
        changed = self._faults[kind].see(bad)
        return [] if changed is None else [Told(kind, changed, detail)]

    @staticmethod
    def _for_s(interval_s: float) -> float:
        return 2 * interval_s + ANSWER_WITHIN_S

    @staticmethod
    def _fresh(word: tuple[float, T] | None, now_s: float, for_s: float) -> T | None:
        return None if word is None or now_s - word[0] > for_s else word[1]
