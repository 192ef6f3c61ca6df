"""What a backup says of itself: one `manifest.json` per point in time, beside its files."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from hub.backup.errors import RestoreError

FORMAT = 1
NAME = "manifest.json"
How = Literal["sqlite_pages", "pg_dump", "influx_portable", "secrets"]

SECRETS_LEFT_OUT = (
    "The secrets of provisioning (the authority's key, certificates, the hub's settings) are NOT in this "
    "backup: keep a copy of that folder apart, or back up with --secrets."
)


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a point. `sha256` is of the file as it lies there; `base` names the point it adds to."""

    name: str
    how: How
    file: str
    sha256: str
    size_bytes: int
    base: str | None = None
    digest: str = ""
    """Of the whole database, where it is kept as pages (see `pages.py`)."""
    digest_key: str = ""
    pages: int = 0
    changed_pages: int = 0


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub's database held at that moment."""

    database_version: str
    revision: int
    ledger_entries: int
    ledger_head: str
    rows: dict[str, int]
    """Rows per table."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A point in time that can be restored."""

    made_at: datetime
    program_version: str
    encrypted: bool
    facts: Facts | None
    """None where the hub's database is not in it: PostgreSQL archives its own log."""
    parts: list[Part]
    secrets: str = SECRETS_LEFT_OUT
    format: int = FORMAT

    def part(self, name: str) -> Part | None:
        """A part by its name; None where the point has none such."""
        return next((one for one in self.parts if one.name == name), None)


@dataclass(frozen=True, slots=True)
class Point:
    """A point in a folder of backups, by the name of its own folder."""

    name: str
    manifest: Manifest = field(compare=False)

    @property
    def made_at(self) -> datetime:
        """When its snapshot was taken."""
        return self.manifest.made_at

    @property
    def bases(self) -> set[str]:
        """The points it cannot be restored without."""
        return {part.base for part in self.manifest.parts if part.base is not None}


def point_name(made_at: datetime) -> str:
    """`20261128T060000Z`: names sort by time."""
    return made_at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def write(folder: Path, manifest: Manifest) -> None:
    """Write it, to be read by people too."""
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    (folder / NAME).write_bytes(text + b"\n")


def read(folder: Path) -> Manifest:
    """The manifest in a point's folder. Raises RestoreError."""
    path = folder / NAME
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise RestoreError(f"{path} can't be read: {error}", f"Không đọc được {path}: {error}") from None
    if found.format > FORMAT:
        raise RestoreError(
            f"{path} was written by a newer program (format {found.format}): use that one",
            f"{path} do phiên bản mới hơn ghi: hãy dùng phiên bản đó.",
        )
    return found


def points(folder: Path) -> list[Point]:
    """All points in a folder of backups, oldest first. Raises RestoreError for one that can't be read."""
    return [Point(path.name, read(path)) for path in _folders(folder)]


def newest(folder: Path) -> Point | None:
    """The newest point in a folder of backups, without reading the others. Raises RestoreError."""
    found = _folders(folder)
    return Point(found[-1].name, read(found[-1])) if found else None


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in sorted(folder.glob("[0-9]*T[0-9]*Z")) if (path / NAME).is_file()]
