"""A TCP relay that a link's troubles can be played on, and that counts what really travelled.

It stands between a node and its broker: it lets pass, swallows (connected, but nothing comes through), delays,
spoils or drops. What travelled on the node's side is read from the kernel (TCP_INFO), so segments, repeated
ones and bare acknowledgements count as they were sent.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field

MOBILE_MSS = 1348
"""The payload of one TCP segment over a mobile carrier's 1400 bytes, with TCP timestamps."""
SEGMENT_HEADERS = 20 + 20 + 12
"""IPv4, TCP, and TCP's timestamps, bytes."""
_CLOSE_WITH_RESET = struct.pack("ii", 1, 0)
# struct tcp_info of linux/tcp.h: tcpi_bytes_acked, tcpi_bytes_received, tcpi_segs_out, tcpi_segs_in.
_TCP_INFO_AT, _TCP_INFO = 120, struct.Struct("@QQII")


@dataclass(frozen=True, slots=True)
class Traffic:
    """What travelled between node and relay: TCP payload bytes, segments, both ways together."""

    payload_bytes: int = 0
    segments: int = 0

    @property
    def air_bytes(self) -> int:
        """With the headers of IP and TCP."""
        return self.payload_bytes + self.segments * SEGMENT_HEADERS

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(self.payload_bytes + other.payload_bytes, self.segments + other.segments)

    def __sub__(self, other: Traffic) -> Traffic:
        return Traffic(self.payload_bytes - other.payload_bytes, self.segments - other.segments)


@dataclass(slots=True, eq=False)
class _Pair:
    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    serving: asyncio.Task[None] | None
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def traffic(self) -> Traffic:
        sock = self.near.get_extra_info("socket")
        if sock is None or sock.fileno() < 0:
            return Traffic()
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        acked, received, out, came = _TCP_INFO.unpack_from(info, _TCP_INFO_AT)
        return Traffic(acked + received, out + came)


class Relay:
    """`start` gives the port that a node connects to. The troubles are attributes: set them at any time."""

    def __init__(self, to_port: int) -> None:
        self.to_port = to_port
        self.port = 0
        self.swallows = False
        """Both sides stay connected and nothing comes through."""
        self.refuses = False
        """New connections are closed at once."""
        self.delay_s = 0.0
        """Each way."""
        self.spoils = False
        """One bit of each chunk is turned."""
        self.connections = 0
        """How many were made so far."""
        self._pairs: set[_Pair] = set()
        self._ended = Traffic()
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen on loopback; returns the port."""
        sock = socket.create_server(("127.0.0.1", 0))
        # Accepted sockets inherit it, and the node hears of it in the handshake.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, MOBILE_MSS)
        self._server = await asyncio.start_server(self._serve, sock=sock)
        self.port = sock.getsockname()[1]
        return self.port

    async def close(self) -> None:
        """End everything."""
        if self._server is not None:
            self._server.close()
        self.drop()
        serving = [pair.serving for pair in self._pairs if pair.serving is not None]
        await asyncio.gather(*serving, return_exceptions=True)

    def drop(self) -> None:
        """Reset all connections, both sides."""
        for pair in list(self._pairs):
            for task in pair.tasks:
                task.cancel()

    def traffic(self) -> Traffic:
        """All that travelled on the node's side so far, ended connections included."""
        return sum((pair.traffic() for pair in self._pairs), self._ended)

    async def _serve(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.refuses:
            near.transport.abort()
            return
        try:
            far_reader, far = await asyncio.open_connection("127.0.0.1", self.to_port)
        except OSError:
            near.transport.abort()
            return
        # As mosquitto sends by default, so that acknowledgements share segments here as they do on air.
        near.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
        pair = _Pair(near, far, asyncio.current_task())
        pair.tasks = [
            asyncio.create_task(self._pump(reader, far)),
            asyncio.create_task(self._pump(far_reader, near)),
        ]
        self._pairs.add(pair)
        with suppress(asyncio.CancelledError):
            await asyncio.wait(pair.tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pair.tasks:
            task.cancel()
        await asyncio.gather(*pair.tasks, return_exceptions=True)
        self._ended += pair.traffic()
        self._pairs.discard(pair)
        for writer in (near, far):
            with suppress(OSError):
                writer.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, _CLOSE_WITH_RESET
                )
            writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        with suppress(OSError):
            while chunk := await reader.read(65536):
                if self.swallows:
                    continue
                if self.spoils:
                    middle = len(chunk) // 2
                    chunk = chunk[:middle] + bytes([chunk[middle] ^ 1]) + chunk[middle + 1 :]
                if self.delay_s:
                    loop.call_later(self.delay_s, _write, writer, chunk)
                else:
                    writer.write(chunk)
                    await writer.drain()


def _write(writer: asyncio.StreamWriter, chunk: bytes) -> None:
    if not writer.is_closing():
        writer.write(chunk)
