import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from edge.clock import MockClock
from edge.devices import PoleDevices
from edge.drivers.mock_lamp import MockLamp
from edge.drivers.mock_meter import MockMeter
from edge.lamp.lighting import Lighting
from edge.link.downlink import Downlink
from edge.outbox.journal import Journal
from edge.sampling import Sampler
from protocol import Command, Config, DimmingStep, Kind, PoleConfig, encode
from protocol.messages import Event, Receipt
from tests.support.nodes import EVENING, NODE, NOON, POLE, no_cameras, node_config


class Node:
    """What hangs on a downlink, in memory; started anew it finds the same outbox."""

    def __init__(self, folder: Path) -> None:
        self.clock = MockClock(NOON)
        self.lamp = MockLamp()
        self.executor = ThreadPoolExecutor(1)
        self.journal = Journal(folder, node=NODE, clock=self.clock, executor=self.executor)
        cameras = [{"code": "CAM-1", "driver": "mock"}]
        self.config = node_config(folder, lamp_settle_s=0, pole={"cameras": cameras})
        self.cycled: list[str] = []
        self.refuses: str | None = None
        self.in_force: list[int] = []
        self.start()

    def start(self) -> None:
        meter = MockMeter(self.lamp, lamp_rated_w=60, random=Random(1), seconds=self.clock.monotonic)
        devices = {POLE: PoleDevices(self.lamp, meter=meter)}
        self.lighting = Lighting(self.config, devices, self.clock)
        self.light = self.lighting.lights[POLE]
        sampler = Sampler(
            self.config,
            devices,
            lighting=self.lighting,
            cameras=no_cameras(self.config, self.clock),
            journal=self.journal,
            clock=self.clock,
            random=Random(1),
        )
        self.downlink = Downlink(
            self.config,
            lighting=self.lighting,
            sampler=sampler,
            journal=self.journal,
            clock=self.clock,
            cycle_camera=self.cycle,
            on_config=lambda config: self.in_force.append(config.version),
        )

    async def cycle(self, camera: str) -> str | None:
        self.cycled.append(camera)
        return self.refuses

    def command(self, action: str, **fields: Any) -> UUID:
        now = self.clock.now()
        command = Command(
            v=1,
            id=uuid4(),
            node=NODE,
            pole=POLE,
            action=action,  # type: ignore[arg-type]
            issued_at=now,
            expires_at=now + timedelta(minutes=1),
            **fields,
        )
        self.downlink.receive(Kind.COMMAND, encode(command))
        return command.id

    async def told(self) -> list[Event | Receipt]:
        await self.journal.record()
        items = await self.journal.outbox.read("urgent", 0, 1000)
        return [item for item in items if isinstance(item, Event | Receipt)]

    async def events(self) -> list[tuple[str, bool | None, object]]:
        return [
            (one.kind, one.active, one.detail.get("ended_by"))
            for one in await self.told()
            if isinstance(one, Event)
        ]

    async def statuses(self, command: UUID) -> list[str]:
        receipts = [one for one in await self.told() if isinstance(one, Receipt)]
        return [receipt.status for receipt in receipts if receipt.command == command]


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    node = Node(tmp_path)
    await node.journal.open()
    await node.downlink.restore()
    following = asyncio.create_task(node.downlink.follow_up())
    yield node
    following.cancel()
    await node.journal.outbox.close()
    node.executor.shutdown()


async def finished(node: Node, command: UUID) -> list[str]:
    for _ in range(200):
        statuses = await node.statuses(command)
        if len(statuses) == 2:
            return statuses
        await asyncio.sleep(0.01)
    raise AssertionError(f"no last receipt: {statuses}")


async def test_maintenance_lights_the_lamp_is_told_and_ends_by_a_command(node: Node) -> None:
    assert node.lamp.level() == 0.0
    begin = node.command("maintenance_begin", until=NOON + timedelta(hours=1))
    assert node.lamp.level() == 1.0
    assert await finished(node, begin) == ["accepted", "applied"]
    node.clock.advance(30)
    end = node.command("maintenance_end")
    assert node.lamp.level() == 0.0
    assert await finished(node, end) == ["accepted", "applied"]
    assert await node.events() == [("maintenance_mode", True, None), ("maintenance_mode", False, "command")]


async def test_maintenance_ends_by_itself(node: Node) -> None:
    node.command("maintenance_begin", until=NOON + timedelta(hours=1))
    node.clock.advance(3601)
    node.lighting.step()
    assert node.lamp.level() == 0.0
    assert (await node.events())[-1] == ("maintenance_mode", False, "time")
    assert await node.journal.outbox.notes("maintenance/") == {}


