"""Maintenance windows: when and where work is planned. What happens there meanwhile alarms nobody."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, insert, or_, select, update

from hub.incidents.tables import maintenance_window as window
from hub.revision import next_revision

Scope = Literal["commune", "hamlet", "feeder", "group", "pole", "node"]

LONGEST = timedelta(days=31)
"""What is out for longer is no maintenance: the uptime would leave it out unseen."""

FARTHEST = timedelta(days=366)
"""How far ahead a window may begin: a mistyped year is told at once."""


@dataclass(frozen=True, slots=True)
class WindowView:
    """A window; `name` is a code or name within `scope`, the commune's own code where that is the scope."""

    id: int
    commune: str
    scope: Scope
    name: str
    starts_at: datetime
    ends_at: datetime
    why: str
    created_at: datetime
    created_by: str
    cancelled_at: datetime | None
    cancelled_by: str | None
    revision: int


class WindowRefusedError(ValueError):
    """A window that makes no sense; `field` is what is wrong, texts in English and Vietnamese."""

    def __init__(self, field: str, detail: str, detail_vi: str) -> None:
        super().__init__(f"{field} {detail}")
        self.field = field
        self.detail_vi = detail_vi


class WindowOverlapsError(ValueError):
    """Another window of the same place lies across this one: `other`."""

    def __init__(self, other: WindowView) -> None:
        super().__init__(f"window {other.id} lies across it")
        self.other = other


class WindowOverError(ValueError):
    """The window has ended or was cancelled before."""


def check_times(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    """Raises WindowRefusedError. A start in the past is taken as long as the end lies ahead."""
    if ends_at <= starts_at:
        raise WindowRefusedError(
            "ends_at", "must lie after the start", "Giờ kết thúc phải sau giờ bắt đầu."
        )
    if ends_at <= now:
        raise WindowRefusedError(
            "ends_at", "lies in the past", "Giờ kết thúc đã qua: không thể đặt lịch bảo trì cho quá khứ."
        )
    if ends_at - starts_at > LONGEST:
        raise WindowRefusedError(
            "ends_at",
            f"lies more than {LONGEST.days} days after the start",
            f"Một lịch bảo trì dài tối đa {LONGEST.days} ngày.",
        )
    if starts_at > now + FARTHEST:
        raise WindowRefusedError(
            "starts_at", "lies more than a year ahead", "Giờ bắt đầu cách đây hơn một năm: hãy xem lại năm."
        )


def create_window(
    conn: Connection,
    *,
    commune: str,
    scope: Scope,
    name: str,
    starts_at: datetime,
    ends_at: datetime,
    why: str,
    by: str,
    now: datetime,
) -> WindowView:
    """Plan work; raises WindowRefusedError, and WindowOverlapsError for a second window of the same place.

    A start in the past is moved to `now`: what alarmed before the window was known did so rightly.
    """
    check_times(starts_at, ends_at, now)
    begins_at = max(starts_at, now)
    revision = next_revision(conn)  # its lock makes two who plan at once come one after the other
    across = conn.execute(
        select(window)
        .where(
            window.c.commune == commune,
            window.c.scope == scope,
            window.c.name == name,
            window.c.cancelled_at.is_(None),
            window.c.starts_at < ends_at,
            window.c.ends_at > begins_at,
        )
        .order_by(window.c.starts_at)
        .limit(1)
    ).one_or_none()
    if across is not None:
        raise WindowOverlapsError(WindowView(*across))
    key = conn.execute(
        insert(window).values(
            commune=commune,
            scope=scope,
            name=name,
            starts_at=begins_at,
            ends_at=ends_at,
            why=why,
            created_at=now,
            created_by=by,
            revision=revision,
        )
    ).inserted_primary_key
    assert key is not None
    made = window_of(conn, key[0])
    assert made is not None
    return made


def cancel_window(conn: Connection, window_id: int, *, by: str, now: datetime) -> WindowView | None:
    """Take a window back, a running one too: from now on things alarm again. None where there is no such one.

    Raises WindowOverError for one that has ended or was cancelled before.
    """
    done = conn.execute(
        update(window)
        .where(window.c.id == window_id, window.c.cancelled_at.is_(None), window.c.ends_at > now)
        .values(cancelled_at=now, cancelled_by=by, revision=next_revision(conn))
    )
    found = window_of(conn, window_id)
    if found is not None and done.rowcount != 1:
        raise WindowOverError
    return found


def window_of(conn: Connection, window_id: int) -> WindowView | None:
    """One window by its id."""
    row = conn.execute(select(window).where(window.c.id == window_id)).one_or_none()
    return None if row is None else WindowView(*row)


def windows(
    conn: Connection,
    *,
    now: datetime,
    communes: Collection[str] | None = None,
    over: bool = False,
    before_id: int | None = None,
    limit: int = 200,
) -> list[WindowView]:
    """Windows that run or are to come, the next first; with `over` those that ended, the newest first.

    `before_id` goes on behind the last one of an earlier page of those that are over.
    """
    ended = or_(window.c.ends_at <= now, window.c.cancelled_at.is_not(None))
    query = select(window).where(ended if over else ~ended).limit(limit)
    query = query.order_by(window.c.id.desc()) if over else query.order_by(window.c.starts_at, window.c.id)
    if communes is not None:
        query = query.where(window.c.commune.in_(communes))
    if before_id is not None:
        query = query.where(window.c.id < before_id)
    return [WindowView(*row) for row in conn.execute(query)]
