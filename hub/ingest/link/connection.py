"""One connection to the broker: TCP or TLS, the greeting, keep-alive, and bytes in and out without blocking."""

from __future__ import annotations

import selectors
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from types import TracebackType

import mqtt5

from hub.ingest.link.wire import MAX_PACKET_BYTES
from hub.settings import BrokerSettings

_READ_BYTES = 256 * 1024
_READS_AT_ONCE = 32
_GREETING_LIMIT_S = 10.0
_PINGREQ = bytes([0xC0, 0])
_CONNACK = 2


class RefusedError(Exception):
    """The broker will not have us, or not any longer; the text says why."""


class Connection:
    """Use as a context manager. `send` and `wake` may be called from any thread, all else from one.

    Raises OSError (ssl.SSLError is one) wherever the connection cannot be made or breaks.
    """

    def __init__(self, settings: BrokerSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._unsent = bytearray()
        self._woken = False
        self._keepalive_s = float(settings.keepalive_s)
        self.generation = 0
        self.window = 65_535
        """How many QoS 1 messages of ours the broker takes unacknowledged."""
        raw = socket.create_connection((settings.host, settings.port), timeout=_GREETING_LIMIT_S)
        try:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = _secured(raw, settings)
        except BaseException:
            raw.close()
            raise
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_out.setblocking(False)
        self._wake_in.setblocking(False)
        self._ready = selectors.DefaultSelector()
        self._ready.register(self._wake_out, selectors.EVENT_READ)
        self._interest = 0
        self._heard_s = self._sent_s = time.monotonic()

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self.generation = -1
        self._ready.close()
        for one in (self._socket, self._wake_in, self._wake_out):
            one.close()

    @property
    def unsent(self) -> int:
        """Bytes that wait for the broker to read."""
        return len(self._unsent)

    def greet(self, *, clean_start: bool) -> None:
        """CONNECT and CONNACK; raises RefusedError. Afterwards nothing blocks."""
        settings = self._settings
        connect = mqtt5.ConnectPacket(
            settings.client_id,
            clean_start=clean_start,
            keep_alive=settings.keepalive_s,
            session_expiry_interval=settings.session_expiry_s,
            receive_max=settings.receive_maximum,
            max_packet_size=MAX_PACKET_BYTES,
        )
        self._socket.sendall(connect.write())
        answer = self._one_packet()
        if answer[0] >> 4 != _CONNACK:
            raise RefusedError(f"no CONNACK but a packet of type {answer[0] >> 4}")
        try:
            told, _ = mqtt5.read(memoryview(answer))
        except ValueError as error:
            raise RefusedError(f"a CONNACK that cannot be read: {error}") from None
        if not isinstance(told, mqtt5.ConnAckPacket) or told.reason_code != mqtt5.ConnAckReasonCode.SUCCESS:
            raise RefusedError(f"refused: {getattr(told, 'reason_code', told)}")
        self.window = told.receive_max
        if told.server_keep_alive is not None:
            self._keepalive_s = float(told.server_keep_alive)
        self._socket.setblocking(False)
        self._heard_s = self._sent_s = time.monotonic()

    def send(self, data: bytes, generation: int) -> bool:
        """Leave bytes for the socket's thread; False when that connection is gone."""
        with self._lock:
            if generation != self.generation:
                return False
            self._unsent += data
            wake, self._woken = not self._woken, True
        if wake:
            self._signal()
        return True

    def wake(self) -> None:
        """End an `exchange` that waits."""
        with self._lock:
            wake, self._woken = self.generation >= 0 and not self._woken, True
        if wake:
            self._signal()

    def exchange(self, *, reading: bool) -> Iterator[bytes]:
        """Wait for something to do at most a few seconds; write what waits, and yield what has come."""
        self._flush()
        self._register(reading=reading)
        ready = self._ready.select(self._until_ping_s())
        now_s = time.monotonic()
        if not reading:
            self._heard_s = now_s  # what the broker has said may lie unread
        for key, events in ready:
            if key.fileobj is self._wake_out:
                self._wake_out.recv(4096)
                with self._lock:
                    self._woken = False
            elif events & selectors.EVENT_READ:
                self._heard_s = now_s
                yield from self._read()
        self._ping(now_s)

    def leave(self) -> None:
        """Say goodbye: the broker keeps the session, and no will is sent."""
        self._unsent += mqtt5.DisconnectPacket().write()
        self._socket.settimeout(1.0)
        try:
            self._socket.sendall(self._unsent)
        except OSError:
            return  # it finds out by itself

    def _signal(self) -> None:
        try:
            self._wake_in.send(b"\0")
        except OSError:
            return  # closed, or full of wakes

    def _read(self) -> Iterator[bytes]:
        # TLS gives no more than one record at a time, and select does not see what it has already read.
        for _ in range(_READS_AT_ONCE):
            try:
                data = self._socket.recv(_READ_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            if not data:
                raise ConnectionResetError("the broker closed the connection")
            yield data
            if len(data) < _READ_BYTES and not isinstance(self._socket, ssl.SSLSocket):
                return

    def _flush(self) -> None:
        while self._unsent:
            with self._lock:
                piece = bytes(self._unsent[:_READ_BYTES])
            try:
                sent = self._socket.send(piece)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            self._sent_s = time.monotonic()
            with self._lock:
                del self._unsent[:sent]

    def _register(self, *, reading: bool) -> None:
        wanted = (selectors.EVENT_READ if reading else 0) | (selectors.EVENT_WRITE if self._unsent else 0)
        if wanted == self._interest:
            return
        if not self._interest:
            self._ready.register(self._socket, wanted)
        elif not wanted:
            self._ready.unregister(self._socket)
        else:
            self._ready.modify(self._socket, wanted)
        self._interest = wanted

    def _until_ping_s(self) -> float:
        if isinstance(self._socket, ssl.SSLSocket) and self._interest and self._socket.pending():
            return 0.0
        due_s = min(self._sent_s, self._heard_s) + self._keepalive_s / 2
        return max(0.01, min(due_s - time.monotonic(), 5.0))

    def _ping(self, now_s: float) -> None:
        if self._keepalive_s == 0:
            return
        if now_s - self._heard_s > 1.5 * self._keepalive_s:
            raise TimeoutError(f"not a word from the broker for {now_s - self._heard_s:.0f} s")
        quiet_s = now_s - min(self._sent_s, self._heard_s)
        if quiet_s >= self._keepalive_s / 2 and now_s - self._sent_s >= self._keepalive_s / 4:
            self._sent_s = now_s
            self.send(_PINGREQ, self.generation)

    def _one_packet(self) -> bytes:
        head = self._exactly(2)
        length = head[1]
        while head[-1] > 127:
            head += self._exactly(1)
            if len(head) > 5:
                raise RefusedError("no CONNACK")
        length = sum((byte & 127) << (7 * place) for place, byte in enumerate(head[1:]))
        if not 2 <= length <= MAX_PACKET_BYTES:
            raise RefusedError("no CONNACK")
        return head + self._exactly(length)

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self._socket.recv(size - len(data))
            if not more:
                raise ConnectionResetError("the broker closed the connection at once")
            data += more
        return data


def _secured(raw: socket.socket, settings: BrokerSettings) -> socket.socket:
    if settings.ca_file is None or settings.cert_file is None or settings.key_file is None:
        return raw
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=str(settings.ca_file))
    context.load_cert_chain(str(settings.cert_file), str(settings.key_file))
    return context.wrap_socket(raw, server_hostname=settings.host)
