"""Which faults of cameras stand, kept over a restart: what has begun must be told to end."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec


def load(path: Path) -> dict[str, list[str]]:
    """Event kinds by camera; empty where nothing is kept or it can't be read. Blocking."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, list[str]])
    except (OSError, msgspec.DecodeError):
        return {}


def save(path: Path, faults: Mapping[str, list[str]]) -> None:
    """Write them; a disk that refuses is borne. Blocking, and rare: only when a fault begins or ends."""
    new = path.with_suffix(".new")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes(msgspec.json.encode(faults))
        new.replace(path)
