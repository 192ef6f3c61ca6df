"""Acts on what `edge.link.recovery` decides: tells of outages, connects anew, resets the modem, restarts.

Commands are programs of the node's own settings, run beside the event loop with a time limit. How often the
machine was restarted outlives the restart as a note in the outbox, so that a link that stays dead leads to
fewer and fewer restarts, not to one after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Protocol

import msgspec
import structlog

from edge.clock import Clock
from edge.commands import RunCommand, run_command
from edge.config.link import LinkSettings
from edge.link.recovery import Action, LinkFacts, Recovery, Stall
from edge.outbox.journal import Journal

LOOK_EVERY_S = 5.0
REBOOTS_NOTE = "link/reboots"


class Link(Protocol):
    """What is watched here; `edge.link.uplink.Uplink` is one."""

    @property
    def facts(self) -> LinkFacts:
        """How the link is now."""

    def reconnect(self) -> None:
        """Make a new connection."""


class Rescue:
    """Looks after one node's link, for ever."""

    def __init__(
        self,
        settings: LinkSettings,
        link: Link,
        *,
        journal: Journal,
        clock: Clock,
        random: Random,
        may_reboot: Callable[[], bool],
        run: RunCommand = run_command,
    ) -> None:
        """`may_reboot` says whether a restart would disturb nobody and change no lamp at this moment."""
        self._settings = settings
        self._link = link
        self._journal = journal
        self._clock = clock
        self._random = random
        self._may_reboot = may_reboot
        self._run_command = run
        self._recovery = Recovery(settings, random=random)
        self._log = structlog.get_logger()

    async def run(self) -> None:
        """Look every few seconds, for ever."""
        await self.restore()
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def restore(self) -> None:
        """Take up how often the machine was restarted for a link that is still dead."""
        note = (await self._journal.outbox.notes(REBOOTS_NOTE)).get("")
        with suppress(msgspec.DecodeError):
            reboots = 0 if note is None else msgspec.json.decode(note, type=int)
            self._recovery = Recovery(self._settings, random=self._random, reboots=max(0, reboots))

    async def look(self) -> None:
        """Look once, tell what there is to tell, and take the step that is due."""
        facts, now_s, before = self._link.facts, self._clock.monotonic(), self._recovery.reboots
        stall = self._recovery.observe(facts, now_s)
        if stall is not None:
            self._tell(stall)
        if before and not self._recovery.reboots:
            self._journal.post(notes={REBOOTS_NOTE: None})
        action = self._recovery.decide(facts, now_s, may_reboot=self._may_reboot())
        if action is not None:
            await self._take(action)

    def _tell(self, stall: Stall) -> None:
        begins = stall.ended_after_s is None
        for_s = round(stall.silent_s if stall.ended_after_s is None else stall.ended_after_s)
        (self._log.warning if begins else self._log.info)(
            "link_stalled" if begins else "link_restored", cause=stall.cause, for_s=for_s
        )
        self._journal.later("link_stalled", active=begins, detail={"cause": stall.cause, "for_s": for_s})

    async def _take(self, action: Action) -> None:
        silent_s = round(action.silent_s)
        self._log.warning("link_" + action.step, cause=action.cause, for_s=silent_s)
        if action.step == "reconnect":
            self._link.reconnect()
            return
        detail: dict[str, str | int | float | bool | None] = {"cause": action.cause, "for_s": silent_s}
        within_s = self._settings.command_within_s
        if action.step == "reset_modem":
            error = await self._run_command(self._settings.modem_reset_command, within_s)
            self._journal.later("modem_reset", detail={**detail, "error": error and error[:200]})
            return
        # On disk before the machine goes down: the count is what keeps restarts rare.
        self._journal.later("node_reboot", detail=detail)
        await self._journal.record(notes={REBOOTS_NOTE: msgspec.json.encode(self._recovery.reboots)})
        error = await self._run_command(self._settings.reboot_command, within_s)
        if error is not None:
            self._log.error("reboot_failed", error=error)
