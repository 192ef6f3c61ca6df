"""How eagerly a node speaks over its link, from its settings and from what the hub wants."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from edge.config.link import LinkSettings

METERED_REPORT_S = 600.0
METERED_STATE_S = 6 * 3600.0
_PROMISE = 1.1
"""A promise a little longer than the report interval is kept by the reports themselves."""


@dataclass(slots=True)
class Pace:
    """Changed in place when the hub wants another report interval. The defaults are a wired link's."""

    metered: bool = False
    packed: bool = False
    report_interval_s: float = 0.0
    """Samples wait at most so long to travel together."""
    answer_within_s: float = 10.0
    resend_after_s: float = 20.0
    """What the hub has not confirmed after so long goes again."""
    resend_max_s: float = 300.0
    history_bytes_per_s: float | None = None

    @classmethod
    def of(cls, link: LinkSettings) -> Pace:
        """The pace that the settings ask for; what they leave open follows from the kind of link."""
        metered = link.kind == "metered"
        wanted = link.report_interval_s
        return cls(
            metered=metered,
            packed=metered if link.packed is None else link.packed,
            report_interval_s=(METERED_REPORT_S if metered else 0.0) if wanted is None else wanted,
            answer_within_s=link.answer_within_s or (60.0 if metered else 10.0),
            resend_after_s=90.0 if metered else 20.0,
            resend_max_s=1800.0 if metered else 300.0,
            history_bytes_per_s=link.history_bytes_per_s or (4000.0 if metered else None),
        )

    def heartbeat_s(self, wanted_s: int) -> int:
        """The promise to the hub: some word comes within this time. Metered, reports are word enough."""
        return max(wanted_s, self._kept_by_reports_s) if self.metered else wanted_s

    def keepalive_s(self, wanted_s: int | None) -> int:
        """MQTT's keep-alive. Metered, it is never reached while reports flow, so no PING is paid for."""
        if wanted_s is not None:
            return wanted_s
        return max(30, self._kept_by_reports_s) if self.metered else 30

    def state_due_s(self, *, heartbeat_s: int, since_word_s: float, since_state_s: float) -> float:
        """Seconds until a state message is due; any other word keeps a metered node's promise."""
        if not self.metered:
            return heartbeat_s - since_state_s
        return min(heartbeat_s - since_word_s, METERED_STATE_S - since_state_s)

    @property
    def _kept_by_reports_s(self) -> int:
        return min(3600, ceil(self.report_interval_s * _PROMISE))
