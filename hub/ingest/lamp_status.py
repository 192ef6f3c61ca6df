"""What a lamp is seen to do, in one word: decided from its newest sample and its node's state."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from hub.ingest.reads import NodeStatus, PoleStatus

LampStatus = Literal["lit", "dark", "off", "on_by_day", "unknown"]

LIT_SHARE = 0.2
"""A lamp that draws less than this share of what its level should draw gives no useful light."""

IDLE_SHARE = 0.2
"""A lamp that should be off and draws more than this share of its rating is burning."""

DEFAULT_SAMPLE_GAP_S = 30.0


def lamp_status(
    pole: PoleStatus | None,
    node: NodeStatus | None,
    lamp_rated_w: float,
    now: datetime,
    *,
    sample_gap_s: float = DEFAULT_SAMPLE_GAP_S,
) -> LampStatus:
    """Tell what the lamp does now.

    `lit`: in effect on, and the meter agrees (at least 20 % of rating × level). Without a meter's word
    the node's own word counts: see `is_measured`. `dark`: should be lit and draws too little. `off`:
    not in effect and no draw. `on_by_day`: not in effect but drawing. `unknown`: nothing was ever heard,
    the node is not online, or the sample is older than three times the longer of sample gap and heartbeat.
    """
    if pole is None or node is None or node.status != "online":
        return "unknown"
    fresh_for = 3 * max(sample_gap_s, node.heartbeat_s)
    if now - pole.received_at > timedelta(seconds=fresh_for):
        return "unknown"
    if pole.effect_level > 0:
        if pole.power_w is None:
            return "lit"
        return "lit" if pole.power_w >= LIT_SHARE * lamp_rated_w * pole.effect_level else "dark"
    if pole.power_w is None:
        return "off"
    return "on_by_day" if pole.power_w > IDLE_SHARE * lamp_rated_w else "off"


def is_measured(pole: PoleStatus | None) -> bool:
    """Whether a meter stands behind the lamp's status, or only the node's own word."""
    return pole is not None and pole.power_w is not None
