"""`node.toml`, whole: its top level, its poles, and the reading of the file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from edge.config.bounds import ConfigError
from edge.config.broker import BrokerSettings
from edge.config.camera import CameraSettings
from edge.config.diagnosis import DiagnosisSettings
from edge.config.inputs import CabinetSettings, MotionSettings
from edge.config.lamp import LampSettings, PhotocellSettings
from edge.config.link import LinkSettings
from edge.config.schedule import ScheduleSettings
from edge.config.serial_line import (
    BatterySettings,
    MeterSettings,
    SerialDevice,
    SerialLineSettings,
    check_lines,
)
from edge.config.update import UpdateSettings
from protocol.messages import Code, Name


class PoleSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One pole and what hangs on it."""

    code: Code
    latitude: Annotated[float, Meta(ge=-90, le=90)]
    longitude: Annotated[float, Meta(ge=-180, le=180)]
    lamp_rated_w: Annotated[float, Meta(gt=0, le=20_000)]
    lamp: LampSettings
    photocell: PhotocellSettings = PhotocellSettings()
    motion: MotionSettings = MotionSettings()
    meter: MeterSettings = MeterSettings()
    battery: BatterySettings = BatterySettings()
    schedule: ScheduleSettings = ScheduleSettings()
    power_tolerance_share: Annotated[float, Meta(ge=0.05, le=1)] = 0.25
    """How far the lamp's power may stray from the expected; the hub may change it."""
    camera_w: Annotated[float, Meta(ge=0, le=5000)] = 0.0
    """What cameras and the node draw at most behind the lamp's meter."""
    cameras: Annotated[list[CameraSettings], Meta(max_length=32)] = []

    def __post_init__(self) -> None:
        """Made-up watts never stand beside a real lamp."""
        if self.meter.driver == "mock" and self.lamp.driver != "mock":
            raise ValueError('meter driver "mock" measures a mock lamp only: use "none" beside a real one')


class NodeConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything one agent needs to know, except what the hub may change later (`config` messages)."""

    node: Name
    commune: Name
    data_dir: str
    """Where the outbox lives; relative to the configuration's own folder."""
    broker: BrokerSettings
    link: LinkSettings = LinkSettings()
    poles: Annotated[list[PoleSettings], Meta(min_length=1, max_length=64)]
    cabinet: CabinetSettings = CabinetSettings()
    diagnosis: DiagnosisSettings = DiagnosisSettings()
    serial_lines: Annotated[list[SerialLineSettings], Meta(max_length=8)] = []
    profiles_dir: str | None = None
    """A folder of device profiles beside those that are shipped; relative to the configuration's own."""
    clock: Literal["kernel", "trusted"] = "kernel"
    """`kernel` asks the kernel whether time is synchronised; `trusted` takes this machine's as right."""
    heartbeat_s: Annotated[int, Meta(ge=1, le=3600)] = 30
    sample_interval_s: Annotated[float, Meta(ge=0.05, le=3600)] = 30.0
    camera_interval_s: Annotated[float, Meta(ge=0.5, le=3600)] = 30.0
    lamp_settle_s: Annotated[float, Meta(ge=0, le=60)] = 2.0
    """From switching to the measurement that goes into the receipt."""
    override_max_h: Annotated[float, Meta(gt=0, le=24 * 31)] = 24.0 * 7
    """A longer override is refused: one that nobody remembers must end."""
    update: UpdateSettings = UpdateSettings()
    outbox_max_mb: Annotated[int, Meta(ge=4, le=4096)] = 64
    """Millions of bytes on disk. Beyond it the oldest samples make room, and that is reported."""
    outbox_max_days: Annotated[float, Meta(ge=1, le=3650)] = 30.0
    """Samples that the hub has not taken for so long are dropped, and that is reported."""

    def __post_init__(self) -> None:
        """Codes name one thing each, and so do addresses on a line."""
        for what, codes in (
            ("pole", [pole.code for pole in self.poles]),
            ("camera", [camera.code for pole in self.poles for camera in pole.cameras]),
        ):
            twice = sorted({code for code in codes if codes.count(code) > 1})
            if twice:
                raise ValueError(f"{what} code {twice[0]} stands twice")
        check_lines(self.serial_lines, self._serial_devices())

    def _serial_devices(self) -> Iterator[SerialDevice]:
        for pole in self.poles:
            yield SerialDevice.of(pole.lamp, f"lamp channel {pole.lamp.channel}", pole.code)
            yield SerialDevice.of(pole.meter, "meter", pole.code)
            yield SerialDevice.of(pole.battery, "battery", pole.code)
        for number, phase in enumerate(self.cabinet.phases, 1):
            yield SerialDevice.of(phase, "meter", f"phase {number}")


def load(path: Path) -> NodeConfig:
    """Read a `node.toml`; relative paths in it count from its folder. Raises ConfigError."""
    try:
        config = msgspec.toml.decode(path.read_bytes(), type=NodeConfig)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {error}. The keys are explained in docs/edge-settings.md") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from None
    return _with_paths_from(config, path.parent)


def _with_paths_from(config: NodeConfig, folder: Path) -> NodeConfig:
    def resolved(name: str | None) -> str | None:
        return None if name is None else str(folder / name)

    broker = msgspec.structs.replace(
        config.broker,
        ca_file=resolved(config.broker.ca_file),
        cert_file=resolved(config.broker.cert_file),
        key_file=resolved(config.broker.key_file),
    )
    poles = [
        msgspec.structs.replace(
            pole,
            cameras=[
                msgspec.structs.replace(
                    camera,
                    password_file=resolved(camera.password_file),
                    recording_folder=resolved(camera.recording_folder),
                )
                for camera in pole.cameras
            ],
        )
        for pole in config.poles
    ]
    return msgspec.structs.replace(
        config,
        data_dir=str(folder / config.data_dir),
        profiles_dir=resolved(config.profiles_dir),
        broker=broker,
        poles=poles,
    )
