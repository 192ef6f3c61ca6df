"""What a camera is judged against: its pole's lamp, the night, maintenance, mains."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.lamp.lighting import Lighting
    from protocol.messages import CabinetReading


DARKENING = frozenset({"lamp_failure", "cycling_failure", "relay_failure", "lamp_power_too_low"})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the node knows beside its cameras; poles by their codes. None is unknown."""

    lamp_lit: Callable[[str], bool | None]
    dark: Callable[[str], bool | None]
    """Night."""
    in_maintenance: Callable[[str], bool]
    supply_present: Callable[[], bool | None]


def of_node(
    lighting: Lighting,
    *,
    cabinet: Callable[[], CabinetReading | None],
    faults: Callable[[str], Collection[str]],
) -> Surroundings:
    """As the agent knows them. `faults`: what stands of a pole's lamp circuit, by event kind."""

    def lamp_lit(pole: str) -> bool | None:
        light = lighting.lights[pole]
        # A lamp that is told to burn and may not: then a black picture is not the camera's fault.
        if light.output_fault is not None or not DARKENING.isdisjoint(faults(pole)):
            return None
        return light.reading().effect_level > 0

    def dark(pole: str) -> bool | None:
        light = lighting.lights[pole]
        return light.reading().due if light.dark is None else light.dark

    def supply_present() -> bool | None:
        reading = cabinet()
        return None if reading is None else reading.supply_present

    return Surroundings(lamp_lit, dark, lambda pole: lighting.lights[pole].in_maintenance, supply_present)
