"""Two questions of ONVIF: what time does the device have, and until when did it record?

zeep and onvif-zeep load lxml and megabytes of WSDL for what are two small envelopes. Device service:
GetSystemDateAndTime (open to all by the standard), GetServices; Search service (Profile G):
GetRecordingSummary. WS-UsernameToken with digest: WSS Username Token Profile 1.0.
"""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from secrets import token_bytes
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from edge.camera.asking.auth import Credentials
from edge.camera.asking.http import request
from edge.camera.devices import ProbeError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

ANSWER_BYTES = 65_536
ANSWER_WITHIN_S = 8.0
DEVICE = "http://www.onvif.org/ver10/device/wsdl"
SEARCH = "http://www.onvif.org/ver10/search/wsdl"
_WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
_SECURITY = (
    '<Security xmlns="{wss}wssecurity-secext-1.0.xsd" s:mustUnderstand="1"><UsernameToken>'
    "<Username>{user}</Username>"
    '<Password Type="{wss}username-token-profile-1.0#PasswordDigest">{digest}</Password>'
    '<Nonce EncodingType="{wss}soap-message-security-1.0#Base64Binary">{nonce}</Nonce>'
    '<Created xmlns="{wss}wssecurity-utility-1.0.xsd">{created}</Created></UsernameToken></Security>'
)


class OnvifDevice:
    """A camera, or the recorder behind it, at its device service: http://HOST/onvif/device_service."""

    def __init__(
        self,
        url: str,
        credentials: Callable[[], Credentials | None] = lambda: None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._url = url
        self._credentials = credentials
        self._now = now
        self._ahead = timedelta(0)
        self._search_url: str | None = None

    async def time(self) -> datetime:
        """The device's UTC, to a second. Raises ProbeError."""
        answer = await self._ask(self._url, "GetSystemDateAndTime", DEVICE)
        utc = next(_named(answer, "UTCDateTime"), None)
        if utc is None:
            raise ProbeError("tells no UTC time")
        fields = []
        for name in ("Year", "Month", "Day", "Hour", "Minute", "Second"):
            text = next((one.text for one in _named(utc, name)), "")
            if not (text or "").strip().isdigit():
                raise ProbeError(f"tells a UTC time without its {name.lower()}")
            fields.append(int(text or ""))
        try:
            # A leap second's 60 is no second of ours.
            told = datetime(*fields[:5], min(fields[5], 59), tzinfo=UTC)  # type: ignore[misc, arg-type]
        except ValueError as error:
            raise ProbeError(f"tells no possible time: {error}") from None
        self._ahead = told - self._now()
        return told

    async def clock_offset_s(self) -> float:
        """The device's clock minus ours, seconds; right to a second or so. Raises ProbeError."""
        before = self._now()
        told = await self.time()
        middle = before + (self._now() - before) / 2
        # It tells whole seconds, so on average half of one has passed unsaid.
        return round((told - middle).total_seconds() + 0.5, 1)

    async def recording_age_s(self) -> float:
        """Seconds since the newest recording ended, on the device's own clock. Raises ProbeError."""
        told = await self.time()
        if self._search_url is None:
            self._search_url = await self._find_search()
        answer = await self._ask(self._search_url, "GetRecordingSummary", SEARCH)
        until = next(_named(answer, "DataUntil"), None)
        if until is None:
            raise ProbeError("tells no end of its recordings")
        try:
            ended = datetime.fromisoformat((until.text or "").strip())
        except ValueError:
            raise ProbeError(f"tells no time as the end of its recordings: {until.text!r:.40}") from None
        if ended.tzinfo is None:
            ended = ended.replace(tzinfo=UTC)
        return max(0.0, (told - ended).total_seconds())

    async def _find_search(self) -> str:
        inner = "<IncludeCapability>false</IncludeCapability>"
        answer = await self._ask(self._url, "GetServices", DEVICE, inner)
        for service in _named(answer, "Service"):
            spaces = [(one.text or "").strip() for one in _named(service, "Namespace")]
            addresses = [(one.text or "").strip() for one in _named(service, "XAddr")]
            if SEARCH in spaces and addresses:
                # A device behind a translated address tells the one it knows itself by: keep ours.
                path = urlsplit(addresses[0]).path or "/"
                return urlsplit(self._url)._replace(path=path, query="").geturl()
        raise ProbeError("has no Search service: it does not speak ONVIF Profile G")

    async def _ask(self, url: str, action: str, namespace: str, inner: str = "") -> Element:
        """Ask without a password first, then by HTTP authentication or a username token."""
        credentials = await asyncio.to_thread(self._credentials)
        body = f'<{action} xmlns="{namespace}">{inner}</{action}>'
        refused = ""
        for token in ("", self._token(credentials)):
            if refused and not token:
                break
            try:
                status, raw = await request(
                    url,
                    credentials=credentials,
                    body=_envelope(token, body),
                    content_type=f'application/soap+xml; charset=utf-8; action="{namespace}/{action}"',
                    max_bytes=ANSWER_BYTES,
                    within_s=ANSWER_WITHIN_S,
                )
            except (OSError, EOFError, TimeoutError) as error:
                raise ProbeError(f"{action}: {error or 'no answer in time'}") from None
            if status == 200:
                return _parsed(raw)
            # A fault for want of a password comes as 400, 401 or 500, as devices please.
            refused = f"{action}: answered {status}"
        raise ProbeError(refused)

    def _token(self, credentials: Credentials | None) -> str:
        if credentials is None:
            return ""
        nonce = token_bytes(16)
        # Devices refuse a token whose time is not theirs, right or wrong.
        created = f"{self._now() + self._ahead:%Y-%m-%dT%H:%M:%SZ}"
        # SHA-1 is what the profile prescribes.
        digest = hashlib.sha1(
            nonce + created.encode() + credentials.password.encode(), usedforsecurity=False
        ).digest()
        return _SECURITY.format(
            wss=_WSS,
            user=escape(credentials.user),
            digest=b64encode(digest).decode(),
            nonce=b64encode(nonce).decode(),
            created=created,
        )


def _envelope(token: str, body: str) -> bytes:
    header = f"<s:Header>{token}</s:Header>" if token else ""
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">'
        f"{header}<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def _parsed(raw: bytes) -> Element:
    from xml.etree.ElementTree import ParseError, fromstring

    # Without a document type there are no entities, so nothing in a bounded answer can grow.
    if b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:
        raise ProbeError("an answer with a document type is not read")
    try:
        return fromstring(raw)  # noqa: S314 - see above
    except ParseError as error:
        raise ProbeError(f"not XML: {error}") from None


def _named(element: Element, name: str) -> Iterator[Element]:
    """Elements of that name, whatever their namespace: devices differ in the version they put there."""
    return (one for one in element.iter() if one.tag.rpartition("}")[2] == name)
