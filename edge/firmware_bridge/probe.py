"""Who answers on a line, what it is, and what it says: by asking each address for each profile's signs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from edge.drivers.ports import DriverError
from edge.firmware_bridge.board import read_firmware
from edge.firmware_bridge.meter import read_battery, read_meter, read_values, reset_energy
from edge.firmware_bridge.modbus.exchange import Exchange, ModbusRefusalError
from edge.firmware_bridge.modbus.frames import Reply, Request, write_register
from edge.firmware_bridge.modbus.turns import Ask, SilentError
from edge.firmware_bridge.profile import Profile, values_of
from edge.firmware_bridge.recognise import is_of
from edge.firmware_bridge.values import read_words


class ProbeError(DriverError):
    """What was asked of a device can't be done. The text says why."""


@dataclass(frozen=True, slots=True)
class Found:
    """One address that answers. `profiles` are those whose signs all hold; none is an unknown kind."""

    address: int
    profiles: tuple[str, ...]
    firmware: str | None = None
    reading: dict[str, Any] = field(default_factory=dict)
    trouble: str | None = None
    """Why there is no reading."""


class Prober:
    """Looks at the addresses of one open line."""

    def __init__(self, exchange: Exchange, profiles: Sequence[Profile]) -> None:
        self._exchange = exchange
        self._profiles = profiles

    def look(self, address: int) -> Found | None:
        """Who answers at this address; None when nobody does. OSError: the adapter is gone."""
        ask, alive, matching = self._asker(), False, []
        for profile in self._profiles:
            try:
                if is_of(ask, profile, address):
                    matching.append(profile)
                alive = True
            except SilentError:
                continue
            except ModbusRefusalError:
                alive = True
        if not matching:
            return Found(address, ()) if alive else None
        return _described(ask, matching, address)

    def readdress(self, address: int, new_address: int) -> Found:
        """Give the device at `address` another one; raises ProbeError."""
        profile = self._only(address, "address_register")
        assert profile.address_register is not None
        if self.look(new_address) is not None:
            raise ProbeError(f"address {new_address} is taken: something answers there already")
        # Whether the answer comes from the old address or the new one differs: look instead.
        self._exchange.ask(write_register(address, profile.address_register, new_address), attempts=1)
        found = self.look(new_address)
        if found is None:
            raise ProbeError(
                f"nothing answers at {new_address} yet; some devices want their power cut once"
            )
        return found

    def reset_energy(self, address: int) -> Found:
        """Set the total of the meter at `address` to 0; raises ProbeError."""
        profile = self._only(address, "reset_energy_function")
        try:
            reset_energy(self._asker(), profile, address)
        except SilentError:
            raise ProbeError(f"address {address} did not confirm the reset") from None
        found = self.look(address)
        if found is None:
            raise ProbeError(f"address {address} does not answer any more")
        return found

    def _only(self, address: int, key: str) -> Profile:
        """The profile with this key that the device at `address` matches; raises ProbeError."""
        found = self.look(address)
        if found is None:
            raise ProbeError(f"nothing answers at address {address}")
        for profile in self._profiles:
            if profile.name in found.profiles and (
                getattr(profile, key, None) is not None or getattr(profile.meter, key, None) is not None
            ):
                return profile
        names = ", ".join(found.profiles) or "an unknown device"
        raise ProbeError(f"address {address} is {names}: there is no `{key}` for it")

    def _asker(self) -> Ask:
        """Asks each question once, also where several profiles want to know the same."""
        known: dict[bytes, Reply | ModbusRefusalError | None] = {}

        def ask(request: Request) -> Reply:
            frame = request.frame()
            if frame not in known:
                known[frame] = self._once(request)
            match known[frame]:
                case None:
                    raise SilentError
                case ModbusRefusalError() as refusal:
                    raise refusal
                case reply:
                    return reply

        return ask

    def _once(self, request: Request) -> Reply | ModbusRefusalError | None:
        damaged = self._exchange.counts.damaged
        try:
            reply = self._exchange.ask(request, attempts=1)
            if reply is None and self._exchange.counts.damaged > damaged:
                reply = self._exchange.ask(request, attempts=2)
        except ModbusRefusalError as refusal:
            return refusal
        return reply


def addresses_in(text: str) -> list[int]:
    """`1-32,100` as addresses in order; raises ValueError."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        found.update(range(int(first), int(last or first) + 1))
    if not found or min(found) < 1 or max(found) > 247:
        raise ValueError(f"{text!r}: Modbus addresses are 1 to 247")
    return sorted(found)


def _described(ask: Ask, matching: Sequence[Profile], address: int) -> Found:
    names = tuple(profile.name for profile in matching)
    profile = matching[0]
    try:
        firmware = read_firmware(ask, profile, address)
        return Found(address, names, firmware, dict(_values(ask, profile, address)))
    except SilentError:
        return Found(address, names, trouble="it stopped answering")
    except DriverError as error:
        return Found(address, names, trouble=str(error))


def _values(ask: Ask, profile: Profile, address: int) -> Iterator[tuple[str, Any]]:
    if profile.meter is not None:
        yield from msgspec.to_builtins(read_meter(ask, profile, address)).items()
    if profile.battery is not None:
        yield from msgspec.to_builtins(read_battery(ask, profile, address)).items()
    if profile.lamp is not None:
        block = profile.lamp.read_block()
        words = read_words(ask, address, [block])
        yield "levels", [round(profile.lamp.level(word), 3) for word in words.values()]
    yield from read_values(ask, profile, address, values_of(profile.board)).items()
