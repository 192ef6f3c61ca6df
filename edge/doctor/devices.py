"""What is wired, and what answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import msgspec

from edge.camera.devices import CameraDevices, ProbeError, SnapshotSource, StreamProbe
from edge.config import CabinetSettings, LampSettings, MeterSettings, NodeConfig, PoleSettings
from edge.devices import Devices, PoleDevices, build
from edge.doctor.findings import Finding, Patient, Words, fault, fine, left_out, warning
from edge.drivers.ports import DriverError

ANSWER_WITHIN_S = 8.0
BOARD_WITHIN_S = 3.0
WIRING = Words(
    "xem dây nối theo docs/edge-wiring.md và số chân trong cấu hình",
    "compare the wiring with docs/edge-wiring.md and the pins with the settings",
)
LINE = Words(
    "xem dây A/B, địa chỉ, tốc độ; thử: ngonden edge probe",
    "look at wires A/B, address and speed; try: ngonden edge probe",
)
CAMERA = Words(
    "xem nguồn và dây mạng của camera, địa chỉ trong cấu hình",
    "look at the camera's power and network cable, and the address in the settings",
)

PASSWORD = Words(
    "xem user và password_file của camera trong cấu hình",
    "see the camera's user and password_file in the settings",
)
STREAM_PATH = Words(
    "xem rtsp_url, snapshot_url trong cấu hình; khởi động lại camera",
    "see rtsp_url and snapshot_url in the settings; restart the camera",
)
STREAMS: dict[str, tuple[str, str]] = {
    "no_media": ("luồng mở được nhưng không có hình", "the stream opens and brings no pictures"),
    "unauthorised": ("camera từ chối mật khẩu", "the camera refuses the password"),
    "not_found": ("camera không có luồng này", "the camera has no such stream"),
    "refused": ("camera từ chối luồng", "the camera refuses the stream"),
    "no_answer": ("luồng không trả lời", "the stream does not answer"),
}


def check_devices(patient: Patient) -> list[Finding]:
    """Open and read every configured device, one pole after the other; cameras over the network."""
    found = []
    if patient.agent_pid is not None:
        found.append(
            left_out(
                "devices",
                f"chân và dây nối tiếp do phần mềm đang giữ (pid {patient.agent_pid}); dừng nó để thử",
                f"pins and serial lines are the running agent's (pid {patient.agent_pid}); stop it to try them",
            )
        )
        return [*found, *_cameras_alone(patient.config)]
    for pole in patient.config.poles:
        alone = msgspec.structs.replace(patient.config, poles=[pole], cabinet=CabinetSettings())
        found += _opened(pole.code, alone, partial(_pole, pole))
    bare = msgspec.structs.replace(patient.config, poles=[_bare(patient.config.poles[0])])
    return [*found, *_opened("cabinet", bare, partial(_cabinet, bare.cabinet))]


def _bare(pole: PoleSettings) -> PoleSettings:
    """This pole with nothing on it that anyone could touch."""
    return PoleSettings(
        code=pole.code,
        latitude=pole.latitude,
        longitude=pole.longitude,
        lamp_rated_w=pole.lamp_rated_w,
        lamp=LampSettings(driver="mock"),
        meter=MeterSettings(),
    )


def _opened(
    what: str, config: NodeConfig, read: Callable[[Devices], Awaitable[list[Finding]]]
) -> list[Finding]:
    async def open_and_read() -> list[Finding]:
        devices = build(config)
        try:
            return await read(devices)
        finally:
            devices.close()

    try:
        return asyncio.run(open_and_read())
    except DriverError as error:
        return [fault(what, f"không mở được: {error}", f"can't be opened: {error}", WIRING)]


async def _pole(settings: PoleSettings, all_devices: Devices) -> list[Finding]:
    devices = all_devices.poles[settings.code]
    found = [await _lamp(settings, devices)]
    for name, device, driver in (
        ("photocell", devices.photocell, settings.photocell.driver),
        ("motion", devices.motion, settings.motion.driver),
    ):
        if device is not None:
            asked = f"{settings.code} {name}"
            found.append(await _ask(asked, driver, _now(device.read), WIRING, TOLD[name]))
    if devices.meter is not None:
        name = f"{settings.code} meter"
        found.append(await _ask(name, settings.meter.driver, devices.meter.read, LINE, _watts))
    if devices.battery is not None:
        name = f"{settings.code} battery"
        found.append(await _ask(name, settings.battery.driver, devices.battery.read, LINE, _charge))
    for code, camera in devices.cameras.items():
        found += await look_through(code, camera)
    return found


async def _lamp(settings: PoleSettings, devices: PoleDevices) -> Finding:
    """The lamp's output is read, never switched: someone may stand on a ladder beside it."""
    name, driver = f"{settings.code} lamp", settings.lamp.driver
    deadline_s = time.monotonic() + (BOARD_WITHIN_S if driver == "serial" else 0.0)
    while True:
        try:
            level = devices.lamp.level()
            break
        except DriverError as error:
            if time.monotonic() >= deadline_s:
                return fault(name, str(error), str(error), LINE if driver == "serial" else WIRING)
            await asyncio.sleep(0.1)
    shown = "?" if level is None else f"{level:.0%}"
    return _as_mock(fine(name, f"ngõ ra mở được, mức {shown}", f"its output opens, level {shown}"), driver)


