"""One node: its lamps first, then everything that tells of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import Executor
from random import Random

from edge.clock import Clock
from edge.config import NodeConfig
from edge.devices import PoleDevices


class Agent:
    """`await Agent(config, devices, clock).run(stop)` until `stop` is set.

    Several hundred may share one event loop; give them one `executor` for their SQLite work (without one,
    an agent makes its own single thread). `random` spreads reconnects and sampling ticks.
    """

    def __init__(
        self,
        config: NodeConfig,
        devices: Mapping[str, PoleDevices],
        clock: Clock,
        *,
        executor: Executor | None = None,
        random: Random | None = None,
    ) -> None:
        self._config = config
        self._devices = devices
        self._clock = clock
        self._executor = executor
        self._random = random or Random()  # noqa: S311 - spreads load, guards nothing

    async def run(self, stop: asyncio.Event) -> None:
        """Light the poles until `stop` is set; returns after a clean goodbye to the broker."""
        await stop.wait()
