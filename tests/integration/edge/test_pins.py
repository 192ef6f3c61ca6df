"""A whole agent on gpiozero's mock pins: every driver on a pin, from its setting to what the hub hears."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPWMPin

from edge.config import NodeConfig
from protocol import EventMessage
from tests.integration.edge.conftest import RunningAgent
from tests.support.hub_side import HubSide, eventually
from tests.support.mosquitto import Mosquitto
from tests.support.nodes import NODE, node_config

pytestmark = pytest.mark.servers

DIMMER, RELAY, PHOTOCELL, MOTION, DOOR, MAINS = 12, 5, 27, 22, 23, 24
DIMMED = 0.4


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    factory = MockFactory(pin_class=MockPWMPin)
    was, Device.pin_factory = Device.pin_factory, factory
    yield factory
    Device.pin_factory = was
    factory.close()


def all_wired(data: Path, port: int) -> NodeConfig:
    dimming = [{"at": f"{hour:02}:00", "level": DIMMED} for hour in range(0, 24, 2)]
    pole = {
        "lamp": {
            "driver": "analogue",
            "pin": DIMMER,
            "relay_pin": RELAY,
            "curve": [[0.1, 1.0], [1.0, 10.0]],
        },
        "photocell": {"driver": "gpio", "pin": PHOTOCELL, "dark_after_s": 0, "light_after_s": 0},
        "motion": {"driver": "gpio", "pin": MOTION},
        "meter": {"driver": "none"},
        "schedule": {"dimming": dimming, "motion_level": 1.0, "motion_hold_s": 1, "min_on_s": 0},
    }
    cabinet = {
        "door": {"driver": "gpio", "pin": DOOR, "debounce_s": 0.2},
        "supply": {"driver": "gpio", "pin": MAINS},
    }
    return node_config(data, port=port, pole=pole, cabinet=cabinet, sample_interval_s=0.5)


def told(hub: HubSide) -> list[tuple[str, bool | None]]:
    """Beginnings and ends, each once."""
    messages = [message for message in hub.heard if isinstance(message, EventMessage)]
    by_seq = {event.seq: event for message in messages for event in message.events}
    return [(event.kind, event.active) for event in by_seq.values() if event.active is not None]


async def test_every_pin_does_what_its_wire_says(
    tmp_path: Path, broker: Mosquitto, hub: HubSide, pins: MockFactory
) -> None:
    hub.confirms = True
    # A door that is closed, mains that is there, nothing that moves; the photocell's wire is cut: dark.
    config = all_wired(tmp_path / "data", broker.port)
    agent = RunningAgent(config)
    for pin in (DOOR, MAINS, MOTION):
        pins.pin(pin).drive_low()

    def level_is(level: float) -> bool:
        return pins.pin(DIMMER).state == pytest.approx(level) and bool(pins.pin(RELAY).state) == (level > 0)

    await eventually(lambda: level_is(DIMMED), what="the night's profile")
    pins.pin(MOTION).drive_high()
    await eventually(lambda: level_is(1.0), what="light for someone who comes")
    pins.pin(MOTION).drive_low()
    await eventually(lambda: level_is(DIMMED), what="the profile again")

    pins.pin(DOOR).drive_high()
    await eventually(lambda: ("cabinet_door_open", True) in told(hub), what="the open door")
    pins.pin(MAINS).drive_high()
    await eventually(lambda: ("supply_loss", True) in told(hub), what="the power cut")
    pins.pin(MAINS).drive_low()
    pins.pin(DOOR).drive_low()
    await eventually(
        lambda: {("supply_loss", False), ("cabinet_door_open", False)} <= set(told(hub)), what="their ends"
    )
    newest = await eventually(lambda: hub.samples(NODE)[-1].cabinet, what="a cabinet in the sample")
    assert newest is not None
    assert newest.supply_present is not None
    await agent.end()
    agent.devices.close()
    assert pins.pin(DIMMER).function == pins.pin(RELAY).function == "input", "the wiring's safe state"
