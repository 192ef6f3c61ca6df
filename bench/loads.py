"""The loads of an ingest's measurement: one that makes nodes known, and one that goes on where that ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulators.traffic.load import PreparedLoad, prepare

WARM_TURNS = 4
"""After so many messages of a node the ingest knows what is usual of it."""

_WARM_SPACING = timedelta(minutes=1)
"""After two minutes in a row a lamp's coverage is one stretch, as that of any that has long been lit."""

_WARM_UNTIL = timedelta(minutes=4)
_UNTIL = timedelta(minutes=4, seconds=35)
"""The samples are ahead of the clock, within the five minutes that count as plausible: so they are live for as
long as a warm-up takes, and there is no gap in between, which the hub would have to write down."""


@dataclass(frozen=True, slots=True)
class Loads:
    """Of one run of nodes in one commune, which begins at `now`."""

    commune: str
    run: str
    now: datetime

    def first(self, node: tuple[str, str]) -> PreparedLoad:
        """One message, the first that `warm_up` holds too."""
        return self._prepare([node], 1, spacing=_WARM_SPACING, lead=_WARM_UNTIL - 2 * _WARM_SPACING)

    def warm_up(self, nodes: Sequence[tuple[str, str]]) -> PreparedLoad:
        """`WARM_TURNS` messages of each, a minute apart."""
        many = WARM_TURNS * len(nodes)
        return self._prepare(nodes, many, spacing=_WARM_SPACING, lead=_WARM_UNTIL + _WARM_SPACING)

    def measured(self, nodes: Sequence[tuple[str, str]], messages: int) -> PreparedLoad:
        """So many messages of nodes that are warm: that a node begins anew is rare, and costs more."""
        return self._prepare(nodes, messages, lead=_UNTIL, first_seq=WARM_TURNS + 1)

    def _prepare(
        self,
        nodes: Sequence[tuple[str, str]],
        messages: int,
        *,
        lead: timedelta,
        first_seq: int = 1,
        spacing: timedelta | None = None,
    ) -> PreparedLoad:
        return prepare(
            list(nodes),
            messages,
            commune=self.commune,
            run=self.run,
            now=self.now,
            lead=lead,
            first_seq=first_seq,
            spacing=spacing,
        )
