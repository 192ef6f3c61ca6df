"""What is open and what is pending, in memory between commits; its decisions are those of `rules`.

Observations come in by `observe`; what time alone decides comes out of `expired`; `arrange` then says what is a
part of what and who stays quiet; `take` hands over what must be written.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hub.incidents.catalogue import GROUP_KINDS
from hub.incidents.history import Corrections
from hub.incidents.model import (
    COMMUNICATION_FAILURE,
    HUB_BLIND,
    Change,
    Evidence,
    Key,
    Rule,
    Subject,
    Verdict,
    Watch,
)
from hub.incidents.quieting.arranging import Arranging, Promised, Reporting, nothing_promised
from hub.incidents.quieting.flapping import calmer, is_flapping, recent
from hub.incidents.quieting.maintenance import Window, under_way
from hub.incidents.rulebook import RuleBook
from hub.incidents.rules import step
from hub.incidents.standing import Book, Outcome, Standing, Step

_NOTHING = Watch()
_BY_STATUS = (COMMUNICATION_FAILURE, HUB_BLIND)
"""Judged by a status that lasts: time alone moves them on, as it does what was told by word."""


class Watcher:
    """Follows observations; `take` hands over what they changed since it was last called."""

    def __init__(
        self, rules: RuleBook, watches: Mapping[Key, Watch], standing: Iterable[Standing] = ()
    ) -> None:
        self.rules = rules
        self.book = Book()
        self.corrections = Corrections()
        self.arranging = Arranging(self, self.book)
        self.windows: Sequence[Window] = ()
        """Announced work, now and to come."""
        self._watches = dict(watches)
        self.concerned = Counter(key.originator for key in self._watches)
        """Originators of which anything is open or pending, and poles at which people work."""
        self._outcome = Outcome()
        self._fresh: set[Key] = set()
        self._timers: list[tuple[datetime, Key]] = []
        self._due: dict[Key, datetime] = {}
        self._openings: defaultdict[Key, list[datetime]] = defaultdict(list)
        self._muted: dict[Key, datetime] = {}
        self._muted_subjects: dict[Key, Subject] = {}
        for one in standing:
            self.book.add(one)
        for key, watch in self._watches.items():
            if watch.good_since is not None or watch.by_word:
                self.remind(key, watch.good_since or watch.bad_since)

    def concerns(self, originator: str) -> bool:
        """Whether anything of this originator is open or pending."""
        return originator in self.concerned

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

    def open_originators(self, kind: str) -> list[str]:
        """Whose incidents of this kind are open."""
        return [one.key.originator for one in self.book if one.key.kind == kind]

    def observe(
        self,
        subject: Subject,
        kind: str,
        verdict: Verdict,
        now: datetime,
        *,
        evidence: Callable[[], Evidence],
        by_word: bool = False,
        diagnosed: bool = False,
        since: datetime | None = None,
    ) -> None:
        """Take one observation in. `evidence` is asked only when something opens or closes.

        `by_word`: told once and not repeated, so it holds until something else is told, and needs no hold-off.
        `diagnosed`: shown by the readings of a node that diagnoses such faults itself, and is to speak first.
        `since`: since when it is known to last, where that is before the first observation.
        """
        key = Key(subject.name, kind)
        before = self._watches.get(key)
        if before is None:
            if verdict is not Verdict.BAD:
                return
            before = _NOTHING
        rules = self.rules
        find = rules.word if by_word else rules.patient if diagnosed else rules.of
        rule = find(kind, subject.place.commune)
        self._move(
            subject, key, before, verdict, now, rule, evidence=evidence, by_word=by_word, since=since
        )

    def _move(
        self,
        subject: Subject,
        key: Key,
        before: Watch,
        verdict: Verdict,
        now: datetime,
        rule: Rule,
        *,
        evidence: Callable[[], Evidence],
        by_word: bool,
        since: datetime | None = None,
    ) -> None:
        standing = self.book.get(key)
        if not rule.enabled:
            if not before.is_open:
                self._remember(key, Watch())
                return
            verdict, rule = Verdict.GOOD, replace(rule, clear_after_s=0)
        elif standing is not None and standing.flapping:
            rule = calmer(rule)
        if standing is not None and verdict is Verdict.BAD:
            standing.bad_at(now)
            self.book.learn(standing, subject)
        after, change = step(before, verdict, now, rule)
        if by_word and verdict is Verdict.BAD and not after.by_word:
            after = replace(after, by_word=True)
        if change is Change.OPENED and self._muted_until(key, now) is not None:
            after, change = Watch(bad_since=after.bad_since, by_word=after.by_word), None
        if change is Change.OPENED:
            self._open(subject, key, after, now, rule, evidence(), since)
        elif change is Change.CLOSED:
            self._close(key, now, {"since": (before.good_since or now).isoformat(), **evidence()})
        if after != before:
            self._remember(key, after)
            if after.idle and change is None:
                self._unmute(key)  # well again: what comes next is another fault
        if by_word or key.kind in _BY_STATUS:
            self._await(key, after, rule, now)

    def _open(
        self,
        subject: Subject,
        key: Key,
        after: Watch,
        now: datetime,
        rule: Rule,
        evidence: Evidence,
        since: datetime | None,
    ) -> None:
        begun = since or after.bad_since or now
        told = {"since": begun.isoformat(), **evidence}
        standing = Standing(key, subject, begun, now, rule.severity, last_bad=now)
        heartbeat_s = evidence.get("heartbeat_s")
        if isinstance(heartbeat_s, int):
            standing.spread_s = heartbeat_s
        self.book.add(standing)
        self._fresh.add(key)
        self.emit(Step(key, "opened", now, told, standing))
        self._openings[key] = [*recent(self._openings[key], now, rule.params), now]
        if is_flapping(self._openings[key], now, rule.params):
            standing.flapping = True
            detail = {"openings": len(self._openings[key]), "within_s": rule.params["flap_within_s"]}
            self.emit(Step(key, "flapping", now, detail))
        for part in self.book.parts(key):
            self.link(part.key, key)  # of its former row, which a person closed
        self.arranging.opened(standing, rule)

    def _close(self, key: Key, now: datetime, evidence: Evidence) -> None:
        standing = self.book.get(key)
        if standing is None:
            return
        self.emit(Step(key, "closed", now, evidence))
        self.corrections.closed(standing, now)
        self.arranging.closing(standing, now)
        self.book.remove(key)
        self._fresh.discard(key)

    def record(
        self,
        subject: Subject,
        kind: str,
        *,
        since: datetime,
        until: datetime,
        opened: Evidence,
        closed: Evidence,
    ) -> None:
        """Keep what began and ended before the hub heard of it: closed after the fact, and nobody is told."""
        key = Key(subject.name, kind)
        rule = self.rules.of(kind, subject.place.commune)
        if not rule.enabled:
            return
        standing = Standing(key, subject, since, since, rule.severity, quiet="history")
        columns = {
            "closed_at": until,
            "closed_evidence": {"since": until.isoformat(), **closed},
            "closed_how": "corrected",
            "closed_by": "",
        }
        told = {"since": since.isoformat(), **opened}
        self.emit(Step(key, "opened", since, told, standing, columns))
        self.arranging.recorded(standing, until)

    def expired(self, now: datetime) -> list[Key]:
        """What time alone may open or close now: what was told by word moves on here, the rest is returned."""
        left = []
        while self._timers and self._timers[0][0] <= now:
            at, key = heapq.heappop(self._timers)
            if self._due.get(key) != at:
                continue
            del self._due[key]
            watch = self._watches.get(key)
            if key.kind in GROUP_KINDS:
                self.arranging.look_again(key)
            elif watch is not None and watch.by_word:
                self._hold(key, watch, now)
            else:
                left.append(key)
        return left

    def _hold(self, key: Key, watch: Watch, now: datetime) -> None:
        """What was said last still holds."""
        standing = self.book.get(key)
        subject = standing.subject if standing is not None else self._muted_subjects.get(key)
        if subject is None:
            return
        verdict = Verdict.GOOD if watch.good_since is not None else Verdict.BAD
        rule = self.rules.word(key.kind, subject.place.commune)
        self._move(subject, key, watch, verdict, now, rule, evidence=lambda: {"still": True}, by_word=True)

    def remind(self, key: Key, at: datetime | None) -> None:
        """Give this key back from `expired` once this moment has come; the last call counts."""
        if at is not None and self._due.get(key) != at:
            self._due[key] = at
            heapq.heappush(self._timers, (at, key))

    def _await(self, key: Key, watch: Watch, rule: Rule, now: datetime) -> None:
        if watch.is_open:
            if watch.good_since is not None:
                self.remind(key, watch.good_since + timedelta(seconds=rule.clear_after_s))
        elif watch.bad_since is not None:
            at = watch.bad_since + timedelta(seconds=rule.hold_off_s)
            self.remind(key, max(at, self._muted.get(key, at), now))

    def arrange(self, now: datetime, reporting: Reporting, promised_s: Promised = nothing_promised) -> None:
        """Say what is a part of what, who stays quiet, and what history corrects; before each `take`."""
        if self.windows:
            self.arranging.show(under_way(self.windows, now))
        for step_ in self.corrections.due(now, self.book):
            self.emit(step_)
        self.arranging.arrange(now, reporting, promised_s)

    def plan(self, windows: Sequence[Window]) -> None:
        """The announced work as it stands in the database."""
        self.windows = windows
        if not windows:
            self.arranging.show(())

    def resolved_by_hand(self, key: Key, at: datetime) -> None:
        """A person closed it: while the same trouble goes on it stays closed for `reopen_after_s`."""
        standing = self.book.remove(key)
        if standing is None:
            return
        self.mute(key, standing.subject, at)
        watch = self._watches.get(key, _NOTHING)
        self._remember(key, replace(watch, is_open=False, good_since=None))
        if watch.by_word or key.kind in _BY_STATUS:
            self.remind(key, self._muted[key])
        if key.kind not in GROUP_KINDS:
            self.arranging.closing(standing, at)

    def mute(self, key: Key, subject: Subject, at: datetime) -> None:
        """Resolved by hand at this moment: it does not open again until a while after."""
        rule = self.rules.of(key.kind, subject.place.commune)
        self._muted[key] = at + timedelta(seconds=rule.params["reopen_after_s"])
        self._muted_subjects[key] = subject

    def opened_before(self, key: Key, at: datetime) -> None:
        """It opened at this moment, as an earlier process wrote: counts for flapping."""
        self._openings[key].append(at)

    def emit(self, step: Step) -> None:
        """Have a step written with the next `take`."""
        self._outcome.changes.append(step)

    def link(self, child: Key, parent: Key | None) -> None:
        """Have an incident's parent written with the next `take`."""
        self._outcome.parents[child] = parent

    def concern(self, originator: str, by: int) -> None:
        """One thing more, or less, for which samples of an originator must be looked at."""
        self.concerned[originator] += by
        if not self.concerned[originator]:
            del self.concerned[originator]

    def is_fresh(self, key: Key) -> bool:
        """Whether its opening is not written yet: then how it stands goes into its row."""
        return key in self._fresh

    def is_muted(self, key: Key) -> bool:
        """Whether it was resolved by hand a short while ago."""
        return key in self._muted

    def turn(self, key: Key, kind: str) -> Standing:
        """Go on with an open incident under another kind."""
        standing = self.book.get(key)
        assert standing is not None
        parts, turned = self.book.parts(key), Key(key.originator, kind)
        self.book.remove(key)
        standing.key = turned
        standing.severity = self.rules.of(kind, standing.subject.place.commune).severity
        self.book.add(standing)
        for part in parts:
            self.book.set_parent(part, turned)
        for child, parent in self._outcome.parents.items():
            if parent == key:
                self._outcome.parents[child] = turned
        watch = self._watches.get(key, _NOTHING)
        self._remember(key, _NOTHING)
        self._remember(turned, watch)
        if key in self._fresh:
            self._fresh.add(turned)
        return standing

    def _muted_until(self, key: Key, now: datetime) -> datetime | None:
        until = self._muted.get(key)
        if until is not None and now >= until:
            self._unmute(key)
            return None
        return until

    def _unmute(self, key: Key) -> None:
        if self._muted.pop(key, None) is not None:
            self._muted_subjects.pop(key, None)
            self.arranging.let_go(key)

    def _remember(self, key: Key, watch: Watch) -> None:
        known = key in self._watches
        if watch.idle:
            if not known:
                return
            del self._watches[key]
            self._outcome.watches[key] = None
            self.concern(key.originator, -1)
            return
        if not known:
            self.concern(key.originator, 1)
        self._watches[key] = watch
        self._outcome.watches[key] = watch

    def take(self) -> Outcome:
        """What is to be written now."""
        outcome, self._outcome = self._outcome, Outcome()
        self._fresh.clear()
        return outcome
