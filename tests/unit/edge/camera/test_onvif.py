"""The ONVIF questions against a hand-made device; real ones share little but the elements' names."""

import asyncio
import hashlib
import re
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from edge.camera.asking.auth import Credentials
from edge.camera.asking.onvif import OnvifDevice
from edge.camera.devices import ProbeError

NOW = datetime(2026, 3, 21, 12, 0, 0, 500_000, tzinfo=UTC)
CAMERA = Credentials("watch", "dem & trang")


@dataclass
class Device:
    """A recorder with a clock of its own and one recording; with a password, only its clock is open."""

    ahead: timedelta = timedelta(0)
    recorded_until: str = "2026-03-21T11:40:00Z"
    password: str | None = None
    date: str | None = None
    services: bool = True
    asked: list[tuple[str, bool]] = field(default_factory=list)

    def answer(self, body: str) -> tuple[int, str]:
        action = next(
            name for name in ("GetSystemDateAndTime", "GetServices", "GetRecordingSummary") if name in body
        )
        self.asked.append((action, "UsernameToken" in body))
        if action == "GetSystemDateAndTime":
            return 200, self.date if self.date is not None else self._date()
        if self.password is not None and not self._knows(body):
            return 400, "<Fault><Code>ter:NotAuthorized</Code></Fault>"
        if action == "GetServices":
            search = (
                "<tds:Service><tds:Namespace>http://www.onvif.org/ver10/search/wsdl</tds:Namespace>"
                "<tds:XAddr>http://192.168.1.9/onvif/search</tds:XAddr></tds:Service>"
            )
            other = (
                "<tds:Service><tds:Namespace>other</tds:Namespace><tds:XAddr>x</tds:XAddr></tds:Service>"
            )
            told = other + (search if self.services else "")
            return 200, f'<a xmlns:tds="http://www.onvif.org/ver10/device/wsdl">{told}</a>'
        return 200, (
            '<a xmlns:tt="http://www.onvif.org/ver10/schema"><tt:DataFrom>2026-01-01T00:00:00Z</tt:DataFrom>'
            f"<tt:DataUntil>{self.recorded_until}</tt:DataUntil></a>"
        )

    def _date(self) -> str:
        told = NOW + self.ahead
        return (
            '<?xml version="1.0"?><env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope" '
            'xmlns:tt="http://www.onvif.org/ver10/schema"><env:Body><tt:LocalDateTime><tt:Time><tt:Hour>3</tt:Hour>'
            "</tt:Time></tt:LocalDateTime><tt:UTCDateTime>"
            f"<tt:Time><tt:Hour>{told.hour}</tt:Hour><tt:Minute>{told.minute}</tt:Minute>"
            f"<tt:Second>{told.second}</tt:Second></tt:Time><tt:Date><tt:Year>{told.year}</tt:Year>"
            f"<tt:Month>{told.month}</tt:Month><tt:Day>{told.day}</tt:Day></tt:Date></tt:UTCDateTime>"
            "</env:Body></env:Envelope>"
        )

    def _knows(self, body: str) -> bool:
        """The digest of the WSS Username Token Profile: base64(sha1(nonce + created + password))."""
        parts = {
            name: re.search(rf"<{name}(?: [^>]*)?>([^<]*)<", body)
            for name in ("Username", "Password", "Nonce", "Created")
        }
        if not all(parts.values()):
            return False
        user, digest, nonce, created = (found[1] for found in parts.values() if found)
        told = NOW + self.ahead
        right_time = abs(datetime.fromisoformat(created) - told) < timedelta(seconds=5)
        expected = hashlib.sha1(
            b64decode(nonce) + created.encode() + (self.password or "").encode()
        ).digest()
        return user == "watch" and b64decode(digest) == expected and right_time

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = re.search(r"Content-Length: (\d+)", head)
            assert length
            status, body = self.answer((await reader.readexactly(int(length[1]))).decode())
            writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/onvif/"


def asking(url: str, credentials: Credentials | None = None) -> OnvifDevice:
    return OnvifDevice(url, lambda: credentials, now=lambda: NOW)


@pytest.mark.parametrize("ahead_s", [0, 95, -86_400 * 400])
async def test_a_clock_is_compared_with_ours(ahead_s: int) -> None:
    async with Device(ahead=timedelta(seconds=ahead_s)).served() as url:
        assert await asking(url).clock_offset_s() == pytest.approx(ahead_s, abs=1)


async def test_the_newest_recordings_age_is_on_the_recorders_own_clock() -> None:
    hour_behind = Device(ahead=timedelta(hours=-1), recorded_until="2026-03-21T10:40:00Z")
    async with hour_behind.served() as url:
        assert await asking(url).recording_age_s() == 20 * 60
    async with Device(recorded_until="2026-03-21T12:30:00Z").served() as url:
        assert await asking(url).recording_age_s() == 0, "a recording under way"


async def test_a_password_goes_as_a_digest_in_the_devices_own_time_and_only_where_it_must() -> None:
    device = Device(
        ahead=timedelta(days=-30), password="dem & trang", recorded_until="2026-02-19T11:59:00Z"
    )
    async with device.served() as url:
        assert await asking(url, CAMERA).recording_age_s() == 60
        assert device.asked[0] == ("GetSystemDateAndTime", False)
        assert ("GetRecordingSummary", True) in device.asked
        with pytest.raises(ProbeError, match="GetServices: answered 400"):
            await asking(url, Credentials("watch", "wrong")).recording_age_s()
        with pytest.raises(ProbeError, match="answered 400"):
            await asking(url).recording_age_s()


@pytest.mark.parametrize(
    ("date", "why"),
    [
        ("<a/>", "no UTC time"),
        ("not xml", "not XML"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "document type"),
        ("<UTCDateTime><Year>2026</Year></UTCDateTime>", "without its month"),
        (
            "<UTCDateTime><Year>2026</Year><Month>13</Month><Day>1</Day><Hour>1</Hour><Minute>1</Minute>"
            "<Second>1</Second></UTCDateTime>",
            "no possible time",
        ),
        ("<a>" + "x" * 70_000 + "</a>", "more than"),
    ],
)
async def test_odd_answers_are_probe_errors(date: str, why: str) -> None:
    async with Device(date=date).served() as url:
        with pytest.raises(ProbeError, match=why):
            await asking(url).time()


async def test_a_device_without_profile_g_says_so() -> None:
    async with Device(services=False).served() as url:
        with pytest.raises(ProbeError, match="Profile G"):
            await asking(url).recording_age_s()
    async with Device(recorded_until="soon").served() as url:
        with pytest.raises(ProbeError, match="no time"):
            await asking(url).recording_age_s()
