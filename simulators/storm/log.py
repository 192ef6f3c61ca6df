"""What happened on the road, what a node did about it, what reached the hub: one line each, local time."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from simulators.world import LOCAL

SAID = {
    "broker_connected": "is connected",
    "broker_lost": "has lost the broker",
    "hub_does_not_confirm": "hears nothing from the hub",
    "hub_confirms_again": "is heard by the hub again",
    "device_silent": "hears nothing from a device",
    "device_answers_again": "hears the device again",
    "modem_reset": "restarts the modem",
    "clock_corrected": "mends the times of what it made with a wrong clock",
}
"""The agent's own log, as far as it is told here."""


@dataclass(slots=True)
class StormLog:
    """Lines in the order of their true time, whatever a node's clock said."""

    now: Callable[[], datetime]
    _lines: list[tuple[datetime, int, str, str]] = field(default_factory=list)

    def say(self, who: str, what: str, *, at: datetime | None = None) -> None:
        """One line; `at` files what became known later under its own time."""
        self._lines.append((at or self.now(), len(self._lines), who, what))

    def lines(self) -> list[str]:
        """All of them, as they are printed."""
        return [
            f"{at.astimezone(LOCAL):%H:%M:%S}  {who:8} {what}" for at, _, who, what in sorted(self._lines)
        ]

    def listen(self) -> None:
        """Take what the agents of this process log from now on."""

        def take(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
            if (what := SAID.get(event["event"])) is not None and "node" in event:
                about = event.get("device")
                self.say(str(event["node"]), f"{what} ({about})" if about else what)
            raise structlog.DropEvent

        structlog.configure(processors=[take], cache_logger_on_first_use=False)


def span(seconds: float) -> str:
    """A duration for people."""
    whole = timedelta(seconds=round(seconds))
    minutes, rest = divmod(int(whole.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
