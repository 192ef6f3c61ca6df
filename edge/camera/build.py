"""From a camera's settings to its probes. What is not configured stays unloaded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from edge.camera.devices import (
    CameraDevices,
    CameraPower,
    DeviceClock,
    Recorder,
    SnapshotSource,
    StreamProbe,
)
from edge.config.camera import CameraPowerSettings, CameraSettings

if TYPE_CHECKING:
    from edge.camera.asking.auth import Credentials


def build_camera(settings: CameraSettings) -> CameraDevices:
    """The probes of one camera. Raises DriverError where its relay's pin can't be had."""
    power = _power(settings.power)
    if settings.driver == "mock":
        from edge.drivers.mock_camera import MockCamera

        return CameraDevices(reach=MockCamera(), power=power)
    from edge.drivers.tcp_camera import TcpCamera

    assert settings.host is not None, "CameraSettings refuses a tcp camera without a host"
    return CameraDevices(
        reach=TcpCamera(settings.host, settings.port),
        stream=_stream(settings),
        snapshot=_snapshot(settings),
        clock=_clock(settings),
        recorder=_recorder(settings),
        power=power,
    )


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _credentials(settings: CameraSettings) -> Callable[[], Credentials | None]:
    from edge.camera.asking.auth import Credentials, read_password

    user, file = settings.user, settings.password_file
    if user is None or file is None:
        return lambda: None
    return lambda: Credentials(user, read_password(file))


def _stream(settings: CameraSettings) -> StreamProbe | None:
    if settings.rtsp_url is None:
        return None
    from edge.camera.asking.rtsp import RtspStream

    return RtspStream(settings.rtsp_url, _credentials(settings))


def _snapshot(settings: CameraSettings) -> SnapshotSource | None:
    if settings.decode_stream:
        from edge.camera.asking.stream_picture import StreamPicture

        assert settings.rtsp_url is not None, "CameraSettings refuses decode_stream without rtsp_url"
        return StreamPicture(settings.rtsp_url, _credentials(settings))
    if settings.snapshot_url is None:
        return None
    from edge.camera.asking.snapshot import HttpSnapshot

    return HttpSnapshot(settings.snapshot_url, _credentials(settings))


def _clock(settings: CameraSettings) -> DeviceClock | None:
    if settings.onvif_url is None:
        return None
    from edge.camera.asking.onvif import OnvifDevice

    return OnvifDevice(settings.onvif_url, _credentials(settings), now=_utc_now)


def _recorder(settings: CameraSettings) -> Recorder | None:
    if settings.recorder_url is not None:
        from edge.camera.asking.onvif import OnvifDevice

        return OnvifDevice(settings.recorder_url, _credentials(settings), now=_utc_now)
    if settings.recording_folder is not None:
        from edge.camera.asking.recording_folder import RecordingFolder

        return RecordingFolder(settings.recording_folder, now=_utc_now)
    return None


def _power(settings: CameraPowerSettings) -> CameraPower | None:
    if settings.driver == "none":
        return None
    if settings.driver == "mock":
        from edge.drivers.mock_camera import MockCameraPower

        return MockCameraPower()
    from edge.drivers.gpio_camera_power import GpioCameraPower

    assert settings.pin is not None, "CameraPowerSettings refuses a gpio relay without a pin"
    return GpioCameraPower(settings.pin, cut_when_high=settings.cut_when_high)
