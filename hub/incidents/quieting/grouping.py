"""When many nodes of a feeder that go down together are one outage. Pure: all is an argument."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.incidents.model import BACKHAUL_OUTAGE, FEEDER_OUTAGE


@dataclass(frozen=True, slots=True)
class Down:
    """A node that is down, and between which moments it went: a silent one some time after its last word."""

    node: str
    earliest: datetime
    latest: datetime
    has_supply_evidence: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes that went down together."""

    nodes: frozenset[str]
    reporting: int
    """How many nodes of the feeder spoke before: these and those that still do."""
    without_supply: int
    since: datetime
    within_s: float
    """From the first to the last going down, as narrow as the evidence allows."""

    @property
    def kind(self) -> str:
        """Silence alone may be the way to the hub; one word of lost supply makes it the feeder."""
        return FEEDER_OUTAGE if self.without_supply else BACKHAUL_OUTAGE

    @property
    def evidence(self) -> dict[str, int | float | str]:
        """As people see it."""
        return {
            "nodes_down": len(self.nodes),
            "nodes_reporting": self.reporting,
            "nodes_without_supply": self.without_supply,
            "within_s": round(self.within_s, 1),
            "share": round(len(self.nodes) / self.reporting, 3),
        }


def find_group(downs: Sequence[Down], *, up: int, params: Mapping[str, float]) -> Group | None:
    """The largest group that went down within `within_s`; None where it is too few or too small a share.

    `up` counts the feeder's nodes that report still. A node that was silent long before counts as neither.
    """
    best: list[Down] = []
    span = timedelta(seconds=params["within_s"])
    # An interval of width `within_s` that touches the most may be taken to begin where one of them ends.
    for start in {down.latest for down in downs}:
        touched = [down for down in downs if down.latest >= start and down.earliest <= start + span]
        if len(touched) > len(best):
            best = touched
    reporting = len(best) + up
    if len(best) < params["min_nodes"] or len(best) < params["node_share"] * reporting:
        return None
    narrow = max(down.earliest for down in best) - min(down.latest for down in best)
    return Group(
        nodes=frozenset(down.node for down in best),
        reporting=reporting,
        without_supply=sum(down.has_supply_evidence for down in best),
        since=min(down.earliest for down in best),
        within_s=max(0.0, narrow.total_seconds()),
    )


def is_over(members: int, still_down: int, params: Mapping[str, float]) -> bool:
    """Whether enough of a group are well again for it to end; the others then stand alone."""
    return members - still_down >= params["back_share"] * members
