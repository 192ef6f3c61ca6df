"""How well pictures are judged: drawn scenes through the agent's own eyes, truth against verdict.

Each scene is what a camera shows over days of learning and then over some rounds; it goes through the same
code, hold-off included, that runs on a node; only that here no child process is started for each picture.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulators.camera_scenes.scenes import SceneKind


@dataclass(frozen=True, slots=True)
class Miss:
    """A scene that was called something else than it is."""

    scene: str
    number: int
    truth: str
    told: str


@dataclass(frozen=True, slots=True)
class ScenesReport:
    """Shares are 0 to 1. `matrix[truth][told]` counts scenes."""

    scenes: int
    matrix: dict[str, dict[str, int]]
    frozen_recall: float
    covered_recall: float
    dark_recall: float
    defocused_recall: float
    moved_recall: float
    false_alarm_share: float
    """Good scenes that were told as any fault."""
    misses: list[Miss] = field(default_factory=list)

    @property
    def good_enough(self) -> bool:
        """Frozen 99 of 100, covered and dark 95 of 100, at most one false alarm in 100."""
        return (
            self.frozen_recall >= 0.99
            and self.covered_recall >= 0.95
            and self.dark_recall >= 0.95
            and self.false_alarm_share <= 0.01
        )


def run_scenes(*, per_kind: int, first: int, progress: Callable[[int], None] | None = None) -> ScenesReport:
    """Judge `per_kind` scenes of each kind in the catalogue, numbered from `first`."""
    from simulators.camera_scenes.scenes import CATALOGUE

    matrix: dict[str, Counter[str]] = {}
    misses = []
    done = 0
    for kind in CATALOGUE:
        for number in range(first, first + per_kind):
            told = told_of(kind, number)
            matrix.setdefault(kind.truth, Counter())[told] += 1
            if told != kind.truth:
                misses.append(Miss(kind.name, number, kind.truth, told))
            done += 1
            if progress is not None:
                progress(done)

    def recall(truth: str) -> float:
        row = matrix[truth]
        return round(row[truth] / row.total(), 4)

    return ScenesReport(
        scenes=done,
        matrix={truth: dict(row) for truth, row in matrix.items()},
        frozen_recall=recall("frozen"),
        covered_recall=recall("covered"),
        dark_recall=recall("dark"),
        defocused_recall=recall("defocused"),
        moved_recall=recall("moved"),
        false_alarm_share=round(1 - recall("ok"), 4),
        misses=misses,
    )


def told_of(kind: SceneKind, number: int) -> str:
    """The first fault that the agent tells of a scene, or `ok`."""
    from edge.camera.case import PICTURE_FAULTS, CameraCase
    from edge.camera.picture.look import look
    from edge.camera.picture.words import Light, Question, View
    from edge.config import CameraSettings
    from simulators.camera_scenes.scenes import pictures

    settings = CameraSettings(code="CAM-1", driver="mock", infrared=kind.light == "infrared")
    light = Light(lamp_lit=kind.light == "lamp", dark=kind.light != "day", infrared=settings.infrared)
    words = {event: word for word, event in PICTURE_FAULTS.items()}
    case = CameraCase(settings, reach_interval_s=30)
    previous, view = None, View()
    # All of a scene lies in one hour of the day: one view is enough.
    for picture in pictures(kind, number):
        answer = look(Question(jpeg=picture.jpeg, light=light, previous=previous, view=view))
        previous, view = answer.thumbnail, answer.view or view
        now_s = picture.time.timestamp()
        for told in case.pictured(answer.picture, answer.figures, now_s=now_s, quiet=False):
            if told.active:
                return words[told.kind]
    return "ok"
