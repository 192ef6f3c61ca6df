"""A profile's example frames: played to the profile, they must give the readings that stand beside them.

So a device can be described, and its description checked, where no such device is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from edge.drivers.ports import DriverError
from edge.firmware_bridge.board import lamp_write, read_firmware
from edge.firmware_bridge.meter import read_battery, read_meter, reset_energy
from edge.firmware_bridge.modbus.frames import Reply, Request, find_reply
from edge.firmware_bridge.modbus.turns import Ask, SilentError
from edge.firmware_bridge.profile import EXAMPLES, Profile, ProfileError
from edge.firmware_bridge.recognise import is_of


class ExampleExchange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One question and its answer, in hex."""

    request: str
    reply: str
    note: str = ""
    """Where the frames are from."""


class ExampleLamp(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is written to bring one output to a level."""

    channel: int = 1
    level: float
    request: str
    reply: str


class Examples(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file beside a profile."""

    address: int = 1
    exchanges: list[ExampleExchange]
    meter: dict[str, float] | None = None
    battery: dict[str, float] | None = None
    firmware: str | None = None
    lamps: list[ExampleLamp] = []
    resets_energy: bool = False


def check(path: Path) -> list[str]:
    """What was checked of the profile in this file, in words; raises ProfileError for what doesn't hold."""
    profile = Profile.read(path)
    beside = path.with_name(path.stem + EXAMPLES)
    try:
        examples = msgspec.toml.decode(beside.read_bytes(), type=Examples)
    except OSError as error:
        raise ProfileError(f"{beside}: cannot be read: {error.strerror}") from None
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise ProfileError(f"{beside}: {error}") from None
    return list(_checks(profile, examples, beside))


def _checks(profile: Profile, examples: Examples, beside: Path) -> Iterator[str]:
    ask = _player(examples, beside)
    unit = examples.address
    for role, given, wanted, read in (
        ("meter", profile.meter, examples.meter, lambda: read_meter(ask, profile, unit)),
        ("battery", profile.battery, examples.battery, lambda: read_battery(ask, profile, unit)),
    ):
        if (given is None) != (wanted is None):
            raise ProfileError(f"{beside}: [{role}] belongs into both files or neither")
        if wanted is not None:
            yield f"{role}: {_same(beside, role, _run(beside, read), wanted)}"
    if profile.firmware is not None or examples.firmware is not None:
        firmware = _run(beside, lambda: read_firmware(ask, profile, unit))
        yield f"firmware: {_same(beside, 'firmware', firmware, examples.firmware)}"
    if profile.lamp is not None and not examples.lamps:
        raise ProfileError(f"{beside}: [[lamps]] is missing: what is written to light one")
    for lamp in examples.lamps:
        if profile.lamp is None:
            raise ProfileError(f"{beside}: [[lamps]] without [lamp] in the profile")
        request = lamp_write(profile.lamp, unit, lamp.channel, profile.lamp.raw(lamp.level))
        _same(beside, "a lamp's request", request.frame().hex(" "), _bytes(lamp.request).hex(" "))
        if not isinstance(find_reply(_bytes(lamp.reply), request), Reply):
            raise ProfileError(f"{beside}: {lamp.reply} is no reply to {lamp.request}")
        yield f"lamp channel {lamp.channel} at {lamp.level}: {lamp.request}"
    if examples.resets_energy:
        _run(beside, lambda: reset_energy(ask, profile, unit))
        yield "energy reset: answered"
    if not _run(beside, lambda: is_of(ask, profile, unit)):
        raise ProfileError(f"{beside}: the profile's [[signs]] do not recognise the device by these frames")
    yield "signs: recognised"


def _player(examples: Examples, beside: Path) -> Ask:
    answers = {_bytes(pair.request): _bytes(pair.reply) for pair in examples.exchanges}

    def ask(request: Request) -> Reply:
        frame = request.frame()
        if frame not in answers:
            raise ProfileError(f"{beside}: there is no exchange with the request {frame.hex(' ').upper()}")
        found = find_reply(answers[frame], request)
        if not isinstance(found, Reply):
            raise ProfileError(f"{beside}: {answers[frame].hex(' ').upper()} is no reply to its request")
        return found

    return ask


def _run(beside: Path, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except ProfileError:
        raise
    except (DriverError, SilentError) as error:
        raise ProfileError(f"{beside}: {error}") from None


def _same(beside: Path, what: str, found: Any, wanted: Any) -> Any:
    plain = msgspec.to_builtins(found)
    if plain != wanted:
        raise ProfileError(f"{beside}: {what} is {plain}, not {wanted}")
    return plain


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ProfileError(f"{text!r} is not bytes in hex") from None
