"""What is a part of what, and who stays quiet: groups of nodes, faults that others explain, announced work.

Looks only at what changed since it looked last, in memory; decides by the pure modules beside it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from hub.incidents.catalogue import CATALOGUE, GROUP_KINDS
from hub.incidents.model import (
    BACKHAUL_OUTAGE,
    COMMUNICATION_FAILURE,
    FEEDER_OUTAGE,
    HUB,
    HUB_BLIND,
    SUPPLY_LOSS,
    Evidence,
    Key,
    Place,
    QuietReason,
    Rule,
    Subject,
    Verdict,
    feeder_subject,
)
from hub.incidents.quieting.grouping import Down, Group, find_group, is_over
from hub.incidents.quieting.maintenance import Window, covers
from hub.incidents.quieting.silences import Silences
from hub.incidents.rulebook import RuleBook
from hub.incidents.standing import Book, Standing, Step, Word, feeder_of

_DOWN_KINDS = (COMMUNICATION_FAILURE, SUPPLY_LOSS)
_SLACK = timedelta(minutes=15)
"""An effect may be noticed so long before its cause; what stood longer has another cause."""

_DRAINS = timedelta(minutes=2)
"""So long after the hub hears again, what the broker held for it may still count as a word of now."""

Reporting = Callable[[Place], Collection[str]]
"""The nodes of a place's feeder that report now."""

Promised = Callable[[str], float]
"""Within how many seconds a node promises a word; 0 where nothing is known of it."""

_LONGEST_RHYTHM_S = 3600.0
"""The contract's bound of a node's intervals: a longer pause was no rhythm, but a silence."""


def nothing_promised(_: str) -> float:
    """Of no node is anything known."""
    return 0.0


class Host(Protocol):
    """What the watcher does for it."""

    rules: RuleBook

    def observe(
        self,
        subject: Subject,
        kind: str,
        verdict: Verdict,
        now: datetime,
        *,
        evidence: Callable[[], Evidence],
        by_word: bool = False,
        since: datetime | None = None,
    ) -> None:
        """See Watcher."""

    def emit(self, step: Step) -> None:
        """Have a step written."""

    def link(self, child: Key, parent: Key | None) -> None:
        """Have an incident's parent written."""

    def is_fresh(self, key: Key) -> bool:
        """Whether its opening is not written yet: then how it stands goes into its row."""

    def is_muted(self, key: Key) -> bool:
        """Whether it was resolved by hand a short while ago."""

    def concern(self, originator: str, by: int) -> None:
        """One thing more, or less, for which samples of an originator must be looked at."""

    def turn(self, key: Key, kind: str) -> Standing:
        """Go on with an open incident under another kind."""


