"""What a node says it has dropped: those seqs will never come, so their gap is closed.

Without it the ranges of a node that was away too long would keep a hole for ever, and nobody could tell a
sample that is late from one that is gone. A node is believed only about what lies before its own event.
"""

from __future__ import annotations

from itertools import pairwise
from uuid import UUID

from protocol import Event

KINDS = frozenset({"outbox_overflow", "outbox_damaged"})


def told_gap(event: Event, epoch: str) -> tuple[str, list[tuple[int, int]]] | None:
    """The epoch and the runs of seqs that an event says are gone; None where it says nothing exact.

    `epoch` is the event's own: the gap may lie in another, if the node's disk failed in between.
    """
    detail = event.detail
    first, last, dropped = detail.get("first_seq"), detail.get("last_seq"), detail.get("dropped")
    if event.kind not in KINDS or not isinstance(first, int) or not isinstance(last, int):
        return None
    runs = _runs(str(detail.get("runs", f"{first}-{last}")))
    if runs is None or (runs[0][0], runs[-1][1]) != (first, last):
        return None
    if sum(end - start + 1 for start, end in runs) != dropped:
        return None
    where = detail.get("epoch", epoch)
    try:
        of_epoch = str(UUID(str(where)))
    except ValueError:
        return None
    if of_epoch == epoch and last >= event.seq:
        return None
    return of_epoch, runs


def _runs(text: str) -> list[tuple[int, int]] | None:
    """Ascending, disjoint runs; None for anything else."""
    found = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if (
            not dash
            or not first.isascii()
            or not first.isdigit()
            or not last.isascii()
            or not last.isdigit()
        ):
            return None
        if len(first) > 16 or len(last) > 16 or not 1 <= int(first) <= int(last) < 2**53:
            return None
        found.append((int(first), int(last)))
    return found if all(one[1] < other[0] for one, other in pairwise(found)) else None
