"""One node, several poles on its serial line: each has its own lamp, measurement and fault."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.config import NodeConfig
from protocol import EventMessage
from protocol.messages import Event, Sample
from simulators.lamp_board import LampBoard
from tests.integration.edge.conftest import RunningAgent
from tests.support.hub_side import HubSide, eventually
from tests.support.modbus_units import lamp_board, meter, serving
from tests.support.mosquitto import Mosquitto
from tests.support.nodes import NODE, node_config, where_it_is
from tests.support.serial_line import SerialLine

pytestmark = pytest.mark.servers

POLES = (1, 2, 3)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[SerialLine]:
    line = SerialLine(tmp_path)
    yield line
    line.close()


def cabinet(folder: Path, port: int, line: SerialLine) -> NodeConfig:
    def pole(number: int) -> dict[str, Any]:
        return {
            "code": f"TG-000{number}",
            "latitude": 21.4731,
            "lamp_rated_w": 60.0,
            "lamp": {"driver": "serial", "line": "rs485", "profile": "lamp-board", "address": number},
            "meter": {
                "driver": "serial",
                "line": "rs485",
                "profile": "pzem004t-100a",
                "address": 100 + number,
            },
            **where_it_is(0),
        }

    return node_config(
        folder / "node",
        port=port,
        sample_interval_s=0.5,
        serial_lines=[{"name": "rs485", "port": line.node_port}],
        poles=[pole(number) for number in POLES],
    )


def newest(hub: HubSide, pole: int) -> Sample | None:
    samples = [sample for sample in hub.samples(NODE) if sample.pole == f"TG-000{pole}"]
    return samples[-1] if samples else None


def events(hub: HubSide, kind: str) -> list[Event]:
    messages = [message for message in hub.heard if isinstance(message, EventMessage)]
    return [event for message in messages for event in message.events if event.kind == kind]


def lit(hub: HubSide, pole: int) -> bool:
    sample = newest(hub, pole)
    return sample is not None and (sample.lamp.effect_level, sample.lamp.reason) == (1.0, "sun")


def faulty(hub: HubSide, pole: int) -> bool:
    sample = newest(hub, pole)
    return sample is not None and sample.lamp.reason == "output_fault" and sample.meter is None


async def test_one_dead_board_is_that_poles_fault_and_its_neighbours_burn_on(
    broker: Mosquitto, hub: HubSide, line: SerialLine, tmp_path: Path
) -> None:
    hub.confirms = True
    boards = {number: LampBoard(serial_number=number, seconds=time.monotonic) for number in POLES}
    units = [lamp_board(number, board) for number, board in boards.items()]
    units += [meter(100 + number, [2284, 277, 0, 600 + number, 0, 0, 0, 500, 95, 0]) for number in POLES]
    async with serving(line, units):
        agent = RunningAgent(cabinet(tmp_path, broker.port, line))
        try:
            await eventually(lambda: all(lit(hub, pole) for pole in POLES), what="three lit lamps")
            await eventually(
                lambda: all(
                    (sample := newest(hub, pole))
                    and sample.meter
                    and sample.meter.power_w == 60 + pole / 10
                    for pole in POLES
                ),
                what="each lamp's own watts",
            )
            await eventually(lambda: len(events(hub, "board_found")) >= 3, what="the boards' firmware")
            assert {event.detail["firmware"] for event in events(hub, "board_found")} == {"1.0"}
            line.units -= {2, 102}
            await eventually(lambda: faulty(hub, 2), what="the fault of pole 2", limit_s=60)
            await eventually(lambda: events(hub, "board_silent"), what="board_silent", limit_s=30)
            (silent,) = events(hub, "board_silent")
            assert (silent.pole, silent.active) == ("TG-0002", True)
            assert lit(hub, 1)
            assert lit(hub, 3)
            line.units |= {2, 102}
            await eventually(lambda: lit(hub, 2), what="the return of pole 2", limit_s=60)
        finally:
            await agent.end()
            agent.devices.close()
