"""Faults that a node itself diagnoses and tells of: they open and close by its word, without a hold-off here.

The node has watched long enough before it speaks. Which kinds become incidents is data: `TOLD_KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub.incidents.catalogue import TOLD_KINDS
from hub.incidents.model import DEVICE_RESET, Evidence, Key, Subject, Verdict
from hub.incidents.watcher import Watcher

__all__ = ["TOLD_KINDS", "ToldFaults", "Word"]


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a node: (epoch, seq) tells its order among the others, whatever the clocks did."""

    epoch: str
    seq: int
    at: datetime
    live: bool


@dataclass(frozen=True, slots=True)
class _Begun:
    """A fault that began while the hub could not hear of it, and of whose end nothing is known yet."""

    at: datetime
    evidence: Evidence


class ToldFaults:
    """Turns nodes' words into observations of a watcher.

    Samples wait and travel together while events go at once, so a word may arrive after a newer one. After a
    restart `remember` brings back the order of what was heard; `ended`: when what is over now was last told
    or seen to be over, by its newest end.
    """

    def __init__(self, ended: Mapping[Key, datetime] | None = None) -> None:
        self._ended = dict(ended or {})
        self._heard: dict[Key, tuple[str, int]] = {}
        self._begun: dict[str, dict[str, _Begun]] = {}
        self._resets: dict[str, list[datetime]] = {}

    def take(
        self,
        watcher: Watcher,
        kind: str,
        subject: Subject,
        *,
        stands: bool,
        word: Word,
        evidence: Callable[[], Evidence],
    ) -> None:
        """A fault begins or stands, or has ended.

        History opens nothing. It closes what it came after; what it says began and ended unheard is kept as
        closed; what it says began opens as soon as a live word still tells of it, with its true beginning.
        """
        if kind not in TOLD_KINDS:
            return
        key = Key(subject.name, kind)
        if self._is_older(key, word) or (word.live and stands and self._is_over(key, word)):
            return
        if not word.live:
            is_open = watcher.is_open(*key)
            if stands:
                if not is_open:
                    self._begun.setdefault(key.originator, {}).setdefault(kind, _Begun(word.at, evidence()))
                return
            if not is_open:
                self._ended_unheard(watcher, kind, subject, word, evidence)
                return
            since = watcher.open_since(*key)
            if since is None or word.at < since:
                return
        self._heard[key] = (word.epoch, word.seq)
        if not stands and not watcher.is_open(*key):
            self._ended_unheard(watcher, kind, subject, word, evidence)
        begun = self._forget(key)
        watcher.observe(
            subject,
            kind,
            Verdict.BAD if stands else Verdict.GOOD,
            word.at,
            evidence=evidence if begun is None or not stands else lambda: {**begun.evidence, **evidence()},
            by_word=True,
            since=begun.at if begun is not None and begun.at <= word.at else None,
        )

    def remember(
        self, key: Key, word: Word, *, stands: bool, is_open: bool, evidence: Mapping[str, Any]
    ) -> None:
        """What was told before this process began, in the order in which it came.

        It observes nothing. A beginning in history, of which no end is known and nothing is open, waits again
        for a live word.
        """
        if self._is_older(key, word):
            return
        if word.live or not stands:
            self._forget(key)
            self._heard[key] = (word.epoch, word.seq)
        elif not is_open:
            kinds = self._begun.setdefault(key.originator, {})
            kinds.setdefault(key.kind, _Begun(word.at, dict(evidence)))

    def _is_older(self, key: Key, word: Word) -> bool:
        epoch, seq = self._heard.get(key, ("", 0))
        return epoch == word.epoch and word.seq <= seq

    def _is_over(self, key: Key, word: Word) -> bool:
        """Whether this beginning comes behind an end that an earlier process saw in a sample."""
        ended_at = self._ended.get(key)
        return ended_at is not None and word.at < ended_at

    def still_shown(
        self, watcher: Watcher, kind: str, subject: Subject, at: datetime, evidence: Callable[[], Evidence]
    ) -> None:
        """A live sample shows what history said began: then it opens now, without a hold-off."""
        begun = self._forget(Key(subject.name, kind))
        if begun is None or begun.at > at:
            return
        told = {**begun.evidence, **evidence()}
        watcher.observe(subject, kind, Verdict.BAD, at, evidence=lambda: told, by_word=True, since=begun.at)

    def has_begun(self, originator: str) -> bool:
        """Whether history told of anything here that began and has not ended."""
        return originator in self._begun

    def reset(
        self, watcher: Watcher, subject: Subject, at: datetime, cause: str, *, live: bool = True
    ) -> None:
        """A node has started anew: once is a moment, again and again is a fault. History counts as none."""
        if cause == "power_cut":
            watcher.arranging.supply_evidence(subject, at)
        if not live:
            return
        params = watcher.rules.of(DEVICE_RESET, subject.place.commune).params
        since = at - timedelta(seconds=params["reset_within_s"])
        times = [one for one in self._resets.get(subject.name, ()) if one > since]
        self._resets[subject.name] = times = [*times, at]
        if len(times) < params["reset_count"] and not watcher.is_watched(subject.name, DEVICE_RESET):
            return

        def evidence() -> Evidence:
            return {"resets": len(times), "within_s": params["reset_within_s"], "cause": cause}

        # Each one is a moment: from it on the node counts as well again, until the next.
        for verdict in (Verdict.BAD, Verdict.GOOD):
            watcher.observe(subject, DEVICE_RESET, verdict, at, evidence=evidence, by_word=True)

    def _ended_unheard(
        self,
        watcher: Watcher,
        kind: str,
        subject: Subject,
        word: Word,
        evidence: Callable[[], Evidence],
    ) -> None:
        begun = self._forget(Key(subject.name, kind))
        if begun is not None and begun.at <= word.at:
            watcher.record(
                subject, kind, since=begun.at, until=word.at, opened=begun.evidence, closed=evidence()
            )

    def _forget(self, key: Key) -> _Begun | None:
        kinds = self._begun.get(key.originator)
        found = kinds.pop(key.kind, None) if kinds is not None else None
        if kinds is not None and not kinds:
            del self._begun[key.originator]
        return found
