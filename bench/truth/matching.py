"""Incidents held against the truth: what was found, what was missed, what was made up. Pure.

The rules stand in docs/truth-test.md. An incident is true when an episode of its kind and originator was there
when it opened; excused when something else explains it; false otherwise. An episode is found when an incident
opened for it, or when one of its kind was still open when it began.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, inf

from bench.truth.episodes import Episodes
from simulators.truth.episodes import PARTS_OF_AN_OUTAGE, Episode, Excuse, Truth
from simulators.truth.plan import Trouble

EARLY_S = 60.0
"""Clocks differ, and a contact bounces: so long before its cause an incident may open."""
AFTERMATH_S = 900.0
"""So long after its end a trip may still make somebody's telephone ring."""
UNEXPLAINED = "nothing explains it"
OF_A_TRIP = PARTS_OF_AN_OUTAGE | {"feeder_outage", "backhaul_outage"}


@dataclass(frozen=True, slots=True)
class Seen:
    """One incident of the hub; times in seconds from the year's start. `loud`: somebody was notified."""

    id: int
    kind: str
    originator: str
    opened_s: float
    closed_s: float | None
    loud: bool = True


@dataclass(slots=True)
class Score(Episodes):
    """How one kind fared. `episodes` could be noticed; `again` are further incidents of an episode."""

    optional: int = 0
    incidents: int = 0
    true: int = 0
    excused: int = 0
    false: int = 0
    again: int = 0
    not_closed: int = 0

    @property
    def precision(self) -> float | None:
        """True of true and false; None where nothing was claimed."""
        claimed = self.true + self.false
        return self.true / claimed if claimed else None

    def delay_s(self, share: float) -> float | None:
        """So much of the found was found within this time."""
        if not self.delays_s:
            return None
        return sorted(self.delays_s)[ceil(share * len(self.delays_s)) - 1]


@dataclass(slots=True)
class Comparison:
    """By kind, and what to look at when a figure is bad."""

    scores: dict[str, Score]
    missed: list[Episode]
    false: list[tuple[Seen, str]]
    """With why: nothing explains it, or what should have kept it quiet."""
    owner: dict[int, Episode]
    """Which episode an incident (by id) belongs to."""
    outlived: list[tuple[Seen, Episode]]
    """Those that stayed open too long, with what they were opened for."""


def compare(episodes: Sequence[Episode], excuses: Sequence[Excuse], seen: Sequence[Seen]) -> Comparison:
    """Match everything."""
    scores: dict[str, Score] = defaultdict(Score)
    result = Comparison(scores, [], [], {}, [])
    by_key: dict[tuple[str, str], list[Episode]] = defaultdict(list)
    for episode in episodes:
        by_key[episode.kind, episode.originator].append(episode)
    excused_by = _by_originator(excuses)
    matched: dict[tuple[str, str], list[Seen]] = defaultdict(list)
    for one in sorted(seen, key=lambda one: (one.opened_s, one.id)):
        score = scores[one.kind]
        score.incidents += 1
        owner = _owner(by_key.get((one.kind, one.originator), ()), one)
        if owner is not None:
            score.true += 1
            result.owner[one.id] = owner
            matched[one.kind, one.originator].append(one)
            continue
        excuses_here = excused_by.get(one.originator, ())
        why = _unexcused(excuses_here, one)
        later = _grown_into(by_key.get((one.kind, one.originator), ()), one)
        if later is not None and why != UNEXPLAINED:
            score.true += 1
            result.owner[one.id] = later
            matched[one.kind, one.originator].append(one)
        elif why is None:
            score.excused += 1
        else:
            score.false += 1
            result.false.append((one, why))
    for key, of_key in by_key.items():
        _score(result, of_key, matched[key])
    result.scores = dict(sorted(scores.items()))
    return result


def known_by(truth: Truth, until_s: float) -> Truth:
    """The truth so far: what has not ended need not be found yet, and what may still be open is not late."""

    def so_far(one: Episode) -> Episode:
        over, may_be_open = one.end_s + one.late_s <= until_s, one.closed_by_s > until_s
        return replace(
            one, required=one.required and over, closed_by_s=inf if may_be_open else one.closed_by_s
        )

    return Truth(
        [so_far(one) for one in truth.episodes if one.begin_s < until_s],
        truth.excuses,
        [one for one in truth.trips if one.end_s + AFTERMATH_S <= until_s],
    )


