"""How much would be lost if the disk died now: up to when each means of coming back reaches."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, get_args

from hub.backup.manifest import newest
from hub.backup.servers.archive import Archive

Of = Literal["hub", "telemetry"]
By = Literal["backup", "archive"]

BASE_AT_MOST = timedelta(days=8)
"""An archive without a base backup brings nothing back, and a long one takes hours to play."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One database by one means: what was committed before `up_to` comes back; None: nothing does."""

    of: Of
    by: By
    up_to: datetime | None

    def age_s(self, now: datetime) -> float:
        """Seconds; infinite where nothing comes back."""
        return math.inf if self.up_to is None else max(0.0, (now - self.up_to).total_seconds())


@dataclass(frozen=True, slots=True)
class Found:
    """What there is to come back by."""

    standings: list[Standing]
    archive: Archive | None
    base_at: datetime | None = None
    """When the newest base backup was ended, where somebody said in which folder they are."""
    base_missing: bool = False

    def lost_s(self, now: datetime) -> dict[Of, float]:
        """Seconds that would be lost of each database by the best means it has; infinite where it has none."""
        lost: dict[Of, float] = dict.fromkeys(get_args(Of), math.inf)
        for one in self.standings:
            lost[one.of] = min(lost[one.of], one.age_s(now))
        return lost

    def holds(self, at_most: timedelta, now: datetime) -> bool:
        """Whether no more than that would be lost of either."""
        return all(lost_s <= at_most.total_seconds() for lost_s in self.lost_s(now).values())


def look(folder: Path | None, archive: Archive | None, bases: Path | None, now: datetime) -> Found:
    """Every means that is set up: a folder of backups, an archived log. Raises RestoreError.

    Where `bases` is named and has no fresh base backup to begin from, the archive brings nothing back.
    """
    base_at = None if bases is None else newest_base(bases)
    missing = bases is not None and (base_at is None or now - base_at > BASE_AT_MOST)
    found: list[Standing] = []
    if folder is not None:
        point = newest(folder)
        for of in get_args(Of):
            there = point is not None and point.manifest.part(of) is not None
            if of == "hub" and point is not None and not there and archive is not None:
                continue  # left to the archive on purpose
            found.append(Standing(of, "backup", point.made_at if point is not None and there else None))
    if archive is not None:
        found.append(Standing("hub", "archive", None if missing else archive.up_to))
    return Found(found, archive, base_at, missing)


def newest_base(folder: Path) -> datetime | None:
    """When the newest base backup of `pg_basebackup` in a folder was ended; None where there is none.

    It writes its manifest last: a folder without one is a base backup that was not ended.
    """
    ended = [path.stat().st_mtime for path in folder.glob("*/backup_manifest")]
    return datetime.fromtimestamp(max(ended), UTC) if ended else None
