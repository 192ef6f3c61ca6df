"""A point as InfluxDB's line protocol: every field under its name, nothing for what is unknown."""

from __future__ import annotations

import msgspec

from hub.telemetry.line_protocol import lines
from hub.telemetry.port import CameraPoint
from tests.support.points import BARE


def test_what_is_unknown_has_no_field() -> None:
    assert lines(BARE) == (
        "pole_sample,commune=tram-than,node=tg-0001,pole=TG-0001"
        ' seq=7i,epoch="e1",received_ms=1782000000456i,synced=true,historical=false'
        ',effect_level=1.0,reason="photocell" 1782000000123000007'
    )


def test_every_field_has_its_name_and_a_number_is_a_float() -> None:
    point = msgspec.structs.replace(
        BARE,
        clock="unsynced",
        historical=True,
        commanded_level=0.5,
        power_w=60,
        voltage_v=224.1,
        current_a=0.29,
        power_factor=0.97,
        energy_wh=1e-7,
        dark=False,
    )
    assert lines(point).split(" ")[1] == (
        'seq=7i,epoch="e1",received_ms=1782000000456i,synced=false,historical=true,effect_level=1.0'
        ',reason="photocell",commanded_level=0.5,power_w=60.0,voltage_v=224.1,current_a=0.29'
        ",power_factor=0.97,energy_wh=1e-07,dark=false"
    )


def test_each_camera_has_a_line_of_its_own() -> None:
    cameras = (CameraPoint("cam 1", True, 12), CameraPoint("cam2", False, None))
    pole, first, second = lines(msgspec.structs.replace(BARE, cameras=cameras)).split("\n")
    assert ",camera_reachable=0.5 " in pole
    assert first == (
        "camera_check,camera=cam\\ 1,commune=tram-than,node=tg-0001,pole=TG-0001"
        " reachable=1.0,latency_ms=12.0 1782000000123000007"
    )
    assert second.split(" ")[1] == "reachable=0.0"


def test_words_and_names_are_escaped() -> None:
    point = msgspec.structs.replace(BARE, pole="A,B=C D", reason='a"b\\c')
    assert "pole=A\\,B\\=C\\ D " in lines(point)
    assert 'reason="a\\"b\\\\c"' in lines(point)
