import asyncio
from functools import partial
from pathlib import Path

import pytest

from edge.agent import Agent
from edge.clock import SystemClock
from edge.config import NodeConfig
from edge.devices import Devices, PoleDevices, build
from edge.drivers.mock_lamp import MockLamp
from edge.drivers.mock_photocell import MockPhotocell
from edge.outbox.outbox_file import OutboxInUseError
from protocol.messages import MeterReading
from tests.support.hub_side import eventually
from tests.support.nodes import POLE, node_config, where_it_is
from tests.support.servers import free_port


class MeterWithABug:
    async def read(self) -> MeterReading | None:
        raise ZeroDivisionError("some library's bug")

    def close(self) -> None:
        pass


def lonely(data_dir: Path) -> NodeConfig:
    """A node whose broker does not exist, where it is noon now: by night no photocell puts a lamp out."""
    photocell = {"driver": "mock", "dark_after_s": 0, "light_after_s": 0}
    pole = {"photocell": photocell, **where_it_is(12)}
    return node_config(data_dir, port=free_port(), sample_interval_s=0.05, pole=pole)


async def follows_dusk_and_dawn(config: NodeConfig, devices: Devices) -> None:
    lamp, photocell = devices.poles[POLE].lamp, devices.poles[POLE].photocell
    assert isinstance(lamp, MockLamp)
    assert isinstance(photocell, MockPhotocell)

    def shows(level: float) -> bool:
        return lamp.level() == level

    stop = asyncio.Event()
    running = asyncio.create_task(Agent(config, devices, SystemClock("trusted")).run(stop))
    for dark, level in ((True, 1.0), (False, 0.0), (True, 1.0)):
        photocell.dark = dark
        await eventually(partial(shows, level), what=f"the lamp at {level}")
    assert not running.done()
    stop.set()
    await running


async def test_it_lights_with_no_broker_at_all(tmp_path: Path) -> None:
    config = lonely(tmp_path)
    await follows_dusk_and_dawn(config, build(config))


async def test_it_lights_where_no_file_can_be_written(tmp_path: Path) -> None:
    blocked = tmp_path / "data"
    await asyncio.to_thread(blocked.write_text, "a file where the folder should be")
    config = lonely(blocked)
    await follows_dusk_and_dawn(config, build(config))


async def test_it_lights_while_a_meters_driver_has_a_bug(tmp_path: Path) -> None:
    config = lonely(tmp_path)
    whole = build(config).poles[POLE]
    pole = PoleDevices(whole.lamp, whole.photocell, meter=MeterWithABug())
    await follows_dusk_and_dawn(config, Devices({POLE: pole}))


async def test_two_agents_never_share_an_outbox(tmp_path: Path) -> None:
    config = lonely(tmp_path)
    stop = asyncio.Event()
    first = asyncio.create_task(Agent(config, build(config), SystemClock("trusted")).run(stop))
    await eventually((tmp_path / "outbox.db").exists, what="the first one's outbox")
    with pytest.raises(OutboxInUseError, match="in use by another agent"):
        await Agent(config, build(config), SystemClock("trusted")).run(stop)
    assert not first.done()
    stop.set()
    await first
