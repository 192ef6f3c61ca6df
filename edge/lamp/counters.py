"""What adds up over a lamp's life on this node: burning time, switches, energy, supply losses. Pure."""

from __future__ import annotations

from msgspec import Struct

from protocol.messages import LampCounters

LONG_AWAY_S = 31 * 86_400.0
"""Over a restart nobody knows how long the node was away: energy of at most so long is taken over."""
METER_STEP_WH = 2.0
"""A meter counts in whole watt-hours and may be read just after its step."""


class SavedCount(Struct, frozen=True, kw_only=True):
    """The totals as they are kept over a restart, with the meter's own total beside them."""

    burning_s: float = 0.0
    switches: int = 0
    energy_wh: float = 0.0
    supply_losses: int = 0
    meter_wh: float | None = None


class LampCount:
    """The totals of one lamp. What was saved before a restart is added when it is known."""

    def __init__(self) -> None:
        self._saved = SavedCount()
        self._restored = False
        self._burning_s = 0.0
        self._switches = 0
        self._energy_wh = 0.0
        self._supply_losses = 0
        self._meter_wh: float | None = None
        self._metered_at_s: float | None = None
        self._level: float | None = None
        self._turned_at_s: float | None = None

    def turn(self, level: float | None, monotonic_s: float) -> None:
        """The output's level from now on; None (it does not answer) counts as the level it had."""
        if self._level is not None and self._turned_at_s is not None and self._level > 0:
            self._burning_s += max(0.0, monotonic_s - self._turned_at_s)
        self._turned_at_s = monotonic_s
        if level is None:
            return
        if self._level == 0 and level > 0:
            self._switches += 1
        self._level = level

    def meter(self, energy_wh: float, monotonic_s: float, *, at_most_w: float) -> None:
        """The meter's own total (Wh). A smaller one than before is a meter that was reset, wrapped or changed:
        it counts from 0. More than `at_most_w` (what the line can carry) over the time is a glitch.
        """
        before_wh, before_s = self._meter_wh, self._metered_at_s
        self._meter_wh, self._metered_at_s = energy_wh, monotonic_s
        if before_wh is None:
            return
        passed_s = LONG_AWAY_S if before_s is None else monotonic_s - before_s
        gained_wh = energy_wh - before_wh if energy_wh >= before_wh else energy_wh
        if gained_wh <= at_most_w * passed_s / 3600 + METER_STEP_WH:
            self._energy_wh += gained_wh

    def supply_lost(self) -> None:
        """The mains went away once more."""
        self._supply_losses += 1

    def restore(self, saved: SavedCount) -> None:
        """Add what was counted before the restart; only the first call counts."""
        if self._restored:
            return
        self._restored = True
        self._saved = saved
        if self._meter_wh is None:
            self._meter_wh = saved.meter_wh

    def to_save(self) -> SavedCount:
        """The totals with the meter's, for the next start."""
        saved = self._saved
        return SavedCount(
            burning_s=round(saved.burning_s + self._burning_s, 1),
            switches=saved.switches + self._switches,
            energy_wh=round(saved.energy_wh + self._energy_wh, 1),
            supply_losses=saved.supply_losses + self._supply_losses,
            meter_wh=self._meter_wh,
        )

    def totals(self) -> LampCounters:
        """The totals as a sample tells them."""
        now = self.to_save()
        return LampCounters(
            burning_s=int(now.burning_s),
            switches=now.switches,
            energy_wh=now.energy_wh,
            supply_losses=now.supply_losses,
        )
