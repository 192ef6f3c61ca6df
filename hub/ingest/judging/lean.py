"""Telemetry decoded for speed: the contract's own types, less the checks that a lookup makes superfluous.

Whatever decodes here and passes the fast lane's lookups also decodes by `protocol.decode`, to the same
values: names are compared with known ones in place of being matched by pattern, an epoch with known epochs
in place of being parsed, and an unknown field (which might be a quantity in a wrong unit) is left to the
slow lane.
"""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from protocol.messages import (
    BatteryReading,
    CabinetReading,
    CameraReading,
    Code,
    LampCounters,
    LampReading,
    MeterReading,
    Sample,
    SchemaVersion,
    UtcTime,
    Word,
)


class _Lamp(LampReading, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    reason: str


class _Meter(MeterReading, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    pass


class _Camera(CameraReading, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    pass


class _Counters(LampCounters, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    pass


class _Battery(BatteryReading, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    pass


class _Cabinet(CabinetReading, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    phases: Annotated[list[_Meter], Meta(max_length=3)] = []  # type: ignore[assignment]  # noqa: RUF012


class LeanSample(Sample, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A sample whose pole and reason are still to be looked up."""

    pole: str
    lamp: _Lamp
    meter: _Meter | None = None
    cameras: Annotated[list[_Camera], Meta(max_length=32)] = []  # type: ignore[assignment]  # noqa: RUF012
    counters: _Counters | None = None
    battery: _Battery | None = None
    cabinet: _Cabinet | None = None


class LeanTelemetry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A message whose node and epoch are still to be compared with known ones."""

    v: SchemaVersion
    node: str
    epoch: str
    sent_at: UtcTime
    samples: Annotated[list[LeanSample], Meta(min_length=1, max_length=500)]


decode_lean = msgspec.json.Decoder(LeanTelemetry).decode
"""Raises msgspec.MsgspecError, UnicodeDecodeError or RecursionError for what only the slow lane can judge."""


def _search(word: object) -> re.Pattern[str]:
    (meta,) = word.__metadata__  # type: ignore[attr-defined]
    return re.compile(meta.pattern)


CODE = _search(Code)
WORD = _search(Word)
"""The contract's own patterns; like the decoder, use them with `search`."""