def notices_per_trip(
    trips: Sequence[Trouble],
    members: Mapping[str, frozenset[str]],
    seen: Sequence[Seen],
    owner: Mapping[int, Episode],
) -> list[int]:
    """How many notices each feeder trip made: loud incidents of the feeder and of what hangs on it.

    Those with a cause of their own don't count. `members`: by feeder, itself with its nodes, poles and cameras.
    """
    made = [0] * len(trips)
    for one in seen:
        if not one.loud or one.kind not in OF_A_TRIP:
            continue
        own = owner.get(one.id)
        if own is not None and own.what != "trip":
            continue
        began = [
            (trip.begin_s, number)
            for number, trip in enumerate(trips)
            if one.originator in members[trip.where]
            and trip.begin_s - EARLY_S <= one.opened_s <= trip.end_s + AFTERMATH_S
        ]
        if began:
            made[max(began)[1]] += 1
    return made


def _owner(episodes: Iterable[Episode], one: Seen) -> Episode | None:
    """The latest episode that was there when it opened."""
    there = [it for it in episodes if it.begin_s - EARLY_S <= one.opened_s <= it.end_s + it.late_s]
    return max(there, key=lambda it: it.begin_s, default=None)


def _grown_into(episodes: Iterable[Episode], one: Seen) -> Episode | None:
    """The first episode that began while it was open: a node that dies while its mast is silent, say."""
    grown = [
        it
        for it in episodes
        if one.opened_s < it.begin_s and (one.closed_s is None or it.begin_s < one.closed_s)
    ]
    return min(grown, key=lambda it: it.begin_s, default=None)


def _unexcused(excuses: Iterable[Excuse], one: Seen) -> str | None:
    """None where something explains the incident, else why nothing does."""
    why = UNEXPLAINED
    for excuse in excuses:
        if one.kind not in excuse.kinds or not excuse.begin_s - EARLY_S <= one.opened_s <= excuse.end_s:
            continue
        if not (excuse.must_be_quiet and one.loud):
            return None
        why = f"aloud, though part of: {excuse.why}"
    return why


def _score(result: Comparison, episodes: Sequence[Episode], matched: Sequence[Seen]) -> None:
    own: dict[int, list[Seen]] = defaultdict(list)
    for one in matched:
        own[id(result.owner[one.id])].append(one)
    for episode in episodes:
        score = result.scores[episode.kind]
        opened = [one for one in own[id(episode)] if one.opened_s >= episode.begin_s - EARLY_S]
        carried = [
            one
            for one in matched
            if one.opened_s < episode.begin_s and (one.closed_s is None or one.closed_s > episode.begin_s)
        ]
        found = bool(opened or carried)
        score.again += max(0, len(opened) - 1)
        if not episode.required:
            score.optional += 1
        else:
            score.episodes += 1
            score.found += found
            if not found:
                result.missed.append(episode)
        if found and episode.required:
            score.delays_s.append(0.0 if carried else max(0.0, opened[0].opened_s - episode.begin_s))
        last = (carried + opened)[-1] if found else None
        if last is not None and _outlived(last, episode, episodes):
            score.not_closed += 1
            result.outlived.append((last, episode))


def _outlived(last: Seen, episode: Episode, episodes: Sequence[Episode]) -> bool:
    """Whether an incident stayed open too long after its episode, and not because of the next one."""
    if episode.closed_by_s == inf or (last.closed_s is not None and last.closed_s <= episode.closed_by_s):
        return False
    return not any(episode.begin_s < it.begin_s <= episode.closed_by_s for it in episodes)


def _by_originator(excuses: Iterable[Excuse]) -> Mapping[str, Sequence[Excuse]]:
    found: dict[str, list[Excuse]] = defaultdict(list)
    for excuse in excuses:
        for originator in excuse.originators:
            found[originator].append(excuse)
    return found
