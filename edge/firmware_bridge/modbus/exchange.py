"""Question and answer on an open port: timing, retries, and keeping late replies apart.

Why no library: pymodbus and minimalmodbus take the first byte that arrives for the start of the answer, so
one glitch byte (an RS-485 transceiver that turns round, lightning nearby) costs the reading each time; and
pymodbus accepts an answer that came too late for the request after it. Here the line is emptied and silent
for 3.5 characters before each request, a reply is looked for anywhere in what arrived, and after a request
without a reply nothing of the same shape is asked until its late reply can't come any more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from edge.config.serial_line import SerialLineSettings
from edge.drivers.ports import DriverError
from edge.firmware_bridge.modbus.frames import BUSY, Refusal, Reply, Request, find_reply, without_echo
from edge.firmware_bridge.modbus.port import SerialPort

LATE_S = 1.0
"""A reply later than this after its request is not expected of any device."""
GAP_S = 0.06
"""No byte for so long in the middle of a reply ends it; a USB adapter hands bytes over every 16 ms."""
NOISE_BYTES = 512
"""More than this without a reply in it is a line that babbles."""
QUIET_AT_MOST_S = 0.1
FAST_BAUD_SILENCE_S = 0.00175
"""Above 19200 baud the specification fixes the silence (Modbus over Serial Line 1.02, 2.5.1.1)."""


class ModbusRefusalError(DriverError):
    """The device answered that it can't: the text has its exception code."""

    def __init__(self, unit: int, refusal: Refusal) -> None:
        super().__init__(f"Modbus unit {unit} refuses: {refusal}")
        self.code = refusal.code


@dataclass(slots=True)
class Counts:
    """What happened on a line since it was opened."""

    requests: int = 0
    """Questions asked, without their repetitions."""
    answered: int = 0
    retries: int = 0
    damaged: int = 0
    """Attempts on which bytes came, but no reply stood in them."""
    silent: int = 0
    """Attempts on which nothing came."""
    stray_bytes: int = 0
    """Bytes that came while nothing was asked: noise and late replies."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things take on a line, seconds."""

    char_s: float
    silence_s: float
    answer_within_s: float

    @classmethod
    def of(cls, settings: SerialLineSettings) -> Timing:
        """A character is a start bit, eight bits, maybe a parity bit, and the stop bits."""
        bits = 9 + (settings.parity != "none") + settings.stop_bits
        char_s = bits / settings.baud
        silence_s = 3.5 * char_s if settings.baud <= 19_200 else FAST_BAUD_SILENCE_S
        return cls(char_s, silence_s, settings.answer_within_s)


class Exchange:
    """One open port. Not for two threads at once. Every call may raise OSError: the adapter is gone."""

    def __init__(
        self,
        port: SerialPort,
        timing: Timing,
        *,
        counts: Counts | None = None,
        seconds: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.counts = counts or Counts()
        self._port = port
        self._timing = timing
        self._seconds = seconds
        self._sleep = sleep
        self._active_at_s = seconds()
        self._late_until_s: dict[tuple[int, int, int], float] = {}
        self._echoes = False

    def ask(self, request: Request, *, attempts: int = 3) -> Reply | None:
        """The reply, or None when none came in `attempts`; raises ModbusRefusalError where the unit refuses."""
        self._outwait_late_reply(request)
        self.counts.requests += 1
        refusal = None
        for attempt in range(attempts):
            self.counts.retries += attempt > 0
            found = self._attempt(request)
            if isinstance(found, Reply):
                self.counts.answered += 1
                return found
            if isinstance(found, Refusal):
                refusal = found
                if found.code not in BUSY:
                    break
        if refusal is not None:
            raise ModbusRefusalError(request.unit, refusal)
        return None

    def close(self) -> None:
        """Close the port."""
        self._port.close()

    def _outwait_late_reply(self, request: Request) -> None:
        # A reply to an earlier question of this shape could be taken for this one's: it doesn't say what
        # it is about. So its time must be over.
        rest_s = self._late_until_s.pop(request.shape, 0.0) - self._seconds()
        if rest_s > 0:
            self._sleep(rest_s)

    def _attempt(self, request: Request) -> Reply | Refusal | None:
        self._be_quiet()
        frame = request.frame()
        self._port.write(frame)
        self._active_at_s = self._seconds() + len(frame) * self._timing.char_s
        received, found = self._listen(request, self._active_at_s + self._timing.answer_within_s)
        if found is None:
            self.counts.damaged += bool(received)
            self.counts.silent += not received
            if 2 * len(received) <= request.reply_length:
                # What came was no damaged reply, so the reply itself may still come.
                self._late_until_s[request.shape] = self._seconds() + LATE_S
        return found

    def _be_quiet(self) -> None:
        """Drop what has come unasked, and wait until the line is silent; not for ever on one that babbles."""
        give_up_s = self._seconds() + QUIET_AT_MOST_S
        while self._seconds() < give_up_s:
            waiting = self._port.in_waiting
            if waiting:
                self.counts.stray_bytes += len(self._port.read(waiting))
                self._active_at_s = self._seconds()
            rest_s = self._active_at_s + self._timing.silence_s - self._seconds()
            if rest_s <= 0:
                return
            self._sleep(rest_s)

    def _listen(self, request: Request, deadline_s: float) -> tuple[bytes, Reply | Refusal | None]:
        """What came after the request's own echo, and the reply found in it."""
        raw = received = b""
        heard_at_s = 0.0
        whole_s = request.reply_length * self._timing.char_s
        while len(raw) < NOISE_BYTES:
            chunk = self._port.read(max(1, self._port.in_waiting))
            now_s = self._seconds()
            if chunk:
                if not raw:
                    # Once a reply has begun it may end, also where it began at the last moment.
                    deadline_s = max(deadline_s, now_s + 1.5 * whole_s + GAP_S)
                raw += chunk
                self._active_at_s = heard_at_s = now_s
                received = self._beyond_echo(raw, request)
                found = find_reply(received, request)
                if found is not None:
                    return received, found
                missing = request.reply_length - len(received)
                if missing > 1:
                    # One wake-up for the rest of the reply instead of one for each byte.
                    self._sleep(min(missing * self._timing.char_s, max(0.0, deadline_s - now_s)))
            elif now_s >= deadline_s or (
                2 * len(received) > request.reply_length and now_s - heard_at_s >= GAP_S
            ):
                break
        return received, None

    def _beyond_echo(self, raw: bytes, request: Request) -> bytes:
        rest = without_echo(raw, request)
        if rest is None:
            return raw
        if request.reply_head != request.body:
            # Only where a reply can't equal its request does this show that the adapter hears itself.
            self._echoes = True
        return rest if self._echoes else raw
