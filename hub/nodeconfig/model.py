"""What may be wished for a node, and the configuration that follows from it. Pure.

A wish (`NodeProfile`) holds what people decide; places and rated watts are facts of the registry. Bounds are
the wire contract's own: a wish is judged by composing the message and decoding it again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from msgspec import Struct, convert, to_builtins

from hub.nodeconfig.words import FIELDS_VI
from protocol import (
    SCHEMA_VERSION,
    AgentRelease,
    Config,
    DecodeError,
    DimmingStep,
    Kind,
    PoleConfig,
    decode,
    encode,
)

Standing = Literal["own", "pending", "in_force", "refused"]
"""`own`: nothing was ever wished, the node runs by its own file."""

_BOUND = re.compile(r"(>=?|<=?) (-?[\d.]+)")
_PATH = re.compile(r"\$\.(?:poles\[(\d+)\]\.)?([a-z_.0-9\[\]]+)")
_NOON_MIN = 12 * 60
_DAY_MIN = 24 * 60


class LampProfile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How lamps burn through a night; the fields are those of `protocol.PoleConfig`."""

    dusk_offset_min: float = 0.0
    dawn_offset_min: float = 0.0
    dimming: list[DimmingStep] = []
    motion_level: float | None = None
    motion_hold_s: float = 120.0
    power_tolerance_share: float = 0.25


class NodeProfile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What people decide for one node; the defaults are those of a node's own file."""

    sample_interval_s: float = 30.0
    report_interval_s: float | None = None
    heartbeat_s: int = 30
    lamp: LampProfile = LampProfile()
    lamps: dict[str, LampProfile] = {}
    """Poles that differ from `lamp`, by code."""
    agent: AgentRelease | None = None


class PoleFacts(Struct, frozen=True, kw_only=True):
    """What the registry knows of a pole; degrees WGS 84, watts."""

    pole: str
    latitude: float
    longitude: float
    lamp_rated_w: float


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a wish, and where: `lamp.dusk_offset_min`, `lamps.TG-0042.dimming`."""

    field: str
    message: str
    message_vi: str


class ConfigRefusedError(ValueError):
    """The wish makes no configuration; `fault` says why."""

    def __init__(self, field: str, message: str, message_vi: str) -> None:
        super().__init__(f"{field}: {message}")
        self.fault = Fault(field, message, message_vi)


def compose(node: str, version: int, profile: NodeProfile, facts: Sequence[PoleFacts]) -> Config:
    """The message for a node; raises ConfigRefusedError for a wish outside the contract or without sense."""
    _check_sense(profile, facts)
    config = Config(
        v=SCHEMA_VERSION,
        node=node,
        version=version,
        sample_interval_s=profile.sample_interval_s,
        report_interval_s=profile.report_interval_s,
        heartbeat_s=profile.heartbeat_s,
        poles=[_pole(one, profile.lamps.get(one.pole, profile.lamp)) for one in facts],
        agent=profile.agent,
    )
    try:
        return decode(Kind.CONFIG, encode(config), node=node)
    except DecodeError as error:
        raise _outside(error, profile, facts) from None


def standing(desired: int | None, in_force: int | None, *, refused: bool) -> Standing:
    """How the version wished and the version the node reports stand to each other."""
    if desired is None:
        return "own"
    if in_force == desired:
        return "in_force"
    return "refused" if refused else "pending"


def profile_from(plain: object) -> NodeProfile:
    """A wish from plain JSON values; raises msgspec.ValidationError for another shape."""
    return convert(plain, NodeProfile)


def profile_to(profile: NodeProfile) -> dict[str, object]:
    """A wish as plain JSON values."""
    plain: dict[str, object] = to_builtins(profile)
    return plain


def _pole(facts: PoleFacts, lamp: LampProfile) -> PoleConfig:
    return PoleConfig(
        pole=facts.pole,
        latitude=facts.latitude,
        longitude=facts.longitude,
        lamp_rated_w=facts.lamp_rated_w,
        dusk_offset_min=lamp.dusk_offset_min,
        dawn_offset_min=lamp.dawn_offset_min,
        dimming=lamp.dimming,
        motion_level=lamp.motion_level,
        motion_hold_s=lamp.motion_hold_s,
        power_tolerance_share=lamp.power_tolerance_share,
    )


def _check_sense(profile: NodeProfile, facts: Sequence[PoleFacts]) -> None:
    if not facts:
        raise ConfigRefusedError(
            "node", "the registry has no pole of this node", "nút này chưa có cột đèn nào trong danh sách"
        )
    strange = sorted(set(profile.lamps) - {one.pole for one in facts})
    if strange:
        raise ConfigRefusedError(
            f"lamps.{strange[0]}",
            f"{strange[0]} is not a pole of this node",
            f"{strange[0]} không phải cột của nút này",
        )
    for where, lamp in (
        ("lamp", profile.lamp),
        *((f"lamps.{code}", one) for code, one in profile.lamps.items()),
    ):
        _check_dimming(f"{where}.dimming", lamp)


def _check_dimming(field: str, lamp: LampProfile) -> None:
    minutes = [_minute_of_night(step.at) for step in lamp.dimming]
    if None not in minutes and minutes != sorted(set(minutes), key=lambda one: one or 0):
        raise ConfigRefusedError(
            field,
            "steps must follow each other through the night, from noon to noon, each hour once",
            "các mốc giờ phải theo thứ tự trong đêm (từ trưa hôm trước đến trưa hôm sau), không trùng nhau",
        )
    if lamp.motion_level is not None and lamp.dimming:
        lowest = min(step.level for step in lamp.dimming)
        if lamp.motion_level <= lowest:
            raise ConfigRefusedError(
                field.replace("dimming", "motion_level"),
                f"motion would raise nothing: no step is darker than {lamp.motion_level:g}",
                "mức khi có người phải sáng hơn mức thấp nhất trong đêm",
            )


def _minute_of_night(at: str) -> int | None:
    """Minutes since noon; None for what is no hour, which the contract refuses in its own words."""
    hours, _, minutes = at.partition(":")
    if not (hours.isdecimal() and minutes.isdecimal()):
        return None
    return (int(hours) * 60 + int(minutes) - _NOON_MIN) % _DAY_MIN


def _outside(error: DecodeError, profile: NodeProfile, facts: Sequence[PoleFacts]) -> ConfigRefusedError:
    """The contract's refusal in the words of the form."""
    path = _PATH.search(error.detail)
    index, name = (path[1], path[2]) if path else (None, "node")
    field = name
    if index is not None:
        code = facts[int(index)].pole
        field = f"lamps.{code}.{name}" if code in profile.lamps else f"lamp.{name}"
    bound = _BOUND.search(error.detail)
    known = FIELDS_VI.get(re.split(r"[.\[]", name)[0], name)
    limit = f"phải {_SIGNS[bound[1]]} {float(bound[2]):g}" if bound else "không hợp lệ"
    return ConfigRefusedError(field, error.detail.split(" - at ")[0], f"{known}: {limit}")


_SIGNS = {">=": "từ", ">": "lớn hơn", "<=": "không quá", "<": "nhỏ hơn"}
