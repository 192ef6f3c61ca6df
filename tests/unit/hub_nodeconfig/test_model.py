"""What may be wished for a node, and what follows from it."""

from __future__ import annotations

import pytest
from msgspec import ValidationError

from hub.nodeconfig.model import (
    ConfigRefusedError,
    LampProfile,
    NodeProfile,
    PoleFacts,
    compose,
    profile_from,
    profile_to,
    standing,
)
from hub.nodeconfig.words import FIELDS_VI
from protocol import AgentRelease, DimmingStep
from protocol.messages import Config, PoleConfig

FACTS = (
    PoleFacts(pole="TG-0101", latitude=21.47, longitude=105.25, lamp_rated_w=60),
    PoleFacts(pole="TG-0102", latitude=21.48, longitude=105.26, lamp_rated_w=80),
)


def steps(*hours: str, level: float = 0.5) -> list[DimmingStep]:
    return [DimmingStep(at=at, level=level) for at in hours]


def refusal(profile: NodeProfile, facts: tuple[PoleFacts, ...] = FACTS) -> ConfigRefusedError:
    with pytest.raises(ConfigRefusedError) as refused:
        compose("tg-tu-01", 1, profile, facts)
    return refused.value


def test_places_and_watts_come_from_the_registry_and_the_rest_from_the_wish() -> None:
    wish = NodeProfile(
        sample_interval_s=10,
        report_interval_s=300,
        heartbeat_s=600,
        lamp=LampProfile(dusk_offset_min=-10, dimming=steps("22:30", "04:30")),
        lamps={"TG-0102": LampProfile(motion_level=1.0, motion_hold_s=60)},
        agent=AgentRelease(version="0.2.0", sha256="a" * 64),
    )
    config = compose("tg-tu-01", 7, wish, FACTS)
    assert (config.version, config.sample_interval_s, config.report_interval_s) == (7, 10, 300)
    first, second = config.poles
    assert (first.pole, first.lamp_rated_w, first.dusk_offset_min) == ("TG-0101", 60, -10)
    assert [step.at for step in first.dimming] == ["22:30", "04:30"]
    assert (second.latitude, second.dimming, second.motion_level) == (21.48, [], 1.0)
    assert config.agent is not None


@pytest.mark.parametrize(
    ("profile", "field", "says", "says_vi"),
    [
        (NodeProfile(heartbeat_s=0), "heartbeat_s", ">= 1", "nhịp báo còn sống (giây): phải từ 1"),
        (NodeProfile(sample_interval_s=9000), "sample_interval_s", "<= 3600", "không quá 3600"),
        (NodeProfile(lamp=LampProfile(dusk_offset_min=-500)), "lamp.dusk_offset_min", ">= -120", "-120"),
        (
            NodeProfile(lamps={"TG-0102": LampProfile(power_tolerance_share=0)}),
            "lamps.TG-0102.power_tolerance_share",
            ">= 0.05",
            "độ lệch công suất",
        ),
        (NodeProfile(lamp=LampProfile(dimming=steps("25:00"))), "lamp.dimming[0].at", "regex", "mốc giờ"),
        (
            NodeProfile(lamp=LampProfile(dimming=steps("22:00", level=2))),
            "lamp.dimming[0].level",
            "1.0",
            "1",
        ),
        (NodeProfile(agent=AgentRelease(version="1", sha256="short")), "agent.sha256", "regex", "phần mềm"),
    ],
)
def test_bounds_are_those_of_the_contract_told_in_the_words_of_the_form(
    profile: NodeProfile, field: str, says: str, says_vi: str
) -> None:
    fault = refusal(profile).fault
    assert fault.field == field
    assert says in fault.message
    assert says_vi in fault.message_vi


@pytest.mark.parametrize(
    "hours", [("22:00", "21:00"), ("22:00", "22:00"), ("04:30", "22:00"), ("11:59", "12:00")]
)
def test_steps_follow_each_other_through_the_night(hours: tuple[str, ...]) -> None:
    fault = refusal(NodeProfile(lamp=LampProfile(dimming=steps(*hours)))).fault
    assert fault.field == "lamp.dimming"
    assert "theo thứ tự" in fault.message_vi


def test_a_night_goes_over_midnight() -> None:
    wish = NodeProfile(
        lamp=LampProfile(dimming=steps("12:00", "22:00", "23:59", "00:00", "04:30", "11:59"))
    )
    assert len(compose("tg-tu-01", 1, wish, FACTS).poles[0].dimming) == 6


def test_motion_must_raise_something() -> None:
    dim = LampProfile(dimming=steps("22:00", level=0.6), motion_level=0.6)
    assert refusal(NodeProfile(lamp=dim)).fault.field == "lamp.motion_level"
    compose("tg-tu-01", 1, NodeProfile(lamp=LampProfile(motion_level=0.6)), FACTS)


def test_a_pole_of_another_node_is_refused_and_a_node_without_poles_too() -> None:
    assert refusal(NodeProfile(lamps={"TG-0999": LampProfile()})).fault.field == "lamps.TG-0999"
    assert refusal(NodeProfile(), ()).fault.field == "node"


def test_a_wish_survives_as_json_and_a_stranger_field_does_not() -> None:
    wish = NodeProfile(lamps={"TG-0101": LampProfile(dimming=steps("22:30"))})
    assert profile_from(profile_to(wish)) == wish
    with pytest.raises(ValidationError):
        profile_from({"sample_interval": 3})


@pytest.mark.parametrize(
    ("desired", "in_force", "refused", "word"),
    [
        (None, 0, False, "own"),
        (None, 4, True, "own"),
        (3, None, False, "pending"),
        (3, 2, False, "pending"),
        (3, 2, True, "refused"),
        (3, 3, True, "in_force"),
        (3, 5, True, "refused"),
    ],
)
def test_how_the_wish_and_the_node_stand(
    desired: int | None, in_force: int | None, refused: bool, word: str
) -> None:
    assert standing(desired, in_force, refused=refused) == word


def test_every_field_has_its_vietnamese_name() -> None:
    fields = {*Config.__struct_fields__, *PoleConfig.__struct_fields__} - {"v", "node", "version", "pole"}
    assert fields == set(FIELDS_VI)
