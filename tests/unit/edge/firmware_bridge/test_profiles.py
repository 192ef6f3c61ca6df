from __future__ import annotations

from pathlib import Path

import pytest

from edge.firmware_bridge.profile import SHIPPED, Profile, ProfileError, Profiles
from edge.firmware_bridge.profile_examples import check
from edge.firmware_bridge.values import Value

METER = """
title = "Some meter"
source = "its manual"
[[reads]]
function = 3
first = 100
count = 4
[[signs]]
value = { function = 3, register = 100 }
low = 100
high = 300
[meter]
power_w = { function = 3, register = 102, type = "u32", scale = 0.1 }
voltage_v = { function = 3, register = 100 }
"""
EXAMPLES = """
[[exchanges]]
request = "01 03 00 64 00 04 05 D6"
reply = "01 03 08 00 E6 00 00 00 00 02 59 D3 43"
[meter]
power_w = 60.1
voltage_v = 230.0
"""


@pytest.mark.parametrize("name", Profiles().names())
def test_a_profiles_example_frames_give_what_stands_beside_them(name: str) -> None:
    checked = check(SHIPPED / f"{name}.toml")
    assert checked[-1] == "signs: recognised"
    profile = Profiles().get(name)
    roles = [role for role in ("meter", "battery", "lamp") if getattr(profile, role) is not None]
    for role in roles:
        assert any(words.startswith(role) for words in checked)


def test_the_shipped_profiles_are_those_that_were_promised() -> None:
    promised = ["epever-tracer", "lamp-board", "pzem004t-100a", "relay-4", "relay-8", "sdm120"]
    assert Profiles().names() == promised


def test_a_meter_of_ones_own_is_a_file_and_its_frames(tmp_path: Path) -> None:
    (tmp_path / "some-meter.toml").write_text(METER)
    (tmp_path / "some-meter.examples.toml").write_text(EXAMPLES)
    profiles = Profiles(tmp_path)
    assert "some-meter" in profiles.names()
    assert profiles.get("some-meter").title == "Some meter"
    assert profiles.get("sdm120").name == "sdm120"
    assert check(tmp_path / "some-meter.toml")[0] == "meter: {'power_w': 60.1, 'voltage_v': 230.0}"


def test_a_file_of_ones_own_comes_before_the_shipped(tmp_path: Path) -> None:
    (tmp_path / "sdm120.toml").write_text(METER)
    assert Profiles(tmp_path).get("sdm120").title == "Some meter"


@pytest.mark.parametrize(
    ("good", "bad", "complaint"),
    [
        ("power_w = 60.1", "power_w = 61.0", "meter is .*60.1.*not .*61.0"),
        ("D3 43", "D3 4E", "is no reply to its request"),
        ("01 03 00 64", "01 03 00 65", "no exchange with the request 01 03 00 64"),
        ("[meter]\npower_w = 60.1\nvoltage_v = 230.0\n", "", "belongs into both files"),
        ('reply = "01', 'reply = "zz', "not bytes in hex"),
    ],
)
def test_examples_that_do_not_hold_say_which(tmp_path: Path, good: str, bad: str, complaint: str) -> None:
    assert good in EXAMPLES
    (tmp_path / "some-meter.toml").write_text(METER)
    (tmp_path / "some-meter.examples.toml").write_text(EXAMPLES.replace(good, bad))
    with pytest.raises(ProfileError, match=complaint):
        check(tmp_path / "some-meter.toml")


@pytest.mark.parametrize(
    ("good", "bad", "complaint"),
    [
        ("count = 4", "count = 3", "no `reads` covers function 3, register 0x0066"),
        ("count = 4", "count = 4\nfaction = 4", "unknown field `faction`"),
        (
            "[[signs]]",
            "[[reads]]\nfunction = 3\nfirst = 0\ncount = 4\n[[signs]]",
            "a late reply could be mistaken",
        ),
        ("power_w", "power_kw", "unknown field `power_kw`"),
        ('type = "u32"', 'type = "bit"', "functions 1 and 2 read"),
        ("low = 100", "low =", "is not TOML"),
    ],
)
def test_a_profile_that_cannot_work_is_refused(tmp_path: Path, good: str, bad: str, complaint: str) -> None:
    assert good in METER
    path = tmp_path / "some-meter.toml"
    path.write_text(METER.replace(good, bad))
    with pytest.raises(ProfileError, match=complaint) as refused:
        Profile.read(path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize(
    ("value", "words", "wanted"),
    [
        (Value(register=0, scale=0.1), [2284], 228.4),
        (Value(register=0, type="s16", scale=0.1), [0xFFCE], -5.0),
        (Value(register=0, type="s16", scale=0.1, absolute=True), [0xFFCE], 5.0),
        (Value(register=0, invalid=0x8000), [0x8000], None),
        (Value(register=0, type="u32"), [1, 2], 65538.0),
        (Value(register=0, type="u32", words="low_first"), [1, 2], 131073.0),
        (Value(register=0, type="s32"), [0xFFFF, 0xFFFE], -2.0),
        (Value(register=0, type="f32"), [0x4366, 0x0000], 230.0),
        (Value(register=0, type="f32", words="low_first"), [0x0000, 0x4366], 230.0),
        (Value(register=0, type="f32"), [0x7FC0, 0], None),
        (Value(register=0, type="f32"), [0x7F80, 0], None),
        (Value(function=1, register=0, type="bit"), [1], 1.0),
    ],
)
def test_registers_become_values(value: Value, words: list[int], wanted: float | None) -> None:
    assert value.of(words) == wanted
