import errno
import os
import termios

import pytest

from edge.config import SerialLineSettings
from edge.firmware_bridge.modbus.port import (
    PortBusyError,
    PortError,
    PortForbiddenError,
    PortMissingError,
    explained,
    open_serial,
)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (OSError(errno.ENOENT, "no such file"), PortMissingError, "Is the adapter plugged in"),
        (OSError(errno.EACCES, "denied"), PortForbiddenError, "group dialout"),
        (OSError(errno.EBUSY, "busy"), PortBusyError, "stop it first"),
        (OSError(errno.EIO, "input/output error"), PortError, "input/output error"),
    ],
)
def test_a_port_that_cannot_be_opened_says_what_to_do(
    error: Exception, kind: type[PortError], words: str
) -> None:
    found = explained("/dev/ttyUSB0", error)
    assert type(found) is kind
    assert "/dev/ttyUSB0" in str(found)
    assert words in str(found)


def test_a_lines_speed_and_format_are_the_ports_and_nobody_else_gets_it() -> None:
    ours, theirs = os.openpty()
    line = SerialLineSettings(name="rs485", port=os.ttyname(theirs), baud=19200, parity="even", stop_bits=2)
    port = open_serial(line)
    _, _, control, _, speed, _, _ = termios.tcgetattr(theirs)
    assert speed == termios.B19200
    assert vars(port)["_parity"] == "E", "a pseudo-terminal itself knows no parity"
    assert control & termios.CSTOPB
    with pytest.raises(PortBusyError):
        open_serial(line)
    port.close()
    os.close(ours)
    os.close(theirs)


def test_a_path_that_is_not_there_is_a_missing_port() -> None:
    with pytest.raises(PortMissingError):
        open_serial(SerialLineSettings(name="rs485", port="/dev/no-such-line"))
