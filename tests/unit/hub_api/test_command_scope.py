"""Whom a wish for many reaches: by place, by what hangs there, and who has to be left out."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from hub.commands.scope import CameraState, Scope, choose


@dataclass
class Pole:
    code: str
    node: str | None
    commune_code: str = "tram-than"
    hamlet: str = "Khu 1"
    feeder: str = "F1"
    programme: str = "Ngọn đèn an ninh"
    group: str = "Tổ 1"
    cameras: tuple[str, ...] = ()


POLES = [
    Pole("TG-0001", "tg-0001", cameras=("CAM-1", "CAM-2")),
    Pole("TG-0002", "tg-0002", hamlet="Khu 2", feeder="F2", group="Tổ 2", cameras=("CAM-3",)),
    Pole("TG-0003", None, programme="Camera an ninh", cameras=("CAM-4",)),
    Pole("HT-0001", "ht-0001", commune_code="ha-hoa"),
]
DOWN = CameraState(reachable=False, stream=None, powered=True)


@pytest.mark.parametrize(
    ("scope", "codes"),
    [
        (Scope("commune", "tram-than"), ["TG-0001", "TG-0002"]),
        (Scope("hamlet", "tram-than", "Khu 1"), ["TG-0001"]),
        (Scope("hamlet", "tram-than", ""), []),
        (Scope("feeder", "tram-than", "F2"), ["TG-0002"]),
        (Scope("group", "ha-hoa", "Tổ 1"), ["HT-0001"]),
        (Scope("programme", None, "Ngọn đèn an ninh"), ["TG-0001", "TG-0002", "HT-0001"]),
        (Scope("programme", "tram-than", "Ngọn đèn an ninh"), ["TG-0001", "TG-0002"]),
        (Scope("poles", poles=("HT-0001", "TG-0002")), ["TG-0002", "HT-0001"]),
    ],
)
def test_a_scope_is_where_a_pole_hangs(scope: Scope, codes: list[str]) -> None:
    assert [one.pole for one in choose(scope, "lamp_auto", POLES, {}).addressees] == codes


def test_who_cannot_be_commanded_is_named_with_the_reason() -> None:
    wish = Scope("poles", poles=("TG-0003", "TG-0009", "TG-0001", "TG-0009"))
    chosen = choose(wish, "lamp_auto", POLES, {})
    assert [(one.pole, one.reason) for one in chosen.left_out] == [
        ("TG-0009", "no_such_pole"),
        ("TG-0003", "no_node"),
    ]
    assert [one.pole for one in chosen.addressees] == ["TG-0001"]


def test_only_cameras_known_to_hang_are_restarted_and_only_where_there_is_a_relay() -> None:
    known = {
        "CAM-1": DOWN,
        "CAM-2": CameraState(reachable=True, stream="live", powered=True),
        "CAM-3": CameraState(reachable=True, stream="no_media", powered=None),
        "CAM-4": DOWN,
    }
    chosen = choose(Scope("commune", "tram-than"), "camera_cycle", POLES, known)
    assert [one.camera for one in chosen.addressees] == ["CAM-1"]
    assert {(one.camera, one.reason) for one in chosen.left_out} == {
        ("CAM-3", "no_relay"),
        ("CAM-4", "no_node"),
    }


@pytest.mark.parametrize("stream", ["unauthorised", "not_found", "live"])
def test_a_wrong_password_is_nothing_that_a_restart_mends(stream: str) -> None:
    known = {"CAM-1": CameraState(reachable=True, stream=stream, powered=True)}
    assert not choose(Scope("commune", "tram-than"), "camera_cycle", POLES, known).addressees


def test_all_cameras_are_all_that_may_have_a_relay() -> None:
    known = {"CAM-1": CameraState(reachable=True, stream="live", powered=True)}
    chosen = choose(Scope("feeder", "tram-than", "F1"), "camera_cycle", POLES, known, which="all")
    assert [one.camera for one in chosen.addressees] == ["CAM-1", "CAM-2"]
