"""Where a webhook may lead: https to a public address. Guards the hub's own network."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

Resolve = Callable[[str, int], Sequence[str]]


class UnsafeAddressError(ValueError):
    """The address may not be asked; texts in English and Vietnamese."""

    def __init__(self, detail: str, detail_vi: str) -> None:
        super().__init__(detail)
        self.detail_vi = detail_vi


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address taken apart."""

    scheme: str
    host: str
    port: int
    target: str


def parse(url: str, *, allow_private: bool) -> Endpoint:
    """Take a webhook's URL apart; raises UnsafeAddressError.

    Without `allow_private` only https is taken, and no address that is written as a private one.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _unreadable() from None
    host = parts.hostname or ""
    if (
        parts.scheme not in ("http", "https")
        or not host
        or parts.username
        or parts.password
        or parts.fragment
    ):
        raise _unreadable()
    if parts.scheme == "http" and not allow_private:
        raise UnsafeAddressError("a webhook needs https", "Địa chỉ nhận phải bắt đầu bằng https.")
    endpoint = Endpoint(
        parts.scheme,
        host,
        port or (443 if parts.scheme == "https" else 80),
        (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
    )
    if not allow_private:
        _check_literal(host)
    return endpoint


def pinned(endpoint: Endpoint, *, allow_private: bool, resolve: Resolve | None = None) -> str:
    """The IP address to connect to; raises UnsafeAddressError where any that the name has is private.

    The caller connects to this very address: a name that answers otherwise the next moment gains nothing.
    Raises OSError where the name is not known.
    """
    found = (resolve or _resolve)(endpoint.host, endpoint.port)
    if not allow_private:
        for one in found:
            if not _public(one):
                raise _private(endpoint.host)
    return found[0]


def _check_literal(host: str) -> None:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
            raise _private(host) from None
        return
    if not _public(host):
        raise _private(host)


def _public(text: str) -> bool:
    address = ipaddress.ip_address(text)
    mapped = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    if mapped is not None:
        address = mapped
    return address.is_global and not address.is_multicast


def _resolve(host: str, port: int) -> Sequence[str]:
    return [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _private(host: str) -> UnsafeAddressError:
    return UnsafeAddressError(
        f"{host} is an address of a private network",
        f"{host} là địa chỉ trong mạng nội bộ nên không được nhận.",
    )


def _unreadable() -> UnsafeAddressError:
    return UnsafeAddressError(
        "give an address such as https://example.vn/hook, without a password in it",
        "Hãy ghi địa chỉ như https://example.vn/hook, không kèm mật khẩu.",
    )
