"""What the link costs, and what is tried when it is dead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Command = Annotated[list[Annotated[str, Meta(min_length=1)]], Meta(max_length=32)]


class LinkSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How eagerly the node speaks, and its ladder out of a dead link. What is absent follows from `kind`."""

    kind: Literal["wired", "metered"] = "wired"
    """`metered`: every byte on air is paid, as on a SIM card."""
    report_interval_s: Annotated[float, Meta(ge=0, le=3600)] | None = None
    """How long samples may wait to travel together. Wired 0, metered 600; the hub may change it."""
    packed: bool | None = None
    """Whether payloads are packed (docs/protocol.md). Wired no, metered yes."""
    answer_within_s: Annotated[float, Meta(ge=1, le=86_400)] | None = None
    """A broker that has not answered for so long is gone, whatever TCP believes. Wired 10, metered 60."""
    history_bytes_per_s: Annotated[float, Meta(ge=100, le=1e9)] | None = None
    """Payload rate at which history is handed over. Wired without a limit, metered 4000."""
    stalled_after_s: Annotated[float, Meta(ge=10, le=86_400)] = 300.0
    """So long without the hub's word on what was sent, and the connection is made anew, once."""
    modem_reset_command: Command = []
    """Program and arguments that restart the modem; empty: never."""
    modem_reset_after_s: Annotated[float, Meta(ge=60, le=7 * 86_400)] = 900.0
    """So long without the broker before the modem is reset."""
    modem_reset_every_s: Annotated[float, Meta(ge=60, le=7 * 86_400)] = 3600.0
    """The pause before the second reset of one outage; it doubles up to a day."""
    reboot_command: Command = []
    """Program and arguments that restart the machine; empty: never."""
    reboot_after_s: Annotated[float, Meta(ge=600, le=30 * 86_400)] = 6 * 3600.0
    """So long without the broker before the machine is restarted."""
    reboot_every_s: Annotated[float, Meta(ge=3600, le=30 * 86_400)] = 86_400.0
    """The machine has run at least so long before that; doubled by each restart that did not help."""
    command_within_s: Annotated[float, Meta(ge=1, le=600)] = 60.0
    """A reset or restart command that runs longer is ended."""
