"""What replayed history corrects: since when a lamp was dark, when it was well again, what a silent node did.

Collected while a node replays, and drawn up once it has fallen quiet: samples come newest first, then the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub.incidents.model import COMMUNICATION_FAILURE, LAMP_FAILURE, Evidence, Key, Verdict
from hub.incidents.standing import Book, Standing, Step

SETTLE = timedelta(seconds=20)
"""A replay is over when nothing of it has come for so long."""

KEEP = timedelta(days=2)
"""How long after its end an incident may still be corrected."""

_WORTH = timedelta(seconds=60)
_CHAIN = timedelta(minutes=15)
"""Samples further apart do not prove that what was so at both was so between them."""

_MOST_SAMPLES = 50_000


@dataclass(slots=True)
class Ended:
    """An incident that history may still correct."""

    key: Key
    opened_at: datetime
    since: datetime
    closed_at: datetime | None
    last_bad: datetime


@dataclass(slots=True)
class _Heard:
    """What a pole's history showed in this replay."""

    node: str
    came_at: datetime
    good: list[datetime] = field(default_factory=list)
    bad: list[datetime] = field(default_factory=list)
    other: list[datetime] = field(default_factory=list)


class Corrections:
    """Fed with history and with endings; `due` gives what is to be corrected."""

    def __init__(self) -> None:
        self._ended: dict[Key, Ended] = {}
        self._heard: dict[str, _Heard] = {}

    def closed(self, standing: Standing, at: datetime) -> None:
        """An incident closed just now."""
        if standing.key.kind in (COMMUNICATION_FAILURE, LAMP_FAILURE):
            last_bad = standing.last_bad or standing.opened_at
            self.ended(Ended(standing.key, standing.opened_at, standing.since, at, last_bad))

    def ended(self, one: Ended) -> None:
        """Remember it for a while."""
        self._ended[one.key] = one

    def take(self, node: str, pole: str, at: datetime, verdict: Verdict, now: datetime) -> None:
        """One sample of history, and what it shows of the lamp."""
        heard = self._heard.get(pole)
        if heard is None:
            heard = self._heard[pole] = _Heard(node, now)
        heard.came_at = now
        times = (
            heard.good if verdict is Verdict.GOOD else heard.bad if verdict is Verdict.BAD else heard.other
        )
        if len(times) < _MOST_SAMPLES:
            times.append(at)

    def due(self, now: datetime, book: Book) -> list[Step]:
        """Corrections from the replays that are over."""
        over = [pole for pole, heard in self._heard.items() if now - heard.came_at >= SETTLE]
        if not over:
            return []
        steps, nodes = [], dict[str, list[_Heard]]()
        for pole in over:
            heard = self._heard.pop(pole)
            nodes.setdefault(heard.node, []).append(heard)
            steps += self._lamp(Key(pole, LAMP_FAILURE), heard, now, book)
        for node, several in nodes.items():
            steps += self._silence(Key(node, COMMUNICATION_FAILURE), several, now, book)
        self._ended = {key: one for key, one in self._ended.items() if (one.closed_at or now) > now - KEEP}
        return steps

    def _known(self, key: Key, book: Book) -> Ended | None:
        standing = book.get(key)
        if standing is None:
            return self._ended.get(key)
        return Ended(key, standing.opened_at, standing.since, None, standing.last_bad or standing.opened_at)

    def _silence(self, key: Key, several: Iterable[_Heard], now: datetime, book: Book) -> list[Step]:
        """A silent node that sampled all the while was cut off, not out: what its lamps did meanwhile."""
        known = self._known(key, book)
        if known is None:
            return []
        end = known.closed_at or now
        lit, dark, other = (
            [at for heard in several for at in getattr(heard, name) if known.since <= at <= end]
            for name in ("good", "bad", "other")
        )
        times = [*lit, *dark, *other]
        if not times:
            return []
        facts: Evidence = {
            "history_samples": len(times),
            "history_lit": len(lit),
            "history_dark": len(dark),
            "history_from": min(times).isoformat(),
            "history_to": max(times).isoformat(),
        }
        return [Step(key, "corrected", now, facts, opened_at=known.opened_at, merge=facts)]

    def _lamp(self, key: Key, heard: _Heard, now: datetime, book: Book) -> list[Step]:
        known = self._known(key, book)
        if known is None:
            return []
        steps = []
        since = dark_since(known.since, heard.good, heard.bad)
        if since is not None:
            detail: Evidence = {"since_was": known.since.isoformat(), "since": since.isoformat()}
            columns = {"since_at": since}
            steps.append(Step(key, "corrected", now, detail, columns=columns, opened_at=known.opened_at))
            standing = book.get(key)
            if standing is not None:
                standing.since = since
        if known.closed_at is not None:
            mended = mended_at(known.last_bad, known.closed_at, heard.good, heard.bad)
            if mended is not None:
                moved: Evidence = {
                    "closed_was": known.closed_at.isoformat(),
                    "closed_at": mended.isoformat(),
                }
                ending = {"closed_at": mended, "closed_how": "corrected"}
                steps.append(Step(key, "corrected", now, moved, columns=ending, opened_at=known.opened_at))
                known.closed_at = mended
        return steps


def dark_since(since: datetime, good: list[datetime], bad: list[datetime]) -> datetime | None:
    """The beginning of the unbroken run of dark samples that leads up to `since`; None: no earlier one."""
    last_good = max((at for at in good if at < since), default=None)
    found = since
    for at in sorted((at for at in bad if at < since), reverse=True):
        if (last_good is not None and at < last_good) or found - at > _CHAIN:
            break
        found = at
    return found if since - found > _WORTH else None


def mended_at(
    last_bad: datetime, closed_at: datetime, good: list[datetime], bad: list[datetime]
) -> datetime | None:
    """The first lit sample after the last dark one, where that was before the closing; else None."""
    dark = max((at for at in bad if at < closed_at), default=last_bad)
    first = min((at for at in good if max(dark, last_bad) < at < closed_at), default=None)
    return first if first is not None and closed_at - first > _WORTH else None
