"""What the API answers about what nodes told and what was kept aside of it; see `hub.api.schemas`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hub.api.schemas import Out


class NodeEventOut(Out):
    """What a node told: it began (`active` true), it has ended (false), or it happened then (null)."""

    id: int
    node: str
    pole: str | None
    camera: str | None
    kind: str
    title_vi: str
    title_en: str
    active: bool | None
    at: datetime
    received_at: datetime
    historical: bool
    detail: dict[str, Any]


class NodeEventList(Out):
    """Newest first."""

    items: list[NodeEventOut]


class RejectOut(Out):
    """A message that was refused and kept aside."""

    id: int
    received_at: datetime
    topic: str
    node: str | None
    seq: int | None
    reason: str
    detail: str
    size: int
    sha256: str


class RejectCountOut(Out):
    """How many messages of one sender are kept aside, by reason; `node` null where the topic told none."""

    node: str | None
    count: int
    reasons: dict[str, int]
    last_at: datetime


class RejectList(Out):
    """Newest first; `counts` over all that are kept, the most first."""

    items: list[RejectOut]
    counts: list[RejectCountOut]
