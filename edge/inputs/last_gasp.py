"""What a node does when the mains has gone and a battery or supercapacitor carries it on for a while.

In this order, because nobody knows how long it is carried: tell the hub, save what is only in memory, and
after `shutdown_after_s` shut the machine down. Mains that returns before cancels the shutdown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog

from edge.clock import Clock
from edge.commands import RunCommand, run_command
from edge.config import SupplySettings
from edge.inputs.rules import Supply, follow_supply, shutdown_is_due

SEND_WITHIN_S = 5.0
"""A link that takes longer is down with the mains; saving matters more then."""
COMMAND_WITHIN_S = 60.0

Step = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class GaspSteps:
    """What the agent does at each step; `mains_measured` is a meter's word against the input's."""

    send: Step
    """Returns when the broker has everything urgent, at the latest after SEND_WITHIN_S."""
    save: Step
    mains_measured: Callable[[], Awaitable[bool]]


class LastGasp:
    """Fed with the supply's believed word at each step; `run` does what follows from it, in order."""

    def __init__(
        self,
        settings: SupplySettings,
        clock: Clock,
        *,
        command: RunCommand = run_command,
    ) -> None:
        self.steps: GaspSteps | None = None
        """None while there is no outbox; the shutdown is due all the same."""
        self._settings = settings
        self._clock = clock
        self._command = command
        self._supply = Supply()
        self._contradicted = False
        self._todo: asyncio.Queue[Step] = asyncio.Queue()
        self._log = structlog.get_logger()

    def follow(self, present: bool | None) -> None:
        """Take the supply's word of this moment."""
        now_s = self._clock.monotonic()
        was, self._supply = self._supply, follow_supply(self._supply, present, now_s=now_s)
        if was.lost_since_s is None and self._lost():
            self._contradicted = False
            self._todo.put_nowait(self._send_and_save)
        if self._settings.shutdown_command and shutdown_is_due(
            self._supply, now_s=now_s, after_s=self._settings.shutdown_after_s
        ):
            self._supply = self._supply.asked(now_s)
            self._todo.put_nowait(self._shut_down)

    def _lost(self) -> bool:
        return self._supply.lost_since_s is not None

    async def run(self) -> None:
        """Do one step after another, for ever; one that fails does not keep the next from being done."""
        while True:
            step = await self._todo.get()
            try:
                await step()
            except Exception:  # noqa: BLE001 - a step that fails must not lose the shutdown
                with suppress(OSError):
                    self._log.exception("last_gasp_step_failed")

    async def _send_and_save(self) -> None:
        if self.steps is None:
            return
        await self.steps.send()
        await self.steps.save()

    async def _shut_down(self) -> None:
        if self.steps is not None:
            if await self.steps.mains_measured():
                if not self._contradicted:
                    self._contradicted = True
                    self._log.error(
                        "supply_input_contradicted", what="a meter measures mains: not shut down"
                    )
                return
            await self.steps.save()
        if not self._lost():
            return
        command = self._settings.shutdown_command
        self._log.warning("shutting_down", command=" ".join(command))
        error = await self._command(command, COMMAND_WITHIN_S)
        if error is not None:
            self._log.error("shutdown_command_failed", error=error)
