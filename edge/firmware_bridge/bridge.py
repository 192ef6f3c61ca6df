"""All serial lines of a node, and the devices on them, built from its settings."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path

from edge.config.lamp import LampSettings
from edge.config.serial_line import BatterySettings, MeterSettings, SerialLineSettings
from edge.drivers.ports import DriverError
from edge.firmware_bridge.board import Board, BoardLamp, Notice
from edge.firmware_bridge.meter import ModbusBattery, ModbusMeter
from edge.firmware_bridge.modbus.line import Line
from edge.firmware_bridge.modbus.port import OpenPort, open_serial
from edge.firmware_bridge.profile import Profile, Profiles

NOTICES_AT_MOST = 1000
"""What waits to be told; the oldest go first."""


class Bridge:
    """Hands out the devices of a node's lines. `notices` is filled by the lines' threads, newest last."""

    def __init__(
        self,
        lines: Sequence[SerialLineSettings],
        *,
        profiles_dir: Path | None = None,
        open_port: OpenPort = open_serial,
    ) -> None:
        self.notices: deque[Notice] = deque(maxlen=NOTICES_AT_MOST)
        self.lines = {settings.name: self._line(settings, open_port) for settings in lines}
        self._profiles = Profiles(profiles_dir)
        self._boards: dict[tuple[str, int], Board] = {}
        self._on_unit: dict[tuple[str, int], str] = {}

    def meter(self, settings: MeterSettings) -> ModbusMeter:
        """The meter of these settings; raises ProfileError, DriverError."""
        line, profile = self._find(settings.line, settings.profile, settings.address)
        return ModbusMeter(line, profile, settings.address)

    def battery(self, settings: BatterySettings) -> ModbusBattery:
        """The charge controller of these settings; raises ProfileError, DriverError."""
        line, profile = self._find(settings.line, settings.profile, settings.address)
        return ModbusBattery(line, profile, settings.address)

    def lamp(self, settings: LampSettings, pole: str) -> BoardLamp:
        """The lamp of these settings, which hangs at `pole`; raises ProfileError, DriverError."""
        line, profile = self._find(settings.line, settings.profile, settings.address)
        key = (line.settings.name, settings.address)
        board = self._boards.get(key)
        if board is None:
            board = self._boards[key] = Board(
                line,
                profile,
                settings.address,
                hold_s=settings.hold_s,
                safe_level=settings.safe_level,
                tell=self.notices.append,
            )
        lamp = BoardLamp(board, settings.channel, active_high=settings.active_high)
        board.poles.append(pole)
        return lamp

    def start(self) -> None:
        """Begin to look after the boards. Meters are read when they are asked."""
        for (line, address), board in self._boards.items():
            self.lines[line].keep(address, board)

    def close(self) -> None:
        """End all lines' work."""
        for line in self.lines.values():
            line.close()

    def _line(self, settings: SerialLineSettings, open_port: OpenPort) -> Line:
        def on_change(what: str, why: str) -> None:
            lost = what == "serial_line_lost"
            detail = {"line": settings.name} | ({"error": why[:200]} if lost else {})
            self.notices.append(Notice("serial_line_lost", active=lost, detail={**detail}))

        return Line(settings, on_change=on_change, open_port=open_port)

    def _find(self, line: str | None, profile: str | None, address: int) -> tuple[Line, Profile]:
        assert line is not None, "the settings refuse a serial device without its line"
        assert profile is not None, "the settings refuse a serial device without its profile"
        known = self._on_unit.setdefault((line, address), profile)
        if known != profile:
            raise DriverError(f"address {address} on line {line} is {known} and {profile}: it can be one")
        return self.lines[line], self._profiles.get(profile)
