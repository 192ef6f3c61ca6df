"""How a command's status moves: forward only, whatever order receipts come in."""

from __future__ import annotations

from typing import Literal

CommandStatus = Literal["requested", "sent", "accepted", "applied", "rejected", "expired", "superseded"]
Action = Literal["lamp_override", "lamp_auto", "maintenance_begin", "maintenance_end", "camera_cycle"]

UNANSWERED: tuple[CommandStatus, ...] = ("requested", "sent")
"""No word from the node yet: these are sent again at its birth, and expire by time."""

_RANK: dict[CommandStatus, int] = {
    "requested": 0,
    "sent": 1,
    "accepted": 2,
    "applied": 3,
    "rejected": 3,
    "expired": 3,
    "superseded": 3,
}


def advances(current: CommandStatus, incoming: CommandStatus, *, expired_by_hub: bool = False) -> bool:
    """Whether a receipt moves the command on.

    A final word stays: what comes after it is history. Only an expiry that the hub itself assumed, having
    heard nothing, gives way to whatever the node says later.
    """
    if current == "expired" and expired_by_hub:
        return True
    return _RANK[incoming] > _RANK[current]
