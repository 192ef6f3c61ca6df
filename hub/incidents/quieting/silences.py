"""Outages that ended before anybody told that the supply was gone: their name is put right afterwards. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from hub.incidents.model import BACKHAUL_OUTAGE, FEEDER_OUTAGE, Evidence, Severity, Subject
from hub.incidents.standing import Standing, Step, feeder_of


class Silences:
    """Remembers, by feeder, the last outage that was known as silence alone. In memory only."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[Standing, datetime]] = {}

    def ended(self, group: Standing, at: datetime) -> None:
        """A group closes at this moment."""
        if group.key.kind == BACKHAUL_OUTAGE:
            self._last[group.key.originator] = (group, at)

    def corrected(
        self, subject: Subject, ended: datetime, *, slack: timedelta, severity: Severity
    ) -> Step | None:
        """What is to be written once a node tells that it was without supply until `ended`; None: nothing.

        `slack`: by so much the node's times may lie outside of the outage. `severity` is what the outage has
        under its right name. Nobody is told again: the notices stand, the name is for the reports.
        """
        name = feeder_of(subject)
        found = self._last.get(name)
        if found is None:
            return None
        silence, closed_at = found
        if subject.node not in silence.members or not silence.since - slack <= ended <= closed_at + slack:
            return None
        del self._last[name]
        told: Evidence = {"supply_loss_told_by": subject.node}
        return Step(
            silence.key,
            "corrected",
            max(ended, closed_at),
            {"from": BACKHAUL_OUTAGE, "to": FEEDER_OUTAGE, **told},
            columns={"kind": FEEDER_OUTAGE, "severity": severity},
            opened_at=silence.opened_at,
            merge=told,
        )
