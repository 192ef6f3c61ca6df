"""How large an outbox may be, and which items go when it is full."""

from __future__ import annotations

import sqlite3

from edge.outbox.rows import SAMPLE

LOG_ROOM_BYTES = 1_500_000
"""Of the bytes allowed, what is kept for the write-ahead log."""
FEW_BYTES = 1_000_000
"""So little in use is compacted within a moment."""
MUCH_FREE_BYTES = 4_000_000
"""So much freed is worth compacting; less is used again by what comes."""


def make(db: sqlite3.Connection, max_bytes: int, count: int, *, samples_only: bool) -> list[int]:
    """Delete the oldest samples, a hundredth of all at a time, until the rest fits; returns their seqs.

    Events and receipts go only where not `samples_only`, and after the last sample. Inside a transaction.
    """
    pages = max(0, max_bytes - LOG_ROOM_BYTES) // db.execute("PRAGMA page_size").fetchone()[0]
    which = f"WHERE kind = {SAMPLE} ORDER BY seq" if samples_only else f"ORDER BY kind <> {SAMPLE}, seq"
    dropped: list[int] = []
    while _in_use(db) > pages:
        rows = db.execute(f"SELECT seq FROM item {which} LIMIT ?", (max(16, count // 100),))  # noqa: S608 - our own words
        seqs = [row[0] for row in rows]
        if not seqs:
            break
        db.executemany("DELETE FROM item WHERE seq = ?", ((seq,) for seq in seqs))
        dropped += seqs
    return dropped


def worth_compacting(db: sqlite3.Connection, free_bytes: int) -> bool:
    """Whether much of the file is free and little of it in use."""
    page_bytes = db.execute("PRAGMA page_size").fetchone()[0]
    free = db.execute("PRAGMA freelist_count").fetchone()[0] * page_bytes
    return bool(free >= free_bytes and _in_use(db) * page_bytes <= FEW_BYTES)


def _in_use(db: sqlite3.Connection) -> int:
    pages, free = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
    return int(pages - free)
