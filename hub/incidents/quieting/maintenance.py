"""Which announced work covers whom. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from hub.incidents.model import Subject

Scope = Literal["commune", "hamlet", "feeder", "group", "pole", "node"]


@dataclass(frozen=True, slots=True)
class Window:
    """Work announced from `starts_at` until `ends_at`, at what `name` means within the scope."""

    id: int
    commune: str
    scope: Scope
    name: str
    starts_at: datetime
    ends_at: datetime


def under_way(windows: Sequence[Window], now: datetime) -> list[Window]:
    """Those that have begun and not ended."""
    return [one for one in windows if one.starts_at <= now < one.ends_at]


def covers(window: Window, subject: Subject) -> bool:
    """Whether a subject lies within a window's scope."""
    place = subject.place
    if window.scope == "pole":
        return subject.pole == window.name
    if window.scope == "node":
        return subject.node == window.name
    if not place.commune or place.commune != window.commune:
        return False
    if window.scope == "commune":
        return True
    found = {"hamlet": place.hamlet, "feeder": place.feeder, "group": place.group}[window.scope]
    return bool(found) and found == window.name
