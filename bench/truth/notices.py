"""Of which incidents somebody was told: a notifier that looks at the hub's rows after each turn. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from hub.incidents.reads import ChangeView, IncidentView


class Listener:
    """Hears of an incident once it is open, not quiet, and past its wait for an explanation."""

    def __init__(self) -> None:
        self.heard: set[int] = set()
        """Incidents by their id."""
        self._may_be_told: dict[int, datetime] = {}

    def take(self, steps: Iterable[tuple[ChangeView, IncidentView]], now: datetime) -> None:
        """What has changed since the last time, each with its incident as it stands at `now`."""
        for one in {view.id: view for _, view in steps}.values():
            since = self._may_be_told.pop(one.id, None)
            if since is not None and since < now:
                self.heard.add(one.id)
            if one.closed_at is None and one.quiet_reason is None:
                self._may_be_told[one.id] = max(now, one.notify_after or now)
        for number in [number for number, since in self._may_be_told.items() if since < now]:
            del self._may_be_told[number]
            self.heard.add(number)
