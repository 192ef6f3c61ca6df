"""What one node is told when it is set up: `node.toml`, typed, bounded, with unknown keys refused.

The reference for every key is docs/edge-settings.md; a test holds the two together. Names carry their units.
"""

from edge.config.bounds import ConfigError
from edge.config.broker import BrokerSettings
from edge.config.camera import CameraSettings
from edge.config.diagnosis import DiagnosisSettings
from edge.config.inputs import (
    CabinetSettings,
    DoorSettings,
    MotionSettings,
    SupplySettings,
    TemperatureSettings,
)
from edge.config.lamp import LampSettings, PhotocellSettings
from edge.config.link import LinkSettings
from edge.config.node import NodeConfig, PoleSettings, load
from edge.config.schedule import ScheduleSettings
from edge.config.serial_line import BatterySettings, MeterSettings, SerialLineSettings

__all__ = [
    "BatterySettings",
    "BrokerSettings",
    "CabinetSettings",
    "CameraSettings",
    "ConfigError",
    "DiagnosisSettings",
    "DoorSettings",
    "LampSettings",
    "LinkSettings",
    "MeterSettings",
    "MotionSettings",
    "NodeConfig",
    "PhotocellSettings",
    "PoleSettings",
    "ScheduleSettings",
    "SerialLineSettings",
    "SupplySettings",
    "TemperatureSettings",
    "load",
]
