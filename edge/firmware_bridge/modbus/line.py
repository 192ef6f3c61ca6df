"""One serial line and the thread that works on it.

The port is opened when there is something to ask, and again and again after it was lost: a missing adapter
keeps no agent from lighting its other lamps, and one that is plugged in anew is found under its path.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from edge.config.serial_line import SerialLineSettings
from edge.drivers.ports import DriverError
from edge.firmware_bridge.modbus.exchange import Counts, Exchange, ModbusRefusalError, Timing
from edge.firmware_bridge.modbus.frames import Reply, Request
from edge.firmware_bridge.modbus.port import OpenPort, open_serial
from edge.firmware_bridge.modbus.turns import Ask, Job, Keeper, SilentError, Turns, Unit

T = TypeVar("T")

REOPEN_AFTER_S = 1.0
REOPEN_AFTER_AT_MOST_S = 10.0
IDLE_S = 60.0
"""The thread looks round at least this often."""

OnChange = Callable[[str, str], None]
"""(`serial_line_lost` or `serial_line_back`, why): called on the line's thread, once for each change."""


class Line:
    """The units of one port take turns. `counts` tells what happened."""

    def __init__(
        self,
        settings: SerialLineSettings,
        *,
        on_change: OnChange = lambda _what, _why: None,
        open_port: OpenPort = open_serial,
    ) -> None:
        self.settings = settings
        self.counts = Counts()
        self.lost: str | None = None
        """Why the port can't be used; None while it can, or was not needed yet."""
        self._on_change = on_change
        self._open_port = open_port
        self._timing = Timing.of(settings)
        self._turns = Turns()
        self._changed = threading.Condition()
        self._exchange: Exchange | None = None
        self._reopen_at_s = float("-inf")
        self._reopen_after_s = REOPEN_AFTER_S
        self._thread: threading.Thread | None = None
        self._closing = False

    def do(self, address: int, work: Callable[[Ask], T]) -> Future[T | None]:
        """Have `work` done on the line's thread in this unit's turn.

        The result is None where the unit is silent; it raises DriverError where the port can't be used or
        the unit refuses.
        """
        job = Job(work)
        with self._changed:
            if self._closing:
                job.result.set_exception(DriverError(f"serial line {self.settings.port}: closed"))
            elif self.lost is not None and time.monotonic() < self._reopen_at_s:
                job.result.set_exception(DriverError(self.lost))
            elif self._turns.rests(address, time.monotonic()):
                job.result.set_result(None)
            else:
                self._turns.unit(address).jobs.append(job)
                self._start()
                self._changed.notify()
        return job.result

    def keep(self, address: int, keeper: Keeper) -> None:
        """Give a unit its keeper."""
        with self._changed:
            self._turns.unit(address).keeper = keeper
            self._start()
            self._changed.notify()

    def wake(self) -> None:
        """A keeper's due time has come nearer."""
        with self._changed:
            self._changed.notify()

    def close(self) -> None:
        """End the thread after the question under way, and close the port."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._run, name=f"line {self.settings.name}", daemon=True
            )
            self._thread.start()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._closing:
                    break
                unit = self._turns.next(time.monotonic())
                if unit is None:
                    due_s = self._turns.next_due_s()
                    if self.lost is not None:
                        due_s = min(due_s, self._reopen_at_s)
                    self._changed.wait(min(IDLE_S, max(0.001, due_s - time.monotonic())))
                task = unit.take(time.monotonic()) if unit is not None else None
            if task is not None and unit is not None:
                self._take(unit, task)
            elif self.lost is not None and time.monotonic() >= self._reopen_at_s:
                with suppress(DriverError):
                    self._opened()
        self._drop()
        for unit in self._turns.units.values():
            for job in unit.jobs:
                job.result.cancel()

    def _take(self, unit: Unit, task: Job | Keeper) -> None:
        if isinstance(task, Job) and not task.result.set_running_or_notify_cancel():
            return
        result: Any = None
        error: Exception | None = None
        line_lost = False
        try:
            exchange = self._opened()
            ask = self._asker(exchange, unit)
            if isinstance(task, Job):
                result = task.work(ask)
            else:
                task.turn(ask, time.monotonic())
        except SilentError:
            self._missed(unit, task, f"Modbus unit {unit.address} does not answer")
        except ModbusRefusalError as refusal:
            self._turns.answered(unit)
            error = refusal
        except (OSError, DriverError) as lost:
            error = lost if isinstance(lost, DriverError) else self._lose(lost)
            line_lost = self.lost is not None
            if line_lost:
                # All units are out of reach together; each of them is asked again when the port is back.
                unit.not_before_s = self._reopen_at_s
            else:
                self._turns.answered(unit)
        except Exception as bug:  # noqa: BLE001 - whatever one device's data leads to, the others have their turns
            error = DriverError(f"Modbus unit {unit.address}: {type(bug).__name__}: {bug}")
        else:
            self._turns.answered(unit)
        if isinstance(task, Job):
            task.result.set_exception(error) if error else task.result.set_result(result)
        elif error is not None:
            task.missed(str(error), line_lost=line_lost)

    def _missed(self, unit: Unit, task: Job | Keeper, reason: str) -> None:
        with self._changed:
            for job in self._turns.missed(unit, time.monotonic()):
                if job.result.set_running_or_notify_cancel():
                    job.result.set_result(None)
        if not isinstance(task, Job):
            task.missed(reason)

    def _asker(self, exchange: Exchange, unit: Unit) -> Ask:
        attempts = self._turns.attempts(unit)

        def ask(request: Request) -> Reply:
            reply = exchange.ask(request, attempts=attempts)
            if reply is None:
                raise SilentError
            return reply

        return ask

    def _opened(self) -> Exchange:
        """The port, opened where it is due; raises DriverError while it can't be used."""
        if self._exchange is not None:
            return self._exchange
        if time.monotonic() < self._reopen_at_s:
            raise DriverError(self.lost or f"serial line {self.settings.port}: lost")
        try:
            port = self._open_port(self.settings)
        except (DriverError, OSError) as error:
            raise self._lose(error) from error
        self._exchange = Exchange(port, self._timing, counts=self.counts)
        self._reopen_after_s = REOPEN_AFTER_S
        if self.lost is not None:
            self.lost = None
            self._on_change("serial_line_back", "")
        return self._exchange

    def _lose(self, error: Exception) -> DriverError:
        self._drop()
        words = (
            str(error) if isinstance(error, DriverError) else f"serial line {self.settings.port}: {error}"
        )
        self._reopen_at_s = time.monotonic() + self._reopen_after_s
        self._reopen_after_s = min(REOPEN_AFTER_AT_MOST_S, 2 * self._reopen_after_s)
        was_lost, self.lost = self.lost, words
        if was_lost is None:
            self._on_change("serial_line_lost", words)
        return DriverError(words)

    def _drop(self) -> None:
        if self._exchange is not None:
            with suppress(OSError):
                self._exchange.close()
            self._exchange = None
