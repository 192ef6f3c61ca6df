"""Whether a camera's port opens. It proves power and network, not pictures."""

from __future__ import annotations

import asyncio
from time import perf_counter

from edge.drivers.ports import Reachability

TIMEOUT_S = 3.0
"""A camera on the commune's own line answers within milliseconds; over a tired 4G link within a second."""


class TcpCamera:
    """Opens a TCP connection to `host:port` (RTSP: 554) and closes it."""

    def __init__(self, host: str, port: int, *, timeout_s: float = TIMEOUT_S) -> None:
        self._host = host
        self._port = port
        self._timeout_s = timeout_s

    async def probe(self) -> Reachability:
        """One attempt. Refused, unreachable and too slow all mean not reachable."""
        started_s = perf_counter()
        try:
            async with asyncio.timeout(self._timeout_s):
                _, writer = await asyncio.open_connection(self._host, self._port)
        except (OSError, TimeoutError):
            return Reachability(reachable=False)
        latency_ms = (perf_counter() - started_s) * 1000
        writer.close()
        return Reachability(reachable=True, latency_ms=round(latency_ms, 1))
