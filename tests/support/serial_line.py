"""A serial line of pseudo-terminals at a line's own pace, whose replies a test can disturb.

    node (pyserial) ── node port ─[carrier]─ device port ── pymodbus' server

The node's port is a link, as /dev/serial/by-id has them: unplugged it is gone, plugged in it leads elsewhere.
"""

from __future__ import annotations

import heapq
import os
import select
import threading
import time
import tty
from collections import deque
from collections.abc import Callable
from pathlib import Path

Pieces = list[tuple[float, bytes]]
"""(seconds to wait, bytes to send): what becomes of one reply."""
Disturb = Callable[[bytes], Pieces]


def undisturbed(reply: bytes) -> Pieces:
    return [(0.0, reply)]


class SerialLine:
    """`disturb` decides over each reply; `once` holds such decisions for the next replies, one each."""

    def __init__(self, folder: Path, *, baud: int = 9600) -> None:
        self.node_port = str(folder / "usb-adapter")
        self.disturb: Disturb = undisturbed
        self.once: deque[Disturb] = deque()
        self.echo = False
        self.units: set[int] = set()
        """Who is on the line; a request to anyone else reaches nobody."""
        self.baud = baud
        self.requests: list[tuple[float, bytes]] = []
        self._char_s = 10 / baud
        self._device_end, self._device_tty = _raw_pair()
        self.device_port = os.ttyname(self._device_tty)
        self._node_end: int | None = None
        self._node_tty = -1
        self._wake_read, self._wake_write = os.pipe()
        self._lock = threading.Lock()
        self._pending: list[tuple[float, int, int, bytes]] = []
        self._count = 0
        self._free_s = 0.0
        self._closing = False
        self.plug()
        self._thread = threading.Thread(target=self._carry, name="serial line")
        self._thread.start()

    def plug(self) -> None:
        """Plug the adapter in: the same path, another device behind it."""
        node_end, self._node_tty = _raw_pair()
        os.symlink(os.ttyname(self._node_tty), self.node_port)
        with self._lock:
            self._node_end = node_end
        os.write(self._wake_write, b"x")

    def unplug(self) -> None:
        """Pull the adapter out."""
        with self._lock:
            node_end, self._node_end = self._node_end, None
            assert node_end is not None
            os.close(node_end)
        os.close(self._node_tty)
        Path(self.node_port).unlink()

    def close(self) -> None:
        self._closing = True
        os.write(self._wake_write, b"x")
        self._thread.join()
        if self._node_end is not None:
            self.unplug()
        for handle in (self._device_end, self._device_tty, self._wake_read, self._wake_write):
            os.close(handle)

    def _carry(self) -> None:
        while not self._closing:
            with self._lock:
                node_end = self._node_end
            ends = [self._device_end, self._wake_read] + ([] if node_end is None else [node_end])
            wait_s = max(0.0, self._pending[0][0] - time.monotonic()) if self._pending else 1.0
            try:
                ready, _, _ = select.select(ends, [], [], wait_s)
            except OSError:
                continue  # unplugged while waiting
            if self._wake_read in ready:
                os.read(self._wake_read, 64)
            with self._lock:
                self._step(ready)

    def _step(self, ready: list[int]) -> None:
        node_end = self._node_end
        if node_end is not None and node_end in ready:
            request = os.read(node_end, 512)
            self.requests.append((time.monotonic(), request))
            if request[0] in self.units:
                self._after(len(request) * self._char_s, self._device_end, request)
            if self.echo:
                self._paced(node_end, [(0.0, request)])
        if self._device_end in ready and node_end is not None:
            reply = os.read(self._device_end, 512)
            disturb = self.once.popleft() if self.once else self.disturb
            self._paced(node_end, disturb(reply))
        now_s = time.monotonic()
        while self._pending and self._pending[0][0] <= now_s:
            _, _, end, data = heapq.heappop(self._pending)
            if end != self._device_end and end != node_end:
                continue  # unplugged meanwhile
            os.write(end, data)

    def _paced(self, end: int, pieces: Pieces) -> None:
        """Byte after byte, as the line's speed has it."""
        at_s = max(time.monotonic(), self._free_s)
        for wait_s, data in pieces:
            at_s += wait_s
            for byte in data:
                at_s += self._char_s
                self._after(at_s - time.monotonic(), end, bytes([byte]))
        if sum(wait_s for wait_s, _ in pieces) < 0.2:
            self._free_s = at_s  # a late reply leaves the line to others meanwhile

    def _after(self, wait_s: float, end: int, data: bytes) -> None:
        self._count += 1
        heapq.heappush(self._pending, (time.monotonic() + wait_s, self._count, end, data))


def _raw_pair() -> tuple[int, int]:
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    return ours, theirs
