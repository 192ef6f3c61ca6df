"""What the ingest knows of coverage between commits: one call per accepted sample, one write per commit.

While a lamp stays as it is, a sample only moves a number in memory; the database gets the stretch every
quarter of an hour. Anything else (another state, a gap, a new day, history) is written with the very commit
that stores the sample. So what memory holds beyond the database is always "the same state up to the newest
sample", and the newest sample's time is in the database: after a crash `load` puts back exactly what was lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from hub.uptime.coverage.minutes import mark
from hub.uptime.coverage.states import (
    DAY_S,
    SLOT_S,
    SLOTS,
    camera_state,
    day_start_s,
    lamp_state,
    local_day_of,
)
from hub.uptime.coverage.store import Key, Part, last_runs, write_parts
from protocol import LampCounters, Sample

FLUSH_S = 900.0
"""A stretch that goes on is written at least this often, by the clock and by the samples' own time.

A queue that comes at once brings an hour in a second: without the second half a crash then lost the hour.
"""

KEEP_DAYS = 62
"""Coverage older than this is gone and its day's uptime final; no node keeps samples so long (30 days)."""

_LAMP, _CAMERA = "lamp", "camera"


class Tail:
    """The newest stretch of one lamp or camera: `state` from `first_s` (not yet written) to `last_s`."""

    __slots__ = ("day", "day_end_s", "first_s", "key", "last_s", "queued", "replaced", "settled", "state")

    def __init__(self, key: tuple[str, str], day: int, last_s: int, state: int, *, settled: bool) -> None:
        self.key = key
        self.day = day
        self.state = state
        self.last_s = last_s
        self.first_s = last_s + SLOT_S
        self.day_end_s = day_start_s(day) + DAY_S
        self.settled = settled
        self.queued = False
        self.replaced = False


class CoverageKeeper:
    """All lamps and cameras heard. Belongs to one ingest; a failed commit throws it away with the rest."""

    def __init__(self) -> None:
        self._lamps: dict[str, Tail] = {}
        self._cameras: dict[str, Tail] = {}
        self._parts: dict[Key, Part] = {}
        self._fresh: list[Tail] = []
        self._waiting: deque[tuple[float, Tail]] = deque()

    def sample(self, sample: Sample, at_s: float, rated_w: float | None) -> None:
        """Take in one accepted sample, live or history, in any order; `at_s` is the time it is filed under.

        Under a microsecond where the lamp stays as it is.
        """
        pole = sample.pole
        self.follow(self._lamps.get(pole), pole, at_s, lamp_state(sample, rated_w))
        if sample.counters is not None:
            self._count(pole, at_s, sample.counters)
        if sample.cameras:
            maintenance = sample.lamp.reason == "maintenance"
            for camera in sample.cameras:
                code = camera.camera
                seen = camera_state(camera, maintenance=maintenance)
                self._step(self._cameras, _CAMERA, code, self._cameras.get(code), at_s, seen)

    def follow(self, tail: Tail | None, pole: str, at_s: float, state: int) -> Tail:
        """As `sample`, of one that tells of its lamp alone, and for which `lamp_state` is known.

        `tail` is what the last call for this pole returned, its newest stretch: it need not be looked up.
        """
        if tail is None or tail.replaced or tail.state != state or not 0 <= at_s - tail.last_s < SLOT_S:
            self._step(self._lamps, _LAMP, pole, self._lamps.get(pole), at_s, state)
            return self._lamps[pole]
        return tail

    def due(self, now: datetime) -> bool:
        """Whether there is anything to write, also where no sample came."""
        return bool(self._parts or (self._waiting and now.timestamp() - self._waiting[0][0] >= FLUSH_S))

    def write(self, conn: Connection, revision: int, now: datetime) -> None:
        """Write what has changed and what has waited long enough, within the caller's transaction."""
        now_s = now.timestamp()
        self._waiting.extend((now_s, tail) for tail in self._fresh)
        self._fresh.clear()
        while self._waiting and now_s - self._waiting[0][0] >= FLUSH_S:
            tail = self._waiting.popleft()[1]
            tail.queued = False
            self._put(tail)
        if self._parts:
            parts, self._parts = self._parts, {}
            oldest = local_day_of(now_s) - KEEP_DAYS
            write_parts(conn, {key: part for key, part in parts.items() if key[2] >= oldest}, revision)

    def load(self, conn: Connection, lamps: Mapping[str, float], cameras: Mapping[str, float]) -> None:
        """Put back what a process that ended had not written yet.

        By code, the time of the newest stored sample of each pole, and of that sample for each camera in it,
        seconds since 1970.
        """
        for kind, tails, newest_at_s in ((_LAMP, self._lamps, lamps), (_CAMERA, self._cameras, cameras)):
            keys = [(kind, code, local_day_of(at_s)) for code, at_s in newest_at_s.items()]
            for (_, code, day), (slot, state) in last_runs(conn, keys).items():
                begin_s = day_start_s(day)
                tail = Tail((kind, code), day, begin_s + slot * SLOT_S, state, settled=True)
                newest_s = begin_s + int(newest_at_s[code] - begin_s) // SLOT_S * SLOT_S
                if 0 < newest_s - tail.last_s <= FLUSH_S + SLOT_S:
                    tail.last_s = newest_s
                    self._queue(tail)
                tails[code] = tail

    def _step(
        self, tails: dict[str, Tail], kind: str, code: str, tail: Tail | None, at_s: float, state: int
    ) -> None:
        if tail is not None and tail.state == state:
            since_s = at_s - tail.last_s
            if 0 <= since_s < SLOT_S:
                return
            if SLOT_S <= since_s < 2 * SLOT_S and tail.settled and at_s < tail.day_end_s:
                tail.last_s += SLOT_S
                if tail.last_s - tail.first_s >= FLUSH_S:
                    self._put(tail)
                elif not tail.queued:
                    self._queue(tail)
                return
        day = local_day_of(at_s)
        begin_s = day_start_s(day)
        slot = min(int(at_s - begin_s) // SLOT_S, SLOTS - 1)
        mark(self._part((kind, code, day)).minutes, slot, slot, state)
        slot_s = begin_s + slot * SLOT_S
        if tail is not None:
            if slot_s < tail.last_s:
                return  # history: it is written, and the present goes on as it was
            self._put(tail)
            tail.replaced = True
        # Settled once two minutes in a row are written with this state: the second one's is surely its own.
        settled = tail is not None and tail.state == state and slot_s == tail.last_s + SLOT_S
        tails[code] = Tail((kind, code), day, slot_s, state, settled=settled)

    def _count(self, pole: str, at_s: float, counters: LampCounters) -> None:
        self._part((_LAMP, pole, local_day_of(at_s))).count(at_s, counters.energy_wh)

    def _queue(self, tail: Tail) -> None:
        tail.queued = True
        self._fresh.append(tail)

    def _part(self, key: Key) -> Part:
        part = self._parts.get(key)
        if part is None:
            part = self._parts[key] = Part()
        return part

    def _put(self, tail: Tail) -> None:
        """Hand what is not written of a stretch to the next write."""
        if tail.last_s < tail.first_s:
            return
        begin_s = day_start_s(tail.day)
        first, last = (tail.first_s - begin_s) // SLOT_S, (tail.last_s - begin_s) // SLOT_S
        mark(self._part((*tail.key, tail.day)).minutes, first, last, tail.state)
        tail.first_s = tail.last_s + SLOT_S
