"""One line for what many nodes say at once: 219 reconnects after a broker's restart are one event."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog

Event = MutableMapping[str, Any]

SEPARATE_UP_TO = 3
"""So many lines of one kind in a flush are shown as they are."""


class Digest:
    """A structlog processor that holds back events of nodes until `flush`; errors pass at once.

    Anything without a `node` passes at once too.
    """

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], list[Event]] = defaultdict(list)
        self._flushing = False

    def __call__(self, _logger: object, method: str, event: Event) -> Event:
        """Hold the event back, or let it pass."""
        if self._flushing or "node" not in event or method in ("error", "exception", "critical"):
            return event
        self._held[method, str(event.get("event"))].append(event)
        raise structlog.DropEvent

    def flush(self, write: Callable[[str, Event], None]) -> None:
        """Write what was held back: a few events as they are, many of one kind as one line."""
        held, self._held = self._held, defaultdict(list)
        self._flushing = True
        try:
            for (method, name), events in held.items():
                if len(events) <= SEPARATE_UP_TO:
                    for event in events:
                        write(method, event)
                else:
                    write(method, {"event": name, "nodes": len({event["node"] for event in events})})
        finally:
            self._flushing = False


def write_to_log(method: str, event: Event) -> None:
    """Give one event to structlog."""
    fields = dict(event)
    getattr(structlog.get_logger(), method)(fields.pop("event"), **fields)
