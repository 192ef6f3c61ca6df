"""What one node is told when it is set up: `node.toml`, typed, bounded, with unknown keys refused.

The reference for every key is docs/edge.md; a test holds the two together. Names carry their units.
"""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from protocol.messages import Code, Name

GpioPin = Annotated[int, Meta(ge=0, le=27, description="BCM number of a pin on the 40-pin header")]
Port = Annotated[int, Meta(ge=1, le=65_535)]
Seconds = Annotated[float, Meta(ge=0, le=3600)]


class ConfigError(Exception):
    """The configuration can't be used. The text names the file, the key and what is expected."""


class LampSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The output that switches a lamp. `mock` drives nothing and remembers its level."""

    driver: Literal["gpio", "mock"]
    pin: GpioPin | None = None
    active_high: bool = True
    """True: a high pin lights the lamp. Wire the relay so that a pin left as an input lights it too."""

    def __post_init__(self) -> None:
        """A relay hangs on a pin."""
        if self.driver == "gpio" and self.pin is None:
            raise ValueError('driver = "gpio" needs `pin`')


class PhotocellSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The light sensor, and how long its word must hold before it is believed."""

    driver: Literal["gpio", "mock", "none"] = "none"
    pin: GpioPin | None = None
    dark_when_high: bool = True
    dark_after_s: Seconds = 20.0
    """A passing cloud or hand does not light the lamp."""
    light_after_s: Seconds = 180.0
    """Headlights and lightning do not put it out."""

    def __post_init__(self) -> None:
        """A sensor hangs on a pin."""
        if self.driver == "gpio" and self.pin is None:
            raise ValueError('driver = "gpio" needs `pin`')


class MeterSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The energy meter in the lamp's circuit."""

    driver: Literal["pzem004t", "mock", "none"] = "none"
    port: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    """The serial line's device; several poles' meters may hang on one."""
    address: Annotated[int, Meta(ge=1, le=247)] = 1

    def __post_init__(self) -> None:
        """A meter hangs on a line."""
        if self.driver == "pzem004t" and self.port is None:
            raise ValueError('driver = "pzem004t" needs `port`, such as "/dev/serial0"')


class CameraSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A camera whose port is knocked at. `mock` answers without a network."""

    code: Code
    driver: Literal["tcp", "mock"]
    host: Annotated[str, Meta(max_length=253)] | None = None
    port: Port = 554

    def __post_init__(self) -> None:
        """A camera on the network has an address."""
        if self.driver == "tcp" and not self.host:
            raise ValueError('driver = "tcp" needs `host`')


class PoleSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One pole and what hangs on it."""

    code: Code
    latitude: Annotated[float, Meta(ge=-90, le=90)]
    longitude: Annotated[float, Meta(ge=-180, le=180)]
    lamp_rated_w: Annotated[float, Meta(gt=0, le=20_000)]
    lamp: LampSettings
    photocell: PhotocellSettings = PhotocellSettings()
    meter: MeterSettings = MeterSettings()
    cameras: Annotated[list[CameraSettings], Meta(max_length=32)] = []

    def __post_init__(self) -> None:
        """Made-up watts never stand beside a real lamp."""
        if self.meter.driver == "mock" and self.lamp.driver != "mock":
            raise ValueError('meter driver "mock" measures a mock lamp only: use "none" beside a real one')


class BrokerSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the messages go. The three files are one node's identity: all or none."""

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    port: Port = 8883
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    will_delay_s: Annotated[int, Meta(ge=0, le=3600)] = 30
    """A reconnect within this time is nobody's alarm."""
    keepalive_s: Annotated[int, Meta(ge=5, le=600)] = 30
    reconnect_max_s: Annotated[float, Meta(ge=0.1, le=600)] = 60.0
    """The longest pause between attempts; each is shortened at random so that nodes spread out."""

    @property
    def tls(self) -> bool:
        """Whether this connection has an identity and is encrypted."""
        return self.ca_file is not None

    def __post_init__(self) -> None:
        """An identity is complete, and what is not encrypted stays on this machine."""
        given = [self.ca_file, self.cert_file, self.key_file]
        if any(given) and not all(given):
            raise ValueError(
                "`ca_file`, `cert_file` and `key_file` belong together: give all three or none"
            )
        if not any(given) and not _is_loopback(self.host):
            raise ValueError(
                f"`host` {self.host!r} is another machine: plain text is for loopback only, "
                "give `ca_file`, `cert_file` and `key_file`"
            )


class NodeConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything one agent needs to know, except what the hub may change later (`config` messages)."""

    node: Name
    commune: Name
    data_dir: str
    """Where the outbox lives; relative to the configuration's own folder."""
    broker: BrokerSettings
    poles: Annotated[list[PoleSettings], Meta(min_length=1, max_length=64)]
    clock: Literal["kernel", "trusted"] = "kernel"
    """`kernel` asks the kernel whether time is synchronised; `trusted` takes this machine's as right."""
    heartbeat_s: Annotated[int, Meta(ge=1, le=3600)] = 30
    sample_interval_s: Annotated[float, Meta(ge=0.05, le=3600)] = 30.0
    camera_interval_s: Annotated[float, Meta(ge=0.5, le=3600)] = 30.0
    lamp_settle_s: Annotated[float, Meta(ge=0, le=60)] = 2.0
    """From switching to the measurement that goes into the receipt."""
    override_max_h: Annotated[float, Meta(gt=0, le=24 * 31)] = 24.0 * 7
    """A longer override is refused: one that nobody remembers must end."""
    outbox_max_items: Annotated[int, Meta(ge=100, le=5_000_000)] = 200_000
    """When the hub is away longer than this reaches, the oldest samples make room, and that is reported."""

    def __post_init__(self) -> None:
        """Codes name one thing each, and so do addresses on a line."""
        for what, codes in (
            ("pole", [pole.code for pole in self.poles]),
            ("camera", [camera.code for pole in self.poles for camera in pole.cameras]),
        ):
            twice = sorted({code for code in codes if codes.count(code) > 1})
            if twice:
                raise ValueError(f"{what} code {twice[0]} stands twice")
        meters = [(pole.meter.port, pole.meter.address) for pole in self.poles if pole.meter.port]
        shared = sorted({meter for meter in meters if meters.count(meter) > 1})
        if shared:
            port, address = shared[0]
            raise ValueError(f"meter address {address} stands twice on {port}")


def load(path: Path) -> NodeConfig:
    """Read a `node.toml`; relative paths in it count from its folder. Raises ConfigError."""
    try:
        config = msgspec.toml.decode(path.read_bytes(), type=NodeConfig)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {error}. The keys are explained in docs/edge.md") from None
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
    return msgspec.structs.replace(config, data_dir=str(folder / config.data_dir), broker=broker)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