async def _cabinet(settings: CabinetSettings, all_devices: Devices) -> list[Finding]:
    devices, found = all_devices.cabinet, []
    for name, device, driver in (
        ("door", devices.door, settings.door.driver),
        ("supply", devices.supply, settings.supply.driver),
    ):
        if device is not None:
            found.append(await _ask(f"cabinet {name}", driver, _now(device.read), WIRING, TOLD[name]))
    if devices.temperature is not None:
        thermometer = settings.temperature.driver
        found.append(await _ask("cabinet heat", thermometer, devices.temperature.read, WIRING, _degrees))
    for number, phase in enumerate(devices.phases, 1):
        found.append(await _ask(f"phase {number} meter", "serial", phase.read, LINE, _watts))
    return found


def _now(read: Callable[[], object]) -> Callable[[], Awaitable[object]]:
    async def answer() -> object:
        return read()

    return answer


async def _ask(
    name: str,
    driver: str,
    read: Callable[[], Awaitable[object]],
    advice: Words,
    show: Callable[[object], Words],
) -> Finding:
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            answer = await read()
    except TimeoutError:
        answer = None
    except DriverError as error:
        return fault(name, str(error), str(error), advice)
    if answer is None:
        return fault(name, "không trả lời", "does not answer", advice)
    shown = show(answer)
    return _as_mock(fine(name, f"trả lời: {shown.vi}", f"answers: {shown.en}"), driver)


def _as_mock(finding: Finding, driver: str) -> Finding:
    if driver != "mock":
        return finding
    return warning(
        finding.check,
        f"thiết bị giả (mock): {finding.found.vi}",
        f"a mock device: {finding.found.en}",
        Words("ở trụ thật phải cấu hình thiết bị thật", "on a real pole configure the real device"),
    )


def _watts(reading: object) -> Words:
    text = " ".join(
        f"{value:g} {unit}"
        for field, unit in (("power_w", "W"), ("voltage_v", "V"), ("energy_wh", "Wh"))
        if (value := getattr(reading, field, None)) is not None
    )
    return Words(text, text)


def _charge(reading: object) -> Words:
    share = getattr(reading, "charge_share", None)
    text = f"{getattr(reading, 'battery_v', 0):g} V" + ("" if share is None else f", {share:.0%}")
    return Words(text, text)


def _degrees(reading: object) -> Words:
    text = f"{reading:.1f} °C"
    return Words(text, text)


def _either(yes: Words, no: Words) -> Callable[[object], Words]:
    return lambda reading: yes if reading else no


TOLD: dict[str, Callable[[object], Words]] = {
    "photocell": _either(Words("trời tối", "it is dark"), Words("trời sáng", "it is light")),
    "motion": _either(Words("có chuyển động", "something moves"), Words("đứng yên", "nothing moves")),
    "door": _either(Words("đang mở", "open"), Words("đang đóng", "closed")),
    "supply": _either(Words("có điện", "mains there"), Words("mất điện", "mains lost")),
}
"""What a yes or a no of these inputs means to a technician."""


def _cameras_alone(config: NodeConfig) -> Iterator[Finding]:
    """Cameras answer many at a time; the agent keeps its pins."""
    poles = [
        msgspec.structs.replace(_bare(pole), cameras=pole.cameras) for pole in config.poles if pole.cameras
    ]
    if not poles:
        return
    alone = msgspec.structs.replace(config, poles=poles, cabinet=CabinetSettings(), serial_lines=[])

    async def ask_all(devices: Devices) -> list[Finding]:
        cameras = [item for pole in devices.poles.values() for item in pole.cameras.items()]
        return [finding for code, camera in cameras for finding in await look_through(code, camera)]

    yield from _opened("cameras", alone, ask_all)


async def look_through(code: str, camera: CameraDevices) -> list[Finding]:
    """A camera's port, then its stream and one picture where they are configured."""
    answer = await camera.reach.probe()
    if not answer.reachable:
        return [fault(code, "không tới được", "can't be reached", CAMERA)]
    shown = "" if answer.latency_ms is None else f" ({answer.latency_ms:g} ms)"
    found = [fine(code, f"tới được{shown}", f"reached{shown}")]
    if camera.stream is not None:
        found.append(await _stream(code, camera.stream))
    if camera.snapshot is not None:
        found.append(await _picture(code, camera.snapshot))
    return found


async def _stream(code: str, stream: StreamProbe) -> Finding:
    try:
        result = await stream.probe()
    except DriverError as error:
        return fault(code, str(error), str(error), PASSWORD)
    if result.state == "live":
        return fine(code, f"có luồng hình {result.codec}", f"its stream runs, {result.codec}")
    vi, en = STREAMS[result.state]
    return fault(code, vi, en, PASSWORD if result.state == "unauthorised" else STREAM_PATH)


async def _picture(code: str, snapshot: SnapshotSource) -> Finding:
    try:
        jpeg = await snapshot.fetch()
    except (ProbeError, DriverError) as error:
        return fault(code, f"không có ảnh: {error}", f"no picture: {error}", STREAM_PATH)
    return fine(code, f"có ảnh, {len(jpeg) // 1000} kB", f"gives a picture, {len(jpeg) // 1000} kB")
