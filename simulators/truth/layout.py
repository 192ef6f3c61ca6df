"""The commune of the truth test: feeders with their poles, cameras, and what carries a node without mains."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Literal

from simulators.commune import Commune, CommuneFile, Hamlet, PoleSite, Road, lay_out

POLES_PER_FEEDER = 14
RATED_W = (40.0, 60.0, 100.0, 150.0)

Carry = Literal["none", "supercap", "battery"]
CARRIES: tuple[Carry, ...] = (
    "supercap",
    "none",
    "none",
    "supercap",
    "none",
    "none",
    "supercap",
    "none",
    "none",
    "battery",
)
"""In turn along the feeder: most nodes die with the mains, three in ten last a minute, one has a battery."""


@dataclass(frozen=True, slots=True)
class Site:
    """One pole with its node. `carry`: what keeps the node alive without mains; such nodes sense the mains."""

    pole: PoleSite
    number: int
    carry: Carry

    @property
    def node(self) -> str:
        """Its node's name."""
        return self.pole.node

    @property
    def senses_mains(self) -> bool:
        """Whether the mains has an input of its own."""
        return self.carry != "none"


@dataclass(frozen=True, slots=True)
class Layout:
    """The commune; `feeders` are the nodes' names by feeder."""

    commune: Commune
    sites: tuple[Site, ...]
    feeders: dict[str, tuple[str, ...]]

    @property
    def cameras(self) -> dict[str, Site]:
        """Which pole each camera hangs on."""
        return {code: site for site in self.sites for code in site.pole.cameras}


def lay_out_commune(*, poles: int, cameras: int, seed: int) -> Layout:
    """About 14 poles a feeder, no feeder below four; cameras spread evenly, at most one a pole.

    Raises ValueError for fewer than eight poles or more cameras than poles.
    """
    if poles < 8 or cameras > poles:
        raise ValueError("at least 8 poles, and no more cameras than poles")
    count = max(2, round(poles / POLES_PER_FEEDER))
    roads = [
        Road(
            feeder=f"XT-L{number + 1}",
            name=f"Tuyến {number + 1}",
            poles=poles // count + (number < poles % count),
            lamp_rated_w=RATED_W[number % len(RATED_W)],
            path=[(-400.0, 120.0 * number), (400.0, 120.0 * number)],
        )
        for number in range(count)
    ]
    file = CommuneFile(
        code="xa-that",
        name="xã Xạ Thật",
        province="Phú Thọ",
        former_names=[],
        latitude=21.4731,
        longitude=105.255,
        programme="Ngọn đèn an ninh",
        pole_prefix="XT",
        roads=roads,
        hamlets=[
            Hamlet(name=f"Khu {number + 1}", at=(0.0, 240.0 * number)) for number in range((count + 1) // 2)
        ],
        landmarks=[],
    )
    sites = []
    for index, pole in enumerate(lay_out(file, seed=seed)):
        hung = (index + 1) * cameras // poles - index * cameras // poles
        codes = tuple(f"XT-C{index + 1:04d}" for _ in range(hung))
        sites.append(Site(replace(pole, cameras=codes), index, CARRIES[index % len(CARRIES)]))
    feeders: dict[str, list[str]] = defaultdict(list)
    for site in sites:
        feeders[site.pole.feeder].append(site.node)
    return Layout(
        Commune(file, tuple(site.pole for site in sites)),
        tuple(sites),
        {name: tuple(nodes) for name, nodes in feeders.items()},
    )
