"""What hangs on a pole for one camera, and what each part is asked."""

from __future__ import annotations

from dataclasses import dataclass

from edge.drivers.ports import CameraProbe


@dataclass(frozen=True, slots=True)
class CameraDevices:
    """One camera's probes, from light to heavy. What is not configured is None and is never asked."""

    reach: CameraProbe
