"""What an incident is, in plain data: rules, what is watched, what changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Literal

OriginatorType = Literal["node", "pole", "camera"]
Evidence = Mapping[str, str | int | float | bool | None]

COMMUNICATION_FAILURE = "communication_failure"
LAMP_FAILURE = "lamp_failure"


class Verdict(Enum):
    """What one observation says about one kind of incident."""

    BAD = "bad"
    GOOD = "good"
    NO_EVIDENCE = "no_evidence"
    """Says nothing either way, e.g. a silent meter: what was pending stays pending."""
    NOT_DUE = "not_due"
    """Could not show the trouble, e.g. a lamp off by day: what was pending starts anew."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Thresholds of one kind, in seconds; `params` are the kind's own."""

    kind: str
    hold_off_s: float
    """How long the trouble must last before an incident opens."""
    clear_after_s: float
    """How long all must be well before it closes."""
    params: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Watch:
    """Where one (originator, kind) stands between observations."""

    is_open: bool = False
    bad_since: datetime | None = None
    good_since: datetime | None = None

    @property
    def idle(self) -> bool:
        """Nothing open and nothing pending: need not be remembered."""
        return not self.is_open and self.bad_since is None


class Change(Enum):
    """What a step did."""

    OPENED = "opened"
    CLOSED = "closed"


DEFAULT_RULES: Mapping[str, Rule] = {
    rule.kind: rule
    for rule in (
        # A takeover by the node's next connection sends the old will a moment before the new birth.
        Rule(COMMUNICATION_FAILURE, hold_off_s=3, clear_after_s=5, params={"stopped_grace_s": 600}),
        Rule(LAMP_FAILURE, hold_off_s=60, clear_after_s=30, params={"fail_share": 0.2, "clear_share": 0.3}),
    )
}
"""What the migration writes into a new database; thresholds in force are the rows of `incident_rule`."""