async def test_maintenance_outlives_a_restart(node: Node) -> None:
    node.command("maintenance_begin", until=NOON + timedelta(hours=1))
    await node.events()
    node.clock.advance(600)
    node.start()
    await node.downlink.restore()
    assert node.light.in_maintenance
    assert node.light.reading().reason == "maintenance"
    node.clock.advance(3001)
    node.lighting.step()
    assert (await node.events())[-1] == ("maintenance_mode", False, "time")


async def test_maintenance_that_ended_while_the_node_was_down_is_told_at_the_start(node: Node) -> None:
    node.command("maintenance_begin", until=NOON + timedelta(hours=1))
    await node.events()
    node.clock.advance(7200)
    node.start()
    await node.downlink.restore()
    assert not node.light.in_maintenance
    assert (await node.events())[-1] == ("maintenance_mode", False, "time")


async def test_a_camera_is_cycled_and_that_is_receipted(node: Node) -> None:
    command = node.command("camera_cycle", camera="CAM-1")
    assert await finished(node, command) == ["accepted", "applied"]
    node.refuses = "daily limit: 4 of 4"
    node.clock.advance(1)
    again = node.command("camera_cycle", camera="CAM-1")
    assert await finished(node, again) == ["accepted", "rejected"]
    assert node.cycled == ["CAM-1", "CAM-1"]


async def test_a_command_that_is_held_back_for_the_contactor_is_answered_when_it_has_come(
    node: Node,
) -> None:
    until = NOON + timedelta(hours=1)
    lit = node.command("lamp_override", level=1.0, until=until)
    assert await finished(node, lit) == ["accepted", "applied"]
    node.clock.advance(1)
    out = node.command("lamp_override", level=0.0, until=until)
    assert node.lamp.level() == 1.0
    await asyncio.sleep(0.05)
    assert await node.statuses(out) == ["accepted"]
    node.clock.advance(20)
    # The steady clock of this test stands still for the task that waits: another looks anew.
    following = asyncio.create_task(node.downlink.follow_up())
    assert await finished(node, out) == ["accepted", "applied"]
    assert node.lamp.level() == 0.0
    following.cancel()


def config(version: int = 1, **pole: Any) -> Config:
    settings = {"pole": POLE, "latitude": 21.4731, "longitude": 105.255, "lamp_rated_w": 60.0, **pole}
    return Config(
        v=1,
        node=NODE,
        version=version,
        sample_interval_s=30,
        heartbeat_s=30,
        poles=[msgspec.convert(settings, PoleConfig)],
    )


async def test_the_hubs_schedule_goes_before_the_nodes_own(node: Node) -> None:
    steps = [{"at": "18:00", "level": 0.4}]
    wanted = config(dusk_offset_min=-15, dimming=steps, motion_level=0.9, motion_hold_s=60)
    node.downlink.receive(Kind.CONFIG, encode(wanted))
    schedule = node.light.schedule
    assert (schedule.dusk_offset_min, schedule.motion_level, schedule.motion_hold_s) == (-15, 0.9, 60)
    assert schedule.dimming == (DimmingStep(at="18:00", level=0.4),)
    assert node.in_force == [1]
    node.clock.jump_to(EVENING)
    node.clock.advance(60)
    node.lighting.step()
    assert node.lamp.level() == 0.4
    await node.events()
    node.start()
    await node.downlink.restore()
    assert node.light.schedule == schedule, "also after a restart"


@pytest.mark.parametrize("bad", ["unknown pole", "pole twice", "older", "offset"])
async def test_a_bad_configuration_is_refused_whole_and_the_old_one_kept(node: Node, bad: str) -> None:
    node.downlink.receive(Kind.CONFIG, encode(config(5, dusk_offset_min=-15)))
    good = node.light.schedule
    wanted = config(6, dusk_offset_min=30)
    if bad == "unknown pole":
        other = msgspec.structs.replace(wanted.poles[0], pole="TG-0999")
        wanted = msgspec.structs.replace(wanted, poles=[*wanted.poles, other])
    elif bad == "pole twice":
        wanted = msgspec.structs.replace(wanted, poles=wanted.poles * 2)
    elif bad == "older":
        wanted = msgspec.structs.replace(wanted, version=4)
    payload = encode(wanted)
    if bad == "offset":
        payload = payload.replace(b'"dusk_offset_min":30.0', b'"dusk_offset_min":300.0')
        assert b"300.0" in payload
    node.downlink.receive(Kind.CONFIG, payload)
    assert node.light.schedule is good
    assert node.in_force == [5]
    assert [kind for kind, _, _ in await node.events()] == ["config_refused"]
