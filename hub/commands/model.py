"""How a command's status moves: forward only, whatever order receipts come in."""

from __future__ import annotations

from typing import Literal

CommandStatus = Literal[
    "requested", "sent", "accepted", "applied", "rejected", "expired", "superseded", "cancelled"
]
Action = Literal["lamp_override", "lamp_auto", "maintenance_begin", "maintenance_end", "camera_cycle"]

UNANSWERED: tuple[CommandStatus, ...] = ("requested", "sent")
"""No word from the node yet: these are sent again at its birth, and expire by time."""

OPEN: tuple[CommandStatus, ...] = ("requested", "sent", "accepted")
"""Something may still come of these."""

NO_ANSWER = "no_answer"
"""The reason of an expiry that the hub assumed because it heard nothing."""

NOT_SENT = "not_sent"
"""The reason of an expiry before the command ever left the hub."""

TAKEN_BACK = "taken_back"
"""The reason of a command that a person took back before its node answered."""

ASSUMED = frozenset({NO_ANSWER, NOT_SENT, TAKEN_BACK})
"""Reasons that are the hub's own: a word of the node is worth more."""

_RANK: dict[CommandStatus, int] = {
    "requested": 0,
    "sent": 1,
    "accepted": 2,
    "applied": 3,
    "rejected": 3,
    "expired": 3,
    "superseded": 3,
    "cancelled": 3,
}


def advances(current: CommandStatus, incoming: CommandStatus, *, assumed_by_hub: bool = False) -> bool:
    """Whether a receipt moves the command on.

    A final word stays: what comes after it is history. Only an end that the hub itself assumed, having
    heard nothing, gives way to whatever the node says later.
    """
    if current in ("expired", "cancelled") and assumed_by_hub:
        return True
    return _RANK[incoming] > _RANK[current]
