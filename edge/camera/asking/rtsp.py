"""Whether a camera's stream runs: DESCRIBE, SETUP, PLAY over one TCP connection, RTP packets counted.

Nothing is decoded. It proves that the camera encodes and sends; a frozen sensor or a covered lens streams
just as well. Why no library stands in `edge/camera/asking/wire.py`. RTSP 1.0: RFC 2326; interleaving: 10.12.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from edge.camera.asking.auth import Authority, Credentials
from edge.camera.asking.sdp import first_video
from edge.camera.asking.wire import Head, read_head
from edge.camera.devices import ProbeError, StreamResult, StreamState
from edge.version import AGENT_VERSION

ANSWER_WITHIN_S = 6.0
SDP_BYTES = 32_768
STREAM_BYTES = 1_500_000
"""A large key frame passes; a probe never takes more than this of a metered link."""
FRAMES = 3
"""Packets of so many frames (RTP timestamps) mean that pictures follow each other."""
PACKETS = 40
"""Or so many packets: on a slow link one key frame may fill the whole time."""
GOODBYE_WITHIN_S = 1.0


@dataclass(slots=True)
class _Count:
    packets: int = 0
    taken_bytes: int = 0
    timestamps: set[bytes] = field(default_factory=set)

    @property
    def enough(self) -> bool:
        return len(self.timestamps) >= FRAMES or self.packets >= PACKETS


class _Refused(Exception):  # noqa: N818 - an answer, not a failure of ours
    def __init__(self, status: int) -> None:
        super().__init__(f"answered {status}")
        self.state: StreamState = {401: "unauthorised", 403: "unauthorised", 404: "not_found"}.get(
            status, "refused"
        )  # type: ignore[assignment]


class RtspStream:
    """One camera's stream at an rtsp:// address. `credentials` is called anew for each probe."""

    def __init__(
        self,
        url: str,
        credentials: Callable[[], Credentials | None] = lambda: None,
        *,
        listen_s: float = 8.0,
    ) -> None:
        self._url = url
        self._credentials = credentials
        self._listen_s = listen_s

    async def probe(self) -> StreamResult:
        """One conversation, at most `listen_s` of packets. Raises DriverError for a password file refused."""
        credentials = await asyncio.to_thread(self._credentials)
        parts = urlsplit(self._url)
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 554)
        except (OSError, TimeoutError) as error:
            return StreamResult("no_answer", detail=str(error) or "no connection in time")
        talk = _Conversation(reader, writer, Authority(credentials))
        try:
            return await self._converse(talk)
        finally:
            await talk.say_goodbye()

    async def _converse(self, talk: _Conversation) -> StreamResult:
        codec = ""
        try:
            head, body = await talk.ask("DESCRIBE", self._url, {"Accept": "application/sdp"})
            base = head.get("content-base") or head.get("content-location") or self._url
            track = first_video(body.decode("utf-8", "replace"), base)
            if track is None:
                return StreamResult("no_media", detail="the description names no video")
            codec = track.codec
            transport = "RTP/AVP/TCP;unicast;interleaved=0-1"
            head, _ = await talk.ask("SETUP", track.setup_url, {"Transport": transport})
            talk.begin_session(head, track.play_url)
            await talk.ask("PLAY", track.play_url, {"Range": "npt=0.000-"})
        except _Refused as refused:
            return StreamResult(refused.state, codec, detail=str(refused))
        except ProbeError as error:
            return StreamResult("refused", codec, detail=str(error))
        except (OSError, EOFError, TimeoutError) as error:
            return StreamResult("no_answer", codec, detail=str(error) or "no answer in time")
        detail = ""
        try:
            async with asyncio.timeout(self._listen_s):
                while not talk.count.enough and talk.count.taken_bytes < STREAM_BYTES:
                    await talk.take_one()
        except TimeoutError:
            detail = f"{talk.count.packets} packets in {self._listen_s:g} s"
        except (OSError, EOFError, ProbeError) as error:
            detail = f"ended after {talk.count.packets} packets: {error}"
        live = talk.count.enough
        return StreamResult(
            "live" if live else "no_media", codec, talk.count.packets, "" if live else detail
        )


class _Conversation:
    """One connection: requests and answers, with RTP packets in between once it plays."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, authority: Authority
    ) -> None:
        self.count = _Count()
        self._reader = reader
        self._writer = writer
        self._authority = authority
        self._cseq = 0
        self._session: str | None = None
        self._play_url = ""
        self._channel = 0

    async def ask(self, method: str, url: str, headers: dict[str, str]) -> tuple[Head, bytes]:
        """One request and its answer; a challenge is met, a stale nonce renewed. Raises _Refused."""
        async with asyncio.timeout(ANSWER_WITHIN_S):
            for _ in range(3):
                self._send(method, url, headers)
                await self._writer.drain()
                while True:
                    answer = await self.take_one()
                    # An answer to an earlier request, or a camera's own request, is not the one.
                    if answer is not None and answer[0].get("cseq") in (str(self._cseq), None):
                        break
                head = answer[0]
                if head.status == 401 and self._authority.learn(head.every("www-authenticate")):
                    continue
                self._authority.accepted()
                if head.status != 200:
                    raise _Refused(head.status)
                return answer
            raise _Refused(401)

    def begin_session(self, head: Head, play_url: str) -> None:
        """Remember the session and the channel that SETUP gave."""
        self._session = (head.get("session") or "").split(";")[0].strip()
        self._play_url = play_url
        for part in (head.get("transport") or "").split(";"):
            if part.startswith("interleaved="):
                first = part.removeprefix("interleaved=").split("-")[0]
                if first.isdigit():
                    self._channel = int(first)

    async def take_one(self) -> tuple[Head, bytes] | None:
        """Take one packet (counted, None) or one answer."""
        first = await self._reader.readexactly(1)
        if first != b"$":
            if first in b"\r\n":
                return None
            head = await read_head(self._reader, begun=first)
            length = head.body_bytes(at_most=SDP_BYTES) or 0
            return head, await self._reader.readexactly(length)
        channel, high, low = await self._reader.readexactly(3)
        size = high << 8 | low
        packet = await self._reader.readexactly(size)
        self.count.taken_bytes += size + 4
        # RTP version 2 with a full header; RTCP travels on the next channel.
        if channel == self._channel and size > 12 and packet[0] >> 6 == 2:
            self.count.packets += 1
            self.count.timestamps.add(packet[4:8])
        return None

    async def say_goodbye(self) -> None:
        """TEARDOWN, so that a camera with few sessions has this one back; then close, whatever comes."""
        with suppress(OSError, EOFError, TimeoutError, ProbeError):
            if self._session is not None:
                async with asyncio.timeout(GOODBYE_WITHIN_S):
                    self._send("TEARDOWN", self._play_url, {})
                    await self._writer.drain()
                    while await self.take_one() is None:
                        pass
        self._writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(GOODBYE_WITHIN_S):
                await self._writer.wait_closed()

    def _send(self, method: str, url: str, headers: dict[str, str]) -> None:
        self._cseq += 1
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self._cseq}", f"User-Agent: ngonden/{AGENT_VERSION}"]
        authorization = self._authority.header(method, url)
        if authorization is not None:
            lines.append(f"Authorization: {authorization}")
        if self._session:
            lines.append(f"Session: {self._session}")
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
