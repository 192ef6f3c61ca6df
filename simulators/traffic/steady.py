"""QoS 1 telemetry at a steady pace for as long as wanted, each message made at the moment it is sent.

A client library costs some 200 µs of Python a message, so that on two cores it never reached the pace asked.
Here a message costs about ten: encoded, written with its neighbours to a plain socket, and counted when the
broker acknowledges it.
"""

from __future__ import annotations

import selectors
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

from protocol import Kind, LampReading, MeterReading, Sample, Telemetry, encode, topic
from simulators.traffic.packets import LoadError, connected, count_pubacks, disconnect, publish_qos1, utf8

_TURN_S = 0.01
_IN_FLIGHT = 20_000
_READ_BYTES = 64 * 1024


class SteadySender(threading.Thread):
    """One sample per message, the (node, pole) pairs in turn; each node has one epoch, its seqs run from 1.

    A broker that takes nothing for a while is sent what it missed afterwards. It must allow so many messages in
    flight (mosquitto: `max_inflight_messages 0`). `stop` ends the sender in order, `halt` at once.
    """

    def __init__(
        self, nodes: Sequence[tuple[str, str]], *, commune: str, rate: float, host: str, port: int
    ) -> None:
        """`rate` in messages per second. Raises LoadError and OSError where the broker is not to be had."""
        super().__init__(name="steady-sender")
        self._nodes = list(nodes)
        self._epochs = [uuid4() for _ in nodes]
        self._probe_epoch = uuid4()
        self._topics = [utf8(topic(commune, node, Kind.TELEMETRY)) for node, _ in nodes]
        self._rate = rate
        self._link = connected("ngonden-steady-load", host=host, port=port)
        self._unread = bytearray()
        self._unsent = bytearray()
        self._ended = threading.Event()
        self._dropped = threading.Event()
        self._began_s = 0.0
        self.made = 0
        """Messages handed to the connection so far."""
        self.acknowledged = 0
        self.seconds = 0.0
        """How long it has sent, known once it has ended."""
        self.fault: Exception | None = None

    def probe(self, limit_s: float = 10.0) -> None:
        """Before `start`: send one message, of an epoch of its own, and wait until it is acknowledged.

        Sent again it is the same message. Raises LoadError.
        """
        packet = publish_qos1(self._topics[0], 1, _message(*self._nodes[0], self._probe_epoch, seq=1))
        self._link.settimeout(limit_s)
        self._link.sendall(packet)
        while not count_pubacks(self._unread):
            self._receive()

    def run(self) -> None:
        """Send until stopped; what went wrong is in `fault`."""
        self._link.setblocking(False)
        self._began_s = time.monotonic()
        try:
            with selectors.DefaultSelector() as ready:
                ready.register(self._link, selectors.EVENT_READ)
                while not self._ended.is_set():
                    self._turn(ready, making=True)
                self.seconds = time.monotonic() - self._began_s
                while self.acknowledged < self.made and not self._dropped.is_set():
                    self._turn(ready, making=False)
            disconnect(self._link)
        except (OSError, LoadError) as error:
            self.fault = error
        finally:
            self._link.close()

    def stop(self, limit_s: float = 60.0) -> None:
        """Send no more, and wait until the broker has acknowledged all. Raises LoadError."""
        self._ended.set()
        self.join(limit_s)
        if self.is_alive():
            left = self.made - self.acknowledged
            raise LoadError(f"the broker left {left} messages unacknowledged for {limit_s:g} s")
        if self.fault is not None:
            raise LoadError(f"the load broke off after {self.acknowledged} messages: {self.fault}")

    def halt(self) -> None:
        """End now, acknowledged or not."""
        self._ended.set()
        self._dropped.set()
        if self.ident is None:
            self._link.close()
            return
        self.join()

    def last_seqs(self) -> Iterator[tuple[str, str, int]]:
        """(node, epoch, last seq) of what was sent."""
        for place, (node, _) in enumerate(self._nodes):
            yield node, str(self._epochs[place]), (self.made - place - 1) // len(self._nodes) + 1

    def _turn(self, ready: selectors.BaseSelector, *, making: bool) -> None:
        began_s = time.monotonic()
        if making:
            due = int(self._rate * (began_s - self._began_s))
            self._make(min(due, self.acknowledged + _IN_FLIGHT))
        self._flush()
        until_s = began_s + _TURN_S
        while (left_s := until_s - time.monotonic()) > 0:
            if ready.select(left_s):
                self._receive()
                self.acknowledged += count_pubacks(self._unread)

    def _make(self, until: int) -> None:
        # What the socket has not taken bounds itself: it counts among what is unacknowledged.
        while self.made < until:
            place = self.made % len(self._nodes)
            seq = self.made // len(self._nodes) + 1
            payload = _message(*self._nodes[place], self._epochs[place], seq=seq)
            self._unsent += publish_qos1(self._topics[place], self.made % 65_535 + 1, payload)
            self.made += 1

    def _flush(self) -> None:
        while self._unsent:
            try:
                sent = self._link.send(self._unsent)
            except BlockingIOError:
                return
            del self._unsent[:sent]

    def _receive(self) -> None:
        try:
            data = self._link.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except TimeoutError:
            raise LoadError("the broker acknowledged nothing") from None
        if not data:
            raise LoadError("the broker closed the connection")
        self._unread += data


def _message(node: str, pole: str, epoch: UUID, *, seq: int) -> bytes:
    now = datetime.now(UTC)
    sample = Sample(
        seq=seq,
        pole=pole,
        time=now,
        clock="synced",
        lamp=LampReading(effect_level=1.0, reason="photocell"),
        meter=MeterReading(power_w=60.0 + seq % 10 / 10, voltage_v=224.1, current_a=0.29),
        dark=True,
    )
    return encode(Telemetry(v=1, node=node, epoch=epoch, sent_at=now, samples=[sample]))
