"""When an incident that comes and goes is told no more until it has been well for longer. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hub.incidents.model import Rule


def recent(openings: Sequence[datetime], now: datetime, params: Mapping[str, float]) -> list[datetime]:
    """The openings that still count."""
    begin = now - timedelta(seconds=params["flap_within_s"])
    return [at for at in openings if at > begin]


def is_flapping(openings: Sequence[datetime], now: datetime, params: Mapping[str, float]) -> bool:
    """More than `flap_count` openings within `flap_within_s`."""
    return len(recent(openings, now, params)) > params["flap_count"]


def calmer(rule: Rule) -> Rule:
    """The rule for one that flaps: all must be well for `flap_clear_s`."""
    return replace(rule, clear_after_s=max(rule.clear_after_s, rule.params["flap_clear_s"]))
