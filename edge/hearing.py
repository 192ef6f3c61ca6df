"""Which devices do not answer: said once in the log when one falls silent, and once when it is back."""

from __future__ import annotations

from structlog.typing import FilteringBoundLogger

from edge.camera.devices import ProbeError
from edge.drivers.ports import DriverError


class Hearing:
    """What is heard of one node's devices, by the names that the log calls them."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log
        self._silent: set[str] = set()

    def silent(self, device: str, error: Exception | str) -> None:
        """This device does not answer, and why."""
        if device not in self._silent:
            self._silent.add(device)
            self._log.warning("device_silent", device=device, error=_words(error))

    def answers(self, device: str) -> None:
        """This device has answered."""
        if device in self._silent:
            self._silent.discard(device)
            self._log.info("device_answers_again", device=device)


def _words(error: Exception | str) -> str:
    if isinstance(error, str | DriverError | ProbeError):
        return str(error)
    return "no answer in time" if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"
