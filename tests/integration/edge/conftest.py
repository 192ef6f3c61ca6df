from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from random import Random

import pytest

from edge.agent import Agent
from edge.clock import SystemClock
from edge.config import NodeConfig
from edge.devices import build
from edge.drivers.mock_lamp import MockLamp
from edge.drivers.mock_photocell import MockPhotocell
from tests.support.hub_side import HubSide, eventually, hub_side
from tests.support.mosquitto import Mosquitto
from tests.support.nodes import COMMUNE, POLE


class RunningAgent:
    """A real agent with mock devices in this process."""

    def __init__(self, config: NodeConfig, *, random: Random | None = None) -> None:
        self.config = config
        self.devices = build(config)
        self.stop = asyncio.Event()
        agent = Agent(config, self.devices, SystemClock(config.clock), random=random)
        self.task = asyncio.create_task(agent.run(self.stop))

    @property
    def lamp(self) -> MockLamp:
        lamp = self.devices.poles[POLE].lamp
        assert isinstance(lamp, MockLamp)
        return lamp

    async def follows_dusk_and_dawn(self) -> None:
        photocell = self.devices.poles[POLE].photocell
        assert isinstance(photocell, MockPhotocell)
        for dark, level in ((False, 0.0), (True, 1.0), (False, 0.0), (True, 1.0)):
            photocell.dark = dark
            await eventually(partial(self._is_at, level), what=f"the lamp at {level}")
        assert not self.task.done()

    def _is_at(self, level: float) -> bool:
        return self.lamp.level() == level

    async def end(self) -> None:
        self.stop.set()
        await self.task


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture
async def hub(broker: Mosquitto) -> AsyncIterator[HubSide]:
    async with hub_side(broker.port, COMMUNE) as side:
        yield side
