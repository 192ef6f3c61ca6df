"""The serial port under a line: what a line asks of it, and pyserial's behind it."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, cast

from edge.drivers.ports import DriverError

if TYPE_CHECKING:
    from edge.config.serial_line import SerialLineSettings

POLL_S = 0.02
"""How long one read of a port waits for a byte."""
WRITE_WITHIN_S = 1.0


class SerialPort(Protocol):
    """An open port. Every call may raise OSError: the adapter is gone."""

    @property
    def in_waiting(self) -> int:
        """Bytes that have come and were not read."""
        ...

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; fewer, or none, after `POLL_S`."""
        ...

    def write(self, data: bytes, /) -> object:
        """Send these."""
        ...

    def close(self) -> None:
        """Let go of the port."""
        ...


OpenPort = Callable[["SerialLineSettings"], SerialPort]


class PortError(DriverError):
    """The port can't be opened. The text says what to do about it."""


class PortMissingError(PortError):
    """No such device: the adapter is not plugged in, or its path is another."""


class PortForbiddenError(PortError):
    """This user may not open it."""


class PortBusyError(PortError):
    """Another process has it."""


def open_serial(settings: SerialLineSettings) -> SerialPort:
    """Open the line's port for this process alone; raises PortError."""
    import serial

    try:
        return cast(
            SerialPort,
            serial.Serial(
                settings.port,
                settings.baud,
                parity=settings.parity[0].upper(),
                stopbits=settings.stop_bits,
                timeout=POLL_S,
                write_timeout=WRITE_WITHIN_S,
                exclusive=True,
            ),
        )
    except (OSError, ValueError) as error:
        raise explained(settings.port, error) from error


def explained(port: str, error: Exception) -> PortError:
    """The opening's failure in words that say what to do."""
    number = getattr(error, "errno", None)
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return PortMissingError(f"serial line {port}: there is no such device. Is the adapter plugged in?")
    if number in (errno.EACCES, errno.EPERM):
        return PortForbiddenError(
            f"serial line {port}: permission denied. Add the user to the group dialout "
            "(sudo usermod -a -G dialout NAME) and log in again."
        )
    if number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in str(error):
        return PortBusyError(
            f"serial line {port}: another process uses it. If the agent runs, stop it first "
            "(sudo systemctl stop ngonden-edge)."
        )
    return PortError(f"serial line {port}: {error}")
