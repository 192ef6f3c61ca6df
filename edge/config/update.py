"""How the agent itself is updated."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from edge.config.broker import is_loopback


class UpdateSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether the hub may have another release installed, and how long that one is on trial."""

    base_url: Annotated[str, Meta(max_length=500)] | None = None
    """Where release files are fetched from; without it the hub's word on releases is not followed."""
    rate_kb_s: Annotated[float, Meta(ge=1, le=100_000)] = 64.0
    """How fast at most, kB (1000 bytes) a second: messages share the link."""
    trial_s: Annotated[float, Meta(ge=60, le=7 * 86_400)] = 3600.0
    """A new release that the hub has not confirmed after so long is rolled back."""
    trial_starts: Annotated[int, Meta(ge=1, le=20)] = 3
    """A new release is started so often without the hub's confirmation; then it is rolled back."""

    def __post_init__(self) -> None:
        """A release comes over an encrypted line, or from this machine."""
        if self.base_url is None:
            return
        url = urlsplit(self.base_url)
        if url.scheme not in ("http", "https") or not url.hostname or self.base_url.endswith("/"):
            raise ValueError(
                '`base_url` looks like "https://hub.example/releases", without a slash at its end'
            )
        if url.scheme == "http" and not is_loopback(url.hostname):
            raise ValueError(f"`base_url` {self.base_url!r} is another machine: use https")
