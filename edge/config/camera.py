"""A camera: how it is reached, what it is asked beyond that, and the relay that feeds it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from edge.config.bounds import GpioPin, Port
from protocol.messages import Code

RtspUrl = Annotated[str, Meta(pattern=r"^rtsp://[^@\s/]+(/\S*)?$", max_length=500)]
HttpUrl = Annotated[str, Meta(pattern=r"^http://[^@\s/]+(/\S*)?$", max_length=500)]
"""No password stands in an address: it would show in logs. Cameras' certificates prove nothing: no https."""
Share = Annotated[float, Meta(ge=0, le=1)]
Interval = Annotated[float, Meta(ge=10, le=86_400)]
Rounds = Annotated[int, Meta(ge=1, le=100)]


class CameraPowerSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The relay in a camera's supply. Wired so that a pin left as an input feeds the camera."""

    driver: Literal["gpio", "mock", "none"] = "none"
    pin: GpioPin | None = None
    cut_when_high: bool = True
    """True: a high pin takes the camera's power away."""
    off_s: Annotated[float, Meta(ge=1, le=120)] = 10.0
    after_rounds: Rounds = 10
    """So many rounds of `camera_interval_s` without port or stream make a hung camera."""
    first_pause_s: Annotated[float, Meta(ge=60, le=86_400)] = 600.0
    """From one cycle to the next at least; doubled with each that did not help."""
    longest_pause_s: Annotated[float, Meta(ge=60, le=86_400)] = 21_600.0
    per_day: Annotated[int, Meta(ge=0, le=24)] = 4
    """0: only by command."""

    def __post_init__(self) -> None:
        """A relay hangs on a pin."""
        if self.driver == "gpio" and self.pin is None:
            raise ValueError('driver = "gpio" needs `pin`')


class CameraSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A camera whose port is knocked at; what else is asked depends on what is given here.

    `mock` answers without a network.
    """

    code: Code
    driver: Literal["tcp", "mock"]
    host: Annotated[str, Meta(max_length=253)] | None = None
    port: Port = 554
    user: Annotated[str, Meta(max_length=64)] | None = None
    password_file: str | None = None
    """Mode 0600, one line. Read anew whenever it is needed."""
    rtsp_url: RtspUrl | None = None
    stream_interval_s: Interval = 120.0
    snapshot_url: HttpUrl | None = None
    decode_stream: bool = False
    """Take the pictures out of the stream instead (PyAV, extra `video`), where a camera has no snapshot."""
    picture_interval_s: Interval = 300.0
    infrared: bool = False
    """The camera lights its view itself: at night, too, it must show something without the lamp."""
    overlays: Annotated[list[tuple[Share, Share, Share, Share]], Meta(max_length=8)] = []
    """Where the camera writes into its picture, beyond 15 % at top and bottom: left, top, width, height."""
    onvif_url: HttpUrl | None = None
    clock_interval_s: Interval = 3600.0
    clock_tolerance_s: Annotated[float, Meta(ge=2, le=86_400)] = 30.0
    recorder_url: HttpUrl | None = None
    """The ONVIF device service of what records: the recorder's, or the camera's own."""
    recording_folder: str | None = None
    """Instead: where the recorder's share is mounted."""
    recording_interval_s: Interval = 900.0
    recording_gap_s: Annotated[float, Meta(ge=60, le=604_800)] = 1800.0
    fault_rounds: Rounds = 3
    """A fault must show in so many rounds running of its own probe before it is told."""
    power: CameraPowerSettings = CameraPowerSettings()

    def __post_init__(self) -> None:
        """A camera on the network has an address, and a password its user."""
        if self.driver == "tcp" and not self.host:
            raise ValueError('driver = "tcp" needs `host`')
        addresses = (
            self.rtsp_url,
            self.snapshot_url,
            self.onvif_url,
            self.recorder_url,
            self.recording_folder,
        )
        if self.driver == "mock" and any(address is not None for address in addresses):
            raise ValueError('driver = "mock" asks nothing of a network: leave the addresses out')
        if self.decode_stream and (self.rtsp_url is None or self.snapshot_url is not None):
            raise ValueError("`decode_stream` needs `rtsp_url`, and no `snapshot_url` beside it")
        if (self.user is None) != (self.password_file is None):
            raise ValueError("`user` and `password_file` go together")
        if self.recorder_url is not None and self.recording_folder is not None:
            raise ValueError("give `recorder_url` or `recording_folder`, not both")
