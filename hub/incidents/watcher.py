"""What is open and what is pending, in memory between commits; its decisions are those of `rules`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from hub.incidents.model import Change, Evidence, OriginatorType, Rule, Verdict, Watch
from hub.incidents.rules import step


class Key(NamedTuple):
    """What there is at most one open incident of."""

    originator: str
    kind: str


@dataclass(frozen=True, slots=True)
class IncidentChange:
    """An incident that opened or closed, with what it was judged by."""

    key: Key
    originator_type: OriginatorType
    pole: str | None
    change: Change
    at: datetime
    evidence: Evidence


@dataclass(slots=True)
class Outcome:
    """What must be written: changes in order, and the watches as they stand now (None: forget it)."""

    changes: list[IncidentChange] = field(default_factory=list)
    watches: dict[Key, Watch | None] = field(default_factory=dict)


class Watcher:
    """Follows observations; `take` hands over what they changed since it was last called."""

    def __init__(self, rules: Mapping[str, Rule], watches: Mapping[Key, Watch]) -> None:
        self.rules = rules
        self._watches = dict(watches)
        self._concerned = Counter(key.originator for key in self._watches)
        self._outcome = Outcome()

    def concerns(self, originator: str) -> bool:
        """Whether anything of this originator is open or pending."""
        return originator in self._concerned

    def is_open(self, originator: str, kind: str) -> bool:
        """Whether there is an open incident."""
        watch = self._watches.get(Key(originator, kind))
        return watch is not None and watch.is_open

    def open_since(self, originator: str, kind: str) -> datetime | None:
        """Since when the trouble of an open incident lasts; None where none is open."""
        watch = self._watches.get(Key(originator, kind))
        return watch.bad_since if watch is not None and watch.is_open else None

    def is_watched(self, originator: str, kind: str) -> bool:
        """Whether anything is open or pending: else what is well changes nothing."""
        return (originator, kind) in self._watches

    def is_pending(self, originator: str, kind: str) -> bool:
        """Whether time alone could now open or close the incident."""
        watch = self._watches.get(Key(originator, kind))
        if watch is None:
            return False
        return watch.good_since is not None if watch.is_open else watch.bad_since is not None

    def pending(self, kind: str) -> list[str]:
        """The originators of which `is_pending` holds."""
        return [key.originator for key in self._watches if key.kind == kind and self.is_pending(*key)]

    def observe(
        self,
        originator: str,
        kind: str,
        verdict: Verdict,
        now: datetime,
        *,
        originator_type: OriginatorType,
        pole: str | None,
        evidence: Callable[[], Evidence],
        rule: Rule | None = None,
    ) -> None:
        """Take one observation in. `evidence` is asked only when something opens or closes.

        `rule` stands in for the kind's own thresholds.
        """
        key = Key(originator, kind)
        before = self._watches.get(key)
        if before is None:
            if verdict is not Verdict.BAD:
                return
            before = Watch()
        after, change = step(before, verdict, now, rule or self.rules[kind])
        if after == before:
            return
        if change is not None:
            since = after.bad_since if change is Change.OPENED else before.good_since
            told = {"since": (since or now).isoformat(), **evidence()}
            self._outcome.changes.append(IncidentChange(key, originator_type, pole, change, now, told))
        if after.idle:
            self._forget(key)
            self._outcome.watches[key] = None
        else:
            if key not in self._watches:
                self._concerned[originator] += 1
            self._watches[key] = after
            self._outcome.watches[key] = after

    def _forget(self, key: Key) -> None:
        if self._watches.pop(key, None) is None:
            return
        self._concerned[key.originator] -= 1
        if not self._concerned[key.originator]:
            del self._concerned[key.originator]

    def take(self) -> Outcome:
        """What is to be written now."""
        outcome, self._outcome = self._outcome, Outcome()
        return outcome
