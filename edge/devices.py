"""From a node's configuration to the devices of its poles; the one place that knows driver names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.camera.devices import CameraDevices
from edge.config import CameraSettings, NodeConfig, PoleSettings
from edge.drivers.ports import LampDriver, Meter, Photocell

if TYPE_CHECKING:
    from edge.firmware_bridge.modbus_rtu import ModbusLine


@dataclass(frozen=True, slots=True)
class PoleDevices:
    """What hangs on one pole. Cameras stand under their codes."""

    lamp: LampDriver
    photocell: Photocell | None = None
    meter: Meter | None = None
    cameras: Mapping[str, CameraDevices] = field(default_factory=dict)

    def close(self) -> None:
        """Let go of every pin and line; the lamp's wiring takes its safe state."""
        for device in (self.photocell, self.meter, self.lamp):
            if device is not None:
                device.close()


def build(config: NodeConfig) -> Mapping[str, PoleDevices]:
    """The devices of every pole by its code. Libraries of hardware that is not configured stay unloaded.

    Raises DriverError where a pin or a line can't be had.
    """
    lines: dict[str, ModbusLine] = {}
    return {pole.code: _build_pole(pole, lines) for pole in config.poles}


def _build_pole(pole: PoleSettings, lines: dict[str, ModbusLine]) -> PoleDevices:
    lamp = _build_lamp(pole)
    return PoleDevices(
        lamp=lamp,
        photocell=_build_photocell(pole),
        meter=_build_meter(pole, lamp, lines),
        cameras={camera.code: _build_camera(camera) for camera in pole.cameras},
    )


def _build_lamp(pole: PoleSettings) -> LampDriver:
    if pole.lamp.driver == "mock":
        from edge.drivers.mock_lamp import MockLamp

        return MockLamp()
    from edge.drivers.gpio_lamp import RelayLamp

    assert pole.lamp.pin is not None, "NodeConfig refuses a gpio lamp without a pin"
    return RelayLamp(pole.lamp.pin, active_high=pole.lamp.active_high)


def _build_photocell(pole: PoleSettings) -> Photocell | None:
    settings = pole.photocell
    if settings.driver == "none":
        return None
    if settings.driver == "mock":
        from edge.drivers.mock_photocell import MockPhotocell

        return MockPhotocell()
    from edge.drivers.gpio_photocell import PhotocellInput

    assert settings.pin is not None, "NodeConfig refuses a gpio photocell without a pin"
    return PhotocellInput(settings.pin, dark_when_high=settings.dark_when_high)


def _build_meter(pole: PoleSettings, lamp: LampDriver, lines: dict[str, ModbusLine]) -> Meter | None:
    if pole.meter.driver == "none":
        return None
    if pole.meter.driver == "pzem004t":
        from edge.firmware_bridge.modbus_rtu import ModbusLine
        from edge.firmware_bridge.pzem004t import Pzem004t

        assert pole.meter.port is not None, "NodeConfig refuses a pzem004t without a port"
        line = lines.setdefault(pole.meter.port, ModbusLine(pole.meter.port))
        return Pzem004t(line, address=pole.meter.address)
    from edge.drivers.mock_lamp import MockLamp
    from edge.drivers.mock_meter import MockMeter

    assert isinstance(lamp, MockLamp), "NodeConfig refuses a mock meter beside a real lamp"
    return MockMeter(lamp, lamp_rated_w=pole.lamp_rated_w)


def _build_camera(camera: CameraSettings) -> CameraDevices:
    if camera.driver == "mock":
        from edge.drivers.mock_camera import MockCamera

        return CameraDevices(reach=MockCamera())
    from edge.drivers.tcp_camera import TcpCamera

    assert camera.host is not None, "NodeConfig refuses a tcp camera without a host"
    return CameraDevices(reach=TcpCamera(camera.host, camera.port))
