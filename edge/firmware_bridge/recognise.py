"""Which kind of device answers: its profile's signs, read and judged."""

from __future__ import annotations

from edge.firmware_bridge.modbus.frames import identification_of, read_identification
from edge.firmware_bridge.modbus.turns import Ask
from edge.firmware_bridge.profile import Profile, Sign
from edge.firmware_bridge.values import read_words, value_in


def is_of(ask: Ask, profile: Profile, unit: int) -> bool:
    """Whether all signs of this profile hold; raises SilentError, ModbusRefusalError."""
    return all(_holds(ask, profile, unit, sign) for sign in profile.signs)


def _holds(ask: Ask, profile: Profile, unit: int, sign: Sign) -> bool:
    if sign.identification is not None:
        names = identification_of(ask(read_identification(unit))).values()
        return any(sign.identification.casefold() in name.casefold() for name in names)
    assert sign.value is not None, "Sign refuses to have neither"
    value = value_in(read_words(ask, unit, profile.blocks([sign.value])), sign.value)
    return value is not None and sign.low <= value <= sign.high
