"""What is done about a link that lets nothing through: pure decisions, steady seconds as arguments.

The hub's `stored` is the only proof that the whole way works. A broker that answers while the hub does not
tells that the link is well and the hub away: then a new connection is tried once, and after that seldom. A
broker that can't be reached at all leads up the ladder: connect again at random pauses that double, reset the
modem, restart the machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

from edge.config.link import LinkSettings

FIRST_WINDOW_S = 20.0
"""After a loss the first attempt comes at random within this time: shorter than the will's delay, and long
enough that the 49,000 nodes of a province do not stand before a restarted broker in one second."""
HUB_AWAY_FIRST_S = 3600.0
DAY_S = 86_400.0

Cause = Literal["broker_silent", "hub_silent"]
Step = Literal["reconnect", "reset_modem", "reboot"]


def pause_s(attempt: int, *, longest_s: float, random: Random) -> float:
    """Before the connection attempt with this number, from 0: anywhere in a window that doubles."""
    window_s = min(longest_s, FIRST_WINDOW_S * 2.0 ** min(attempt, 16))
    return random.uniform(0.0, window_s)


@dataclass(slots=True)
class LinkFacts:
    """What the uplink knows; it keeps this up to date."""

    connected: bool
    broker_at_s: float
    """The broker's last word of any kind, or when the agent began."""
    hub_at_s: float
    """The hub's last confirmation, or when the agent began."""
    unconfirmed_since_s: float | None = None
    """When the oldest message that the hub has not confirmed left; None with none."""


@dataclass(frozen=True, slots=True)
class Stall:
    """The way to the hub has been shut for too long (`ended_after_s` is None), or is open again."""

    cause: Cause
    silent_s: float
    ended_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """One step of the ladder that is due."""

    step: Step
    cause: Cause
    silent_s: float


class Recovery:
    """One node's ladder. `reboots` is how often the machine was restarted in this outage already."""

    def __init__(self, settings: LinkSettings, *, random: Random, reboots: int = 0) -> None:
        self._settings = settings
        self._random = random
        self._hub_at_s: float | None = None
        self._stall: tuple[Cause, float] | None = None
        self._reconnect_at_s: float | None = None
        self._reconnect_pause_s = HUB_AWAY_FIRST_S
        self._reset_at_s = float("-inf")
        self._reset_pause_s = settings.modem_reset_every_s
        self._resets = 0
        self._reboot_at_s = float("-inf")
        self.reboots = reboots

    def observe(self, facts: LinkFacts, now_s: float) -> Stall | None:
        """What there is to tell: an outage that has lasted too long, told once, or its end.

        Call it before `decide`: with the hub's word the ladder begins at its foot again.
        """
        heard_before_s, self._hub_at_s = self._hub_at_s, facts.hub_at_s
        if heard_before_s is not None and facts.hub_at_s > heard_before_s:
            was = self._begin_anew()
            if was is not None:
                return Stall(was[0], 0.0, ended_after_s=facts.hub_at_s - was[1])
        cause, since_s = _silence(facts, now_s)
        if cause is None or now_s - since_s < self._settings.stalled_after_s or self._stall is not None:
            return None
        self._stall = (cause, since_s)
        return Stall(cause, now_s - since_s)

    def decide(self, facts: LinkFacts, now_s: float, *, may_reboot: bool) -> Action | None:
        """The step that is due now, if any. `now_s` counts from the machine's start.

        `may_reboot`: nobody works at the poles, and no lamp would change by the restart.
        """
        cause, since_s = _silence(facts, now_s)
        silent_s = now_s - since_s
        if cause == "hub_silent":
            return self._reconnect(silent_s, now_s)
        if cause is None:
            return None
        settings = self._settings
        if settings.reboot_command and may_reboot and self._reboot_is_due(silent_s, now_s):
            self._reboot_at_s = now_s
            self.reboots += 1
            return Action("reboot", cause, silent_s)
        if (
            settings.modem_reset_command
            and silent_s >= settings.modem_reset_after_s
            and now_s >= self._reset_at_s
        ):
            self._reset_at_s = now_s + self._reset_pause_s
            self._reset_pause_s = min(DAY_S, 2 * self._reset_pause_s)
            self._resets += 1
            return Action("reset_modem", cause, silent_s)
        return None

    def _reconnect(self, silent_s: float, now_s: float) -> Action | None:
        if self._reconnect_at_s is None:
            # When the hub goes down, all its nodes notice within one report: spread what they do about it.
            wait_s = self._settings.stalled_after_s * self._random.uniform(1.0, 2.0) - silent_s
            self._reconnect_at_s = now_s + max(0.0, wait_s)
        if now_s < self._reconnect_at_s:
            return None
        self._reconnect_at_s = now_s + self._reconnect_pause_s * self._random.uniform(0.5, 1.0)
        self._reconnect_pause_s = min(DAY_S, 2 * self._reconnect_pause_s)
        return Action("reconnect", "hub_silent", silent_s)

    def _reboot_is_due(self, silent_s: float, now_s: float) -> bool:
        settings = self._settings
        if settings.modem_reset_command and not self._resets:
            return False
        # The steady clock counts from the machine's start, so this holds over restarts and wrong clocks.
        up_for_s = min(now_s, now_s - self._reboot_at_s)
        pause_s = min(30 * DAY_S, settings.reboot_every_s * 2 ** min(self.reboots, 10))
        return silent_s >= settings.reboot_after_s and up_for_s >= pause_s

    def _begin_anew(self) -> tuple[Cause, float] | None:
        was, self._stall = self._stall, None
        self._reconnect_at_s = None
        self._reconnect_pause_s = HUB_AWAY_FIRST_S
        self._reset_at_s = self._reboot_at_s = float("-inf")
        self._reset_pause_s = self._settings.modem_reset_every_s
        self._resets = self.reboots = 0
        return was


def _silence(facts: LinkFacts, now_s: float) -> tuple[Cause | None, float]:
    """Who is silent, and since when."""
    if not facts.connected:
        return "broker_silent", facts.broker_at_s
    if facts.unconfirmed_since_s is None:
        return None, now_s
    return "hub_silent", max(facts.unconfirmed_since_s, facts.hub_at_s)
