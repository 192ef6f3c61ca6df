"""From a node's configuration to the devices of its poles; the one place that knows driver names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from edge.camera.build import build_camera
from edge.camera.devices import CameraDevices
from edge.config import BatterySettings, CabinetSettings, NodeConfig, PoleSettings
from edge.drivers.ports import (
    Battery,
    DoorContact,
    LampDriver,
    Meter,
    MotionSensor,
    Photocell,
    SupplyInput,
    Thermometer,
)

if TYPE_CHECKING:
    from edge.firmware_bridge.bridge import Bridge


@dataclass(frozen=True, slots=True)
class PoleDevices:
    """What hangs on one pole. Cameras stand under their codes."""

    lamp: LampDriver
    photocell: Photocell | None = None
    _: KW_ONLY
    motion: MotionSensor | None = None
    meter: Meter | None = None
    battery: Battery | None = None
    cameras: Mapping[str, CameraDevices] = field(default_factory=dict)

    def close(self) -> None:
        """Let go of every pin and line; the lamp's wiring takes its safe state."""
        for device in (self.photocell, self.motion, self.meter, self.battery, self.lamp):
            if device is not None:
                device.close()
        for camera in self.cameras.values():
            camera.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class CabinetDevices:
    """What hangs on the node as a whole. `phases` are the feeder-head's meters, one per phase."""

    door: DoorContact | None = None
    temperature: Thermometer | None = None
    supply: SupplyInput | None = None
    phases: Sequence[Meter] = ()

    def close(self) -> None:
        """Let go of every pin and line."""
        for device in (self.door, self.supply, *self.phases):
            if device is not None:
                device.close()


@dataclass(frozen=True, slots=True)
class Devices:
    """Everything that hangs on one node, the poles' by their codes."""

    poles: Mapping[str, PoleDevices]
    cabinet: CabinetDevices = field(default_factory=CabinetDevices)
    bridge: Bridge | None = None
    """The serial lines, where there are any."""

    def close(self) -> None:
        """Let go of everything."""
        for pole in self.poles.values():
            pole.close()
        self.cabinet.close()
        if self.bridge is not None:
            self.bridge.close()


def build(config: NodeConfig) -> Devices:
    """The devices that a node is configured with. Libraries of hardware that is not configured stay unloaded.

    Raises DriverError where a pin or a line can't be had.
    """
    bridge = _build_bridge(config)
    devices = Devices(
        poles={pole.code: _build_pole(pole, bridge) for pole in config.poles},
        cabinet=_build_cabinet(config.cabinet, bridge),
        bridge=bridge,
    )
    if bridge is not None:
        bridge.start()
    return devices


def _build_bridge(config: NodeConfig) -> Bridge | None:
    if not config.serial_lines:
        return None
    from edge.firmware_bridge.bridge import Bridge

    folder = None if config.profiles_dir is None else Path(config.profiles_dir)
    return Bridge(config.serial_lines, profiles_dir=folder)


def _build_pole(pole: PoleSettings, bridge: Bridge | None) -> PoleDevices:
    lamp = _build_lamp(pole, bridge)
    return PoleDevices(
        lamp=lamp,
        photocell=_build_photocell(pole),
        motion=_build_motion(pole),
        meter=_build_meter(pole, lamp, bridge),
        battery=_build_battery(pole.battery, bridge),
        cameras={camera.code: build_camera(camera) for camera in pole.cameras},
    )


def _build_cabinet(settings: CabinetSettings, bridge: Bridge | None) -> CabinetDevices:
    return CabinetDevices(
        door=_build_door(settings),
        temperature=_build_thermometer(settings),
        supply=_build_supply(settings),
        phases=[_on_line(bridge).meter(phase) for phase in settings.phases],
    )


def _on_line(bridge: Bridge | None) -> Bridge:
    assert bridge is not None, "NodeConfig refuses a serial device without its line"
    return bridge


