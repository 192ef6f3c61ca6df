"""Scenarios are data: which commune, which sky, which faults. One TOML file each in `scenarios/`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from simulators.commune import Commune, ScenarioError, load_commune

SCENARIOS = Path(__file__).parent / "scenarios"
DEFAULT_SCENARIO = "trung-giap"


class SilentNode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A node that speaks for `after_s` seconds and then never again, without a goodbye."""

    node: str
    after_s: Annotated[float, Meta(ge=0)]


class Faults(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is broken, by pole, node or camera."""

    lamps_burnt_out: list[str] = []
    lamps_stuck_on: list[str] = []
    meters_silent: list[str] = []
    cameras_unreachable: list[str] = []
    nodes_silent: list[SilentNode] = []


class Scenario(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of `scenarios/`."""

    title: str
    commune: str
    seed: int
    sky: Literal["night", "sun"]
    """`night`: every photocell says dark, whatever the hour. `sun`: it follows the real sun."""
    sample_interval_s: Annotated[float, Meta(ge=0.05, le=3600)]
    faults: Faults = Faults()


def scenario_names() -> list[str]:
    """The scenarios that ship, by name."""
    return sorted(path.stem for path in SCENARIOS.glob("*.toml"))


def load_scenario(name: str) -> Scenario:
    """Read `scenarios/<name>.toml`; raises ScenarioError for an unknown name or a bad file."""
    if name not in scenario_names():
        raise ScenarioError(f"there is no scenario {name!r}: take one of {', '.join(scenario_names())}")
    path = SCENARIOS / f"{name}.toml"
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Scenario)
    except msgspec.DecodeError as error:
        raise ScenarioError(f"{path}: {error}") from None


def commune_of(scenario: Scenario) -> Commune:
    """The scenario's commune with its poles; raises ScenarioError when a fault names what is not there."""
    commune = load_commune(scenario.commune, seed=scenario.seed)
    poles = {pole.code for pole in commune.poles}
    cameras = {camera for pole in commune.poles for camera in pole.cameras}
    faults = scenario.faults
    for kind, named, known in (
        ("pole", {*faults.lamps_burnt_out, *faults.lamps_stuck_on, *faults.meters_silent}, poles),
        ("camera", set(faults.cameras_unreachable), cameras),
        ("node", {one.node for one in faults.nodes_silent}, {pole.node for pole in commune.poles}),
    ):
        if missing := sorted(named - known):
            raise ScenarioError(f"the scenario breaks {kind} {missing[0]}, which the commune does not have")
    return commune
