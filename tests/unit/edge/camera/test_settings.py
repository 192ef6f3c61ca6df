from typing import Any

import msgspec
import pytest
from gpiozero.pins.mock import MockFactory

from edge.camera.asking.onvif import OnvifDevice
from edge.camera.asking.recording_folder import RecordingFolder
from edge.camera.asking.rtsp import RtspStream
from edge.camera.asking.snapshot import HttpSnapshot
from edge.camera.asking.stream_picture import StreamPicture
from edge.camera.build import build_camera
from edge.config import CameraSettings
from edge.drivers.gpio_camera_power import GpioCameraPower
from edge.drivers.mock_camera import MockCameraPower

RTSP = "rtsp://192.168.1.20:554/sub"


def settings(**given: Any) -> CameraSettings:
    return msgspec.convert(
        {"code": "CAM-1", "driver": "tcp", "host": "192.168.1.20", **given}, CameraSettings
    )


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"host": None}, "needs `host`"),
        ({"driver": "mock", "rtsp_url": RTSP}, "asks nothing of a network"),
        ({"user": "watch"}, "go together"),
        ({"rtsp_url": "rtsp://watch:secret@192.168.1.20/sub"}, "rtsp_url"),
        ({"snapshot_url": "https://192.168.1.20/a.jpg"}, "snapshot_url"),
        ({"recorder_url": "http://r/onvif", "recording_folder": "/mnt"}, "not both"),
        ({"decode_stream": True}, "needs `rtsp_url`"),
        (
            {"decode_stream": True, "rtsp_url": RTSP, "snapshot_url": "http://192.168.1.20/a"},
            "no `snapshot_url`",
        ),
        ({"overlays": [[0, 0, 1.2, 1]]}, "overlays"),
        ({"power": {"driver": "gpio"}}, "needs `pin`"),
        ({"passwort_file": "x"}, "unknown field"),
    ],
)
def test_settings_that_can_not_be_meant_are_refused(given: dict[str, Any], why: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=why):
        settings(**given)


def test_only_what_is_configured_is_asked() -> None:
    bare = build_camera(settings())
    assert (bare.stream, bare.snapshot, bare.clock, bare.recorder, bare.power) == (None,) * 5
    whole = build_camera(
        settings(
            rtsp_url=RTSP,
            snapshot_url="http://192.168.1.20/a.jpg",
            onvif_url="http://192.168.1.20/onvif/device_service",
            recording_folder="/mnt/recorder",
            power={"driver": "mock"},
        )
    )
    assert isinstance(whole.stream, RtspStream)
    assert isinstance(whole.snapshot, HttpSnapshot)
    assert isinstance(whole.clock, OnvifDevice)
    assert isinstance(whole.recorder, RecordingFolder)
    assert isinstance(whole.power, MockCameraPower)
    assert isinstance(build_camera(settings(rtsp_url=RTSP, decode_stream=True)).snapshot, StreamPicture)
    assert isinstance(build_camera(settings(recorder_url="http://r/onvif")).recorder, OnvifDevice)


@pytest.mark.parametrize("cut_when_high", [True, False])
def test_the_relay_feeds_the_camera_unless_told_otherwise(cut_when_high: bool) -> None:
    factory = MockFactory()
    relay = GpioCameraPower(22, cut_when_high=cut_when_high, pin_factory=factory)
    pin = factory.pin(22)
    fed = not cut_when_high
    assert (relay.powered(), bool(pin.state)) == (True, fed), "from its first moment"
    relay.set_powered(False)
    assert (relay.powered(), bool(pin.state)) == (False, not fed)
    relay.set_powered(True)
    assert (relay.powered(), bool(pin.state)) == (True, fed)
    relay.close()
    assert pin.function == "input", "the wiring's safe state"
    factory.reset()