class Arranging:
    """Told what opened and closed; `arrange` draws the conclusions."""

    def __init__(self, host: Host, book: Book) -> None:
        self._host = host
        self._book = book
        self._touched: dict[Key, None] = {}
        self._feeders: dict[str, Place] = {}
        self._windows: tuple[Window, ...] = ()
        self._blind: deque[tuple[datetime, datetime]] = deque(maxlen=32)
        self._silences = Silences()
        self.maintained: set[str] = set()
        """Poles at which people work, by their nodes' word."""

    def opened(self, standing: Standing, rule: Rule) -> None:
        """An incident opens."""
        self._touched[standing.key] = None
        kind, subject = standing.key.kind, standing.subject
        wait_s = rule.params["grouping_wait_s"]
        if wait_s > 0 and (subject.place.feeder or subject.type == "camera"):
            standing.notify_after = standing.opened_at + timedelta(seconds=wait_s)
        for other in self._neighbours(standing):
            if kind in CATALOGUE[other.key.kind].explained_by:
                self._touched[other.key] = None
        self._feeder_concerned(standing)

    def closing(self, standing: Standing, at: datetime) -> None:
        """An incident closes at this moment."""
        if standing.key.kind == HUB_BLIND:
            self._blind.append((standing.since, at + _DRAINS))
        self._silences.ended(standing, at)
        self.let_go(standing.key)
        self._feeder_concerned(standing)

    def let_go(self, cause: Key) -> None:
        """An explanation falls away: its parts must stand alone or find another."""
        self._touched |= dict.fromkeys(part.key for part in self._book.parts(cause))

    def recorded(self, standing: Standing, until: datetime) -> None:
        """History told of a loss of supply: evidence for the outage during which it was not heard."""
        if standing.key.kind == SUPPLY_LOSS:
            self.supply_evidence(standing.subject, until)

    def supply_evidence(self, subject: Subject, ended: datetime) -> None:
        """A node was without supply until then, as it tells later: its way to the hub was not to blame."""
        group = self._group_of(feeder_of(subject))
        if group is None:
            rule = self._host.rules.of(FEEDER_OUTAGE, subject.place.commune)
            step = self._silences.corrected(subject, ended, slack=_SLACK, severity=rule.severity)
            if step is not None:
                self._host.emit(step)
            return
        if subject.node not in group.members or ended < group.since - _SLACK:
            return
        group.supply_members.add(subject.node)
        if group.key.kind == BACKHAUL_OUTAGE:
            self._turn(group, max(ended, group.opened_at))

    def show(self, windows: Sequence[Window]) -> None:
        """Which announced work is under way."""
        if tuple(windows) != self._windows:
            self._windows = tuple(windows)
            self._touched |= dict.fromkeys(one.key for one in self._book)

    def maintain(self, subject: Subject, *, begins: bool) -> None:
        """People begin or end their work at a pole, by its node's word."""
        pole = subject.pole
        if pole is None or (pole in self.maintained) is begins:
            return
        (self.maintained.add if begins else self.maintained.discard)(pole)
        self._host.concern(pole, 1 if begins else -1)
        self._touched |= dict.fromkeys(
            one.key for one in self._book.of_node(subject.node) if one.subject.pole == pole
        )

    def look_again(self, key: Key) -> None:
        """Time may have ended a group."""
        group = self._book.get(key)
        if group is not None:
            self._feeders[key.originator] = group.subject.place

    def arrange(self, now: datetime, reporting: Reporting, promised_s: Promised = nothing_promised) -> None:
        """Draw the conclusions from all that was told since the last time."""
        while self._feeders or self._touched:
            feeders, self._feeders = self._feeders, {}
            for name, place in feeders.items():
                self._look_at_feeder(name, place, now, reporting)
            touched, self._touched = self._touched, {}
            for key in touched:
                standing = self._book.get(key)
                if standing is not None:
                    self._settle(standing, now, promised_s)

    def _neighbours(self, standing: Standing) -> Iterable[Standing]:
        if standing.subject.type == "feeder":
            return self._book.of_feeder(standing.key.originator)
        return self._book.of_node(standing.subject.node)

    def _feeder_concerned(self, standing: Standing) -> None:
        subject = standing.subject
        if standing.key.kind in _DOWN_KINDS and subject.place.feeder:
            self._feeders[feeder_of(subject)] = subject.place

    def _group_of(self, name: str) -> Standing | None:
        for kind in GROUP_KINDS:
            found = self._book.get(Key(name, kind))
            if found is not None:
                return found
        return None

    def _look_at_feeder(self, name: str, place: Place, now: datetime, reporting: Reporting) -> None:
        lines = [
            one for one in self._book.of_feeder(name) if one.key.kind in _DOWN_KINDS and one.subject.node
        ]
        group = self._group_of(name)
        if group is not None:
            self._follow_group(group, lines, now)
            return
        downs = _downs(lines)
        params = self._host.rules.of(FEEDER_OUTAGE, place.commune).params
        if len(downs) < params["min_nodes"]:
            return
        up = set(reporting(place)) - {down.node for down in downs}
        found = find_group(downs, up=len(up), params=params)
        if found is not None:
            self._open_group(place, found, downs, lines, now)

    def _open_group(
        self, place: Place, found: Group, downs: Sequence[Down], lines: Sequence[Standing], now: datetime
    ) -> None:
        subject = feeder_subject(place)
        self._host.observe(
            subject,
            found.kind,
            Verdict.BAD,
            now,
            evidence=lambda: found.evidence,
            by_word=True,
            since=found.since,
        )
        group = self._book.get(Key(subject.name, found.kind))
        if group is None:
            return
        group.members |= found.nodes
        group.supply_members |= {one.node for one in downs if one.has_supply_evidence}
        self._touched |= dict.fromkeys(one.key for one in lines)

    def _follow_group(self, group: Standing, lines: Sequence[Standing], now: datetime) -> None:
        parts = [one for one in self._book.parts(group.key) if one.key.kind in _DOWN_KINDS]
        unsettled = [one for one in lines if one.parent != group.key and one.key in self._touched]
        down = {one.subject.node for one in (*parts, *unsettled)}
        group.members |= down
        with_supply = {one.subject.node for one in (*parts, *unsettled) if one.key.kind == SUPPLY_LOSS}
        group.supply_members |= with_supply
        if group.key.kind == BACKHAUL_OUTAGE and with_supply:
            group = self._turn(group, now)
        params = self._host.rules.of(group.key.kind, group.subject.place.commune).params
        members, still = len(group.members), len(down)
        self._host.observe(
            group.subject,
            group.key.kind,
            Verdict.GOOD if is_over(members, still, params) else Verdict.BAD,
            now,
            evidence=lambda: {"nodes_were_down": members, "nodes_still_down": still},
            by_word=True,
        )

    def _turn(self, group: Standing, now: datetime) -> Standing:
        detail: Evidence = {
            "from": BACKHAUL_OUTAGE,
            "to": FEEDER_OUTAGE,
            "nodes_without_supply": len(group.supply_members),
        }
        rule = self._host.rules.of(FEEDER_OUTAGE, group.subject.place.commune)
        columns = {"kind": FEEDER_OUTAGE, "severity": rule.severity}
        evidence: Evidence = {"nodes_without_supply": len(group.supply_members)}
        self._host.emit(Step(group.key, "turned", now, detail, columns=columns, merge=evidence))
        turned = self._host.turn(group.key, FEEDER_OUTAGE)
        for one in self._book.of_feeder(turned.key.originator):
            self._touched[one.key] = None
        return turned

    def _settle(self, standing: Standing, now: datetime, promised_s: Promised) -> None:
        was_parent, was_quiet = standing.parent, standing.quiet
        parent = self._explain(standing)
        if parent != was_parent:
            self._book.set_parent(standing, parent)
            self._host.link(standing.key, parent)
            self._touched |= dict.fromkeys(part.key for part in self._book.parts(standing.key))
            self._count_in(standing)
        standing.quiet = self._quiet(standing)
        if self._host.is_fresh(standing.key):
            return
        if standing.quiet != was_quiet or (parent is not None and parent != was_parent):
            loud_from = None if was_parent is None else self._loud_from(standing, now, promised_s)
            self._tell(standing, was_quiet, now, loud_from)

    def _count_in(self, standing: Standing) -> None:
        group = self._book.get(standing.parent) if standing.parent is not None else None
        if group is not None and group.key.kind in GROUP_KINDS and standing.key.kind in _DOWN_KINDS:
            group.members.add(standing.subject.node)
            self._feeders[group.key.originator] = group.subject.place

    def _tell(
        self,
        standing: Standing,
        was_quiet: QuietReason | None,
        now: datetime,
        loud_from: datetime | None,
    ) -> None:
        quiet, detail = standing.quiet, {}
        if standing.parent is not None:
            detail = {"parent": standing.parent.originator, "parent_kind": standing.parent.kind}
        if quiet is None:
            columns = {"quiet_reason": None, "notify_after": loud_from}
            gone: Evidence = {"reason": was_quiet}
            self._host.emit(Step(standing.key, "released", now, gone, columns=columns))
            return
        word: Word = "grouped" if quiet == "group" else "flapping" if quiet == "flapping" else "quieted"
        told: Evidence = {"reason": quiet, **detail}
        self._host.emit(Step(standing.key, word, now, told, columns={"quiet_reason": quiet}))

    def _loud_from(self, standing: Standing, now: datetime, promised_s: Promised) -> datetime:
        """What was a part of an outage has some time to come back by itself: cameras and nodes boot slowly.

        What its node must look at before it can tell that it is well has the time of a few such looks. That a
        node speaks at all needs no look: it does so as soon as it can.
        """
        params = self._host.rules.of(FEEDER_OUTAGE, standing.subject.place.commune).params
        wait_s = params["release_wait_s"]
        if standing.key.kind != COMMUNICATION_FAILURE:
            rhythm_s = max(promised_s(standing.subject.node), *standing.pauses_s)
            wait_s = max(wait_s, params["release_looks"] * min(rhythm_s, _LONGEST_RHYTHM_S))
        return now + timedelta(seconds=wait_s)

    def _explain(self, standing: Standing) -> Key | None:
        """The outermost incident that explains this one."""
        if standing.parent is not None and self._host.is_muted(standing.parent):
            return standing.parent
        subject = standing.subject
        names = [name for name in (feeder_of(subject), subject.node, subject.pole, subject.name) if name]
        for kind in CATALOGUE[standing.key.kind].explained_by:
            for name in names:
                cause = self._book.get(Key(name, kind))
                if cause is not None and cause is not standing and self._may_follow(standing, cause):
                    return self._outermost(cause)
        return None

    def _may_follow(self, standing: Standing, cause: Standing) -> bool:
        """Whether it can have begun with its cause: a silent node went within a heartbeat of its last word.

        A cause that the hub first saw when it could hear again may be as old as its deafness.
        """
        latest = standing.since + timedelta(seconds=standing.spread_s)
        begun = [since for since, until in self._blind if since <= cause.since <= until]
        now_blind = self._book.get(Key(HUB, HUB_BLIND))
        if now_blind is not None and now_blind.since <= cause.since:
            begun.append(now_blind.since)
        return latest >= min([cause.since, *begun]) - _SLACK

    def _outermost(self, cause: Standing) -> Key:
        while cause.parent is not None:
            above = self._book.get(cause.parent)
            if above is None:
                return cause.parent
            cause = above
        return cause.key

    def _quiet(self, standing: Standing) -> QuietReason | None:
        subject = standing.subject
        if subject.pole in self.maintained or any(covers(window, subject) for window in self._windows):
            return "maintenance"
        if standing.parent is not None:
            return "group"
        return "flapping" if standing.flapping else None


def _downs(lines: Sequence[Standing]) -> list[Down]:
    """Each node once: its own word of lost supply tells more exactly when than its silence."""
    supply = {one.subject.node: one for one in lines if one.key.kind == SUPPLY_LOSS}
    silent = {one.subject.node: one for one in lines if one.key.kind == COMMUNICATION_FAILURE}
    downs = [Down(node, one.since, one.since, has_supply_evidence=True) for node, one in supply.items()]
    for node, one in silent.items():
        if node not in supply:
            latest = one.since + timedelta(seconds=one.spread_s)
            downs.append(Down(node, one.since, latest, has_supply_evidence=False))
    return downs