def _build_lamp(pole: PoleSettings, bridge: Bridge | None) -> LampDriver:
    if pole.lamp.driver == "mock":
        from edge.drivers.mock_lamp import MockLamp

        return MockLamp()
    if pole.lamp.driver == "serial":
        return _on_line(bridge).lamp(pole.lamp, pole.code)
    from edge.drivers.gpio_lamp import RelayLamp

    lamp = pole.lamp
    assert lamp.pin is not None, "NodeConfig refuses a lamp on a pin without its number"
    if lamp.driver == "gpio":
        return RelayLamp(lamp.pin, active_high=lamp.active_high)
    from edge.drivers.dimmed_lamp import STRAIGHT, DimmedLamp

    relay = None
    if lamp.relay_pin is not None:
        relay = RelayLamp(lamp.relay_pin, active_high=lamp.relay_active_high)
    in_duty = [(level, volts / 10) for level, volts in lamp.curve]
    return DimmedLamp(
        lamp.pin,
        active_high=lamp.active_high,
        frequency_hz=lamp.frequency_hz,
        min_level=lamp.min_level,
        curve=STRAIGHT if lamp.driver == "pwm" else in_duty,
        relay=relay,
    )


def _build_photocell(pole: PoleSettings) -> Photocell | None:
    settings = pole.photocell
    if settings.driver == "none":
        return None
    if settings.driver == "mock":
        from edge.drivers.mock_photocell import MockPhotocell

        return MockPhotocell()
    if settings.driver == "mcp3008":
        from edge.drivers.mcp3008_photocell import AnaloguePhotocell

        return AnaloguePhotocell(
            settings.channel, dark_below=settings.dark_below, light_above=settings.light_above
        )
    from edge.drivers.gpio_photocell import PhotocellInput

    assert settings.pin is not None, "NodeConfig refuses a gpio photocell without a pin"
    return PhotocellInput(settings.pin, dark_when_high=settings.dark_when_high)


def _build_motion(pole: PoleSettings) -> MotionSensor | None:
    settings = pole.motion
    if settings.driver == "none":
        return None
    if settings.driver == "mock":
        from edge.drivers.mock_inputs import MockMotion

        return MockMotion()
    from edge.drivers.gpio_input import MotionInput

    assert settings.pin is not None, "NodeConfig refuses a gpio motion sensor without a pin"
    return MotionInput(settings.pin, active_high=settings.active_high)


def _build_meter(pole: PoleSettings, lamp: LampDriver, bridge: Bridge | None) -> Meter | None:
    if pole.meter.driver == "none":
        return None
    if pole.meter.driver == "serial":
        return _on_line(bridge).meter(pole.meter)
    from edge.drivers.mock_lamp import MockLamp
    from edge.drivers.mock_meter import MockMeter

    assert isinstance(lamp, MockLamp), "NodeConfig refuses a mock meter beside a real lamp"
    return MockMeter(lamp, lamp_rated_w=pole.lamp_rated_w)


def _build_battery(settings: BatterySettings, bridge: Bridge | None) -> Battery | None:
    if settings.driver == "none":
        return None
    if settings.driver == "serial":
        return _on_line(bridge).battery(settings)
    from edge.drivers.mock_inputs import MockBattery

    return MockBattery()


def _build_door(settings: CabinetSettings) -> DoorContact | None:
    if settings.door.driver == "none":
        return None
    if settings.door.driver == "mock":
        from edge.drivers.mock_inputs import MockDoor

        return MockDoor()
    from edge.drivers.gpio_input import DoorInput

    assert settings.door.pin is not None, "NodeConfig refuses a gpio door contact without a pin"
    return DoorInput(settings.door.pin)


def _build_thermometer(settings: CabinetSettings) -> Thermometer | None:
    if settings.temperature.driver == "none":
        return None
    if settings.temperature.driver == "mock":
        from edge.drivers.mock_inputs import MockThermometer

        return MockThermometer()
    from edge.drivers.thermometer import CpuThermometer, Ds18b20

    return CpuThermometer() if settings.temperature.driver == "cpu" else Ds18b20(settings.temperature.id)


def _build_supply(settings: CabinetSettings) -> SupplyInput | None:
    supply = settings.supply
    if supply.driver == "none":
        return None
    if supply.driver == "mock":
        from edge.drivers.mock_inputs import MockSupply

        return MockSupply()
    from edge.drivers.gpio_input import MainsInput

    assert supply.pin is not None, "NodeConfig refuses a gpio supply input without a pin"
    return MainsInput(supply.pin, present_when_high=supply.present_when_high)
