"""Points as InfluxDB line protocol. Built here because the client library's builder costs 30 µs a point.

Two measurements: `pole_sample` (tags commune, node, pole) and `camera_check` (also camera). The format:
https://docs.influxdata.com/influxdb/v1/write_protocols/line_protocol_reference/
"""

from __future__ import annotations

from functools import lru_cache

from hub.telemetry.port import Point

POLE_SAMPLE = "pole_sample"
CAMERA_CHECK = "camera_check"

_TAG = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ ", "\n": "\\n"})
_BOOL = {True: "true", False: "false"}
_STRING = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": "\\n"})


def lines(point: Point) -> str:
    """One line for the pole and one per camera; a field that is unknown is left out.

    After an outage everything that waited comes through here as fast as it can: so no loop over names, and
    what a node says again and again is escaped once.
    """
    tags = _tags(point.commune, point.node, point.pole)
    stamp = timestamp_ns(point)
    found = (
        f'{POLE_SAMPLE},{tags} seq={point.seq}i,epoch="{point.epoch}",received_ms={point.received_ms}i'
        f",synced={_BOOL[point.clock == 'synced']},historical={_BOOL[point.historical]}"
        f',effect_level={float(point.effect_level)!r},reason="{_quoted(point.reason)}"'
    )
    if (level := point.commanded_level) is not None:
        found += f",commanded_level={float(level)!r}"
    if (power_w := point.power_w) is not None:
        found += f",power_w={float(power_w)!r}"
    if (voltage_v := point.voltage_v) is not None:
        found += f",voltage_v={float(voltage_v)!r}"
    if (current_a := point.current_a) is not None:
        found += f",current_a={float(current_a)!r}"
    if (power_factor := point.power_factor) is not None:
        found += f",power_factor={float(power_factor)!r}"
    if (energy_wh := point.energy_wh) is not None:
        found += f",energy_wh={float(energy_wh)!r}"
    if (dark := point.dark) is not None:
        found += f",dark={_BOOL[dark]}"
    if not point.cameras:
        return f"{found} {stamp}"
    reachable = sum(camera.reachable for camera in point.cameras) / len(point.cameras)
    all_lines = [f"{found},camera_reachable={reachable!r} {stamp}"]
    for camera in point.cameras:
        latency = f",latency_ms={float(camera.latency_ms)!r}" if camera.latency_ms is not None else ""
        all_lines.append(
            f"{CAMERA_CHECK},camera={tag(camera.camera)},{tags}"
            f" reachable={float(camera.reachable)!r}{latency} {stamp}"
        )
    return "\n".join(all_lines)


def timestamp_ns(point: Point) -> int:
    """The filed millisecond, with the seq in its nanoseconds: the same point always overwrites itself,
    and two points of one pole in one millisecond stay two.
    """
    return point.time_ms * 1_000_000 + point.seq % 1_000_000


def tag(value: str) -> str:
    """A tag's value, escaped."""
    return value.translate(_TAG)


@lru_cache(maxsize=65_536)
def _tags(commune: str, node: str, pole: str) -> str:
    return f"commune={tag(commune)},node={tag(node)},pole={tag(pole)}"


@lru_cache(maxsize=1024)
def _quoted(text: str) -> str:
    return text.translate(_STRING)
