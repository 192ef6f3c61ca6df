"""The way to the hub."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated

from msgspec import Meta, Struct

from edge.config.bounds import Port


class BrokerSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the messages go. The three files are one node's identity: all or none."""

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    port: Port = 8883
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    will_delay_s: Annotated[int, Meta(ge=0, le=3600)] = 30
    """A reconnect within this time is nobody's alarm."""
    keepalive_s: Annotated[int, Meta(ge=5, le=7200)] | None = None
    """MQTT keep-alive. Absent: 30 s, and on a metered link a little longer than the report interval."""
    reconnect_max_s: Annotated[float, Meta(ge=0.1, le=600)] = 60.0
    """The longest pause between attempts; each is shortened at random so that nodes spread out."""

    @property
    def tls(self) -> bool:
        """Whether this connection has an identity and is encrypted."""
        return self.ca_file is not None

    def __post_init__(self) -> None:
        """An identity is complete, and what is not encrypted stays on this machine."""
        given = [self.ca_file, self.cert_file, self.key_file]
        if any(given) and not all(given):
            raise ValueError(
                "`ca_file`, `cert_file` and `key_file` belong together: give all three or none"
            )
        if not any(given) and not is_loopback(self.host):
            raise ValueError(
                f"`host` {self.host!r} is another machine: plain text is for loopback only, "
                "give `ca_file`, `cert_file` and `key_file`"
            )


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
