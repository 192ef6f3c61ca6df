"""`python -m bench.pole.roadside`: what hangs around one pole, as real servers in a process of its own.

A PZEM-004T served by pymodbus on a pseudo-terminal, and a camera: RTSP with RTP packets over its own TCP
connection, and JPEG snapshots of a scene that moves. It prints one line of JSON with where they are, and
runs until it is ended or its parent has gone.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import random
import struct
import threading
import tty
from contextlib import suppress

METER = [2284, 277, 0, 601, 0, 1234, 0, 500, 95, 0]
"""228.4 V, 0.277 A, 60.1 W, 1234 Wh, 50.0 Hz, power factor 0.95: a lamp that burns."""
FRAMES_PER_S = 12
SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\n"
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n"
)
WIDTH, HEIGHT = 1280, 720


def main() -> None:
    """Serve until the process is ended."""
    asyncio.run(_serve())


async def _serve() -> None:
    meter_port, node_port = _line()
    rtsp = await asyncio.start_server(_rtsp, "127.0.0.1", 0)
    pictures = Pictures()
    http = await asyncio.start_server(pictures.answer, "127.0.0.1", 0)
    places = {"meter": node_port}
    for name, server in (("rtsp", rtsp), ("http", http)):
        places[name] = server.sockets[0].getsockname()[1]
    meter = asyncio.create_task(_meter(meter_port))
    await asyncio.sleep(0.5)  # pymodbus opens its end
    print(json.dumps(places), flush=True)
    # Whoever started it may be killed without a word: then this ends by itself.
    parent = os.getppid()
    while os.getppid() == parent and not meter.done():  # noqa: ASYNC110 - the kernel tells of it in no other way
        await asyncio.sleep(1.0)
    os._exit(0)  # pymodbus and the line's threads would be waited for


def _line() -> tuple[str, str]:
    """Two pseudo-terminals joined by two threads: a serial line with a device at each end."""
    (a, a_tty), (b, b_tty) = os.openpty(), os.openpty()
    for terminal in (a_tty, b_tty):
        tty.setraw(terminal)

    def carry(source: int, target: int) -> None:
        with suppress(OSError):
            while chunk := os.read(source, 512):
                os.write(target, chunk)

    for ends in ((a, b), (b, a)):
        threading.Thread(target=carry, args=ends, daemon=True).start()
    return os.ttyname(a_tty), os.ttyname(b_tty)


async def _meter(port: str) -> None:
    from pymodbus.server import ModbusSerialServer
    from pymodbus.simulator import DataType, SimData, SimDevice

    registers = SimData(address=0, values=METER, datatype=DataType.REGISTERS)
    server = ModbusSerialServer(SimDevice(id=1, simdata=[registers]), port=port, baudrate=9600)
    await server.serve_forever()


async def _rtsp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    playing: asyncio.Task[None] | None = None
    with suppress(OSError, EOFError, asyncio.IncompleteReadError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, url = head[0].split(" ")[:2]
            cseq = next((line for line in head if line.lower().startswith("cseq")), "CSeq: 0")
            lines, body = ["RTSP/1.0 200 OK", cseq], ""
            if method == "DESCRIBE":
                body = SDP
                lines += [
                    f"Content-Base: {url}/",
                    "Content-Type: application/sdp",
                    f"Content-Length: {len(SDP)}",
                ]
            elif method == "SETUP":
                lines += ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 1"]
            writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
            if method == "PLAY" and playing is None:
                playing = asyncio.create_task(_stream(writer))
            if method == "TEARDOWN":
                break
    if playing is not None:
        playing.cancel()
    writer.close()


async def _stream(writer: asyncio.StreamWriter) -> None:
    """Frames of eight packets of 1,200 bytes."""
    number = 0
    with suppress(OSError):
        while True:
            stamp = number * 90_000 // FRAMES_PER_S
            for _ in range(8):
                packet = struct.pack(">BBHII", 0x80, 96, number & 0xFFFF, stamp, 7) + bytes(1200)
                writer.write(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
                number += 1
            await writer.drain()
            await asyncio.sleep(1 / FRAMES_PER_S)


class Pictures:
    """A street at night that never stands quite still, as a camera's snapshots show it."""

    def __init__(self) -> None:
        from PIL import Image

        self._random = random.Random(1)  # noqa: S311 - a picture's noise
        self._noise = Image.effect_noise((WIDTH, HEIGHT), 60).convert("RGB")

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one picture."""
        from PIL import Image, ImageChops, ImageDraw

        with suppress(OSError, EOFError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            scene = Image.new("RGB", (WIDTH, HEIGHT), (60, 64, 70))
            draw = ImageDraw.Draw(scene)
            for house in range(12):
                draw.rectangle((house * 108, 200, house * 108 + 70, 560), fill=(90 + house * 9, 80, 70))
            x = self._random.randrange(WIDTH)
            draw.rectangle((x, 500, x + 120, 580), fill=(220, 200, 120))
            shifted = ImageChops.offset(self._noise, self._random.randrange(WIDTH), 0)
            out = io.BytesIO()
            ImageChops.add(scene, shifted, scale=2).save(out, "JPEG", quality=80)
            body = out.getvalue()
            writer.write(
                f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n"
                "Connection: close\r\n\r\n".encode()
                + body
            )
            await writer.drain()
        writer.close()


if __name__ == "__main__":
    main()
