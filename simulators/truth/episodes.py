"""The truth: which incidents a hub should have had, and which it may have because of something else.

An episode is required only where it could be noticed: for at least so long as its own hold-offs take, its node
had power and a way to the hub, nobody worked there, its clock did not lie, and the hub listened. Others may be
found or not. Why each time is what it is stands in docs/truth-test.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from simulators.lamp_circuit import EVENING_TAP_W
from simulators.lamp_year import TROUBLES
from simulators.truth.layout import Layout, Site
from simulators.truth.moment import SHOWN_HOURS
from simulators.truth.plan import CAMERA_TROUBLES, HOUR_S, LAMP_TROUBLES, Trouble
from simulators.truth.senses import TOLERANCE
from simulators.truth.spans import Span, after_seen, daily, longest_s, merged, overlap_s, without
from simulators.truth.world import HEARTBEAT_S

HUB = "hub"
NIGHT, EVENING, DAY = (19.0, 29.0), (19.0, 23.0), (7.0, 17.0)
BEFORE_DARK = (18.0, 19.0)
"""In these hours evening taps have begun, and some lamps are not due yet."""
BACK_WITHIN_S = 300.0
"""Booting, the clock, and finding the way to the broker."""
UNSEEN_NEEDS_S = 3 * HEARTBEAT_S + 600.0
"""A silence that began while nobody listened shows only by three missed heartbeats."""


@dataclass(frozen=True, slots=True)
class Showing:
    """When a trouble can be noticed: in these local hours, for so long in one go."""

    hours: tuple[float, float]
    needs_s: float


UNSYNCED_NEEDS_S = 7.5 * HOUR_S
"""A clock that is wrong for less than six hours is borne; it is seen by two samples, which may be far apart."""
PARTS_OF_AN_OUTAGE = frozenset(
    {"communication_failure", "supply_loss", "meter_stale", "camera_offline", "camera_stream_lost"}
)
"""What goes without mains, or without a way to the hub: all of it is one outage."""
ALWAYS = (0.0, 24.0)
INPUTS = {
    "door open": ("cabinet_door_open", 5.0),
    "heat": ("high_temperature", 900.0),
    "fuse": ("supply_loss", 5.0),
}
"""The kind, and how long it takes to be told when it begins before everybody's eyes."""
SHOWINGS: dict[str, tuple[Showing, ...]] = {
    "burnt out": (Showing(NIGHT, HOUR_S),),
    "stuck contactor": (Showing(DAY, HOUR_S),),
    "relay inverted": (Showing(DAY, HOUR_S), Showing(NIGHT, HOUR_S)),
    "comes and goes": (Showing(NIGHT, 2.5 * HOUR_S),),
    "fades": (Showing(EVENING, 1.5 * HOUR_S),),
    "overdriven": (Showing(EVENING, 1.5 * HOUR_S),),
    "capacitor gone": (Showing(EVENING, 1.5 * HOUR_S),),
    "tapped in the evening": (Showing((18.75, 22.0), 1.5 * HOUR_S),),
    "tapped by day": (Showing((9.0, 15.0), 1.5 * HOUR_S),),
    "voltage sags": (Showing((18.0, 22.0), HOUR_S),),
    "voltage soars": (Showing((22.0, 29.0), HOUR_S),),
    "meter silent": (Showing(ALWAYS, HOUR_S),),
    "meter frozen": (Showing(ALWAYS, 2.5 * HOUR_S),),
    "camera clock drift": (Showing(ALWAYS, 4.5 * HOUR_S),),
    "recording gap": (Showing(ALWAYS, 2.5 * HOUR_S),),
}
SHOWINGS |= {name: (Showing(ALWAYS, 1.25 * HOUR_S),) for name in CAMERA_TROUBLES if name not in SHOWINGS}


@dataclass(frozen=True, slots=True)
class Episode:
    """One incident as it should be. `late_s`: how long after the end it may still open; `closed_by_s`: when it
    should have closed at the latest.
    """

    kind: str
    originator: str
    begin_s: float
    end_s: float
    what: str
    required: bool
    late_s: float
    closed_by_s: float


@dataclass(frozen=True, slots=True)
class Excuse:
    """Incidents of these kinds and originators are no false alarms in this time: something else explains them.

    `must_be_quiet`: only where nobody was notified of them.
    """

    kinds: frozenset[str]
    originators: frozenset[str]
    begin_s: float
    end_s: float
    why: str
    must_be_quiet: bool


@dataclass(frozen=True, slots=True)
class Truth:
    """All of it. `trips` are the feeder trips among the troubles."""

    episodes: Sequence[Episode]
    excuses: Sequence[Excuse]
    trips: Sequence[Trouble]


def truth_of(layout: Layout, plan: Sequence[Trouble]) -> Truth:
    """What the plan's troubles mean for a hub."""
    return _Teller(layout, plan).tell()


class _Teller:
    def __init__(self, layout: Layout, plan: Sequence[Trouble]) -> None:
        self._layout = layout
        self._plan = plan
        self._sites = {site.node: site for site in layout.sites}
        self._site_of: dict[str, Site] = {site.pole.code: site for site in layout.sites}
        self._site_of |= layout.cameras | self._sites
        self._deaf = merged(
            (one.begin_s, one.end_s + BACK_WITHIN_S)
            for one in plan
            if one.what in ("hub down", "broker down")
        )
        self._hidden = self._hidden_spans()
        self._episodes: list[Episode] = []
        self._excuses: list[Excuse] = []

    def tell(self) -> Truth:
        for it in self._plan:
            if it.what in LAMP_TROUBLES:
                self._lamp(it)
            elif it.what in CAMERA_TROUBLES:
                self._watched(it, CAMERA_TROUBLES[it.what], [(it.begin_s, it.end_s)], 6 * HOUR_S)
            elif it.what in ("trip", "backhaul"):
                self._feeder(it)
            elif it.what in ("hub down", "broker down"):
                self._add(it, "hub_blind", HUB, required=it.lasts_s >= 300)
            else:
                self._node(it)
        trips = [it for it in self._plan if it.what == "trip"]
        return Truth(self._episodes, self._excuses, trips)

    def _lamp(self, it: Trouble) -> None:
        kind = TROUBLES[it.what]
        assert kind is not None
        hours = SHOWN_HOURS.get(it.what)
        spans = [(it.begin_s, it.end_s)] if hours is None else list(daily((it.begin_s, it.end_s), hours))
        self._watched(it, kind, spans, 26 * HOUR_S)
        if it.what == "relay inverted":
            # One direction shows first and looks like a dead lamp, or like a contactor that sticks.
            kinds = frozenset({"lamp_failure", "lamp_unexpected_on"})
            self._excuse(it, kinds, [it.where], must_be_quiet=False, late_s=HOUR_S)
        elif it.what == "tapped in the evening" and self._taps_like_its_lamp(it.where):
            # Until the lamp is lit beside it, its power cannot be told from the lamp's own.
            for begin_s, end_s in daily((it.begin_s, it.end_s), BEFORE_DARK):
                early = replace(it, begin_s=begin_s, end_s=end_s)
                kinds = frozenset({"lamp_unexpected_on"})
                self._excuse(early, kinds, [it.where], must_be_quiet=False, late_s=0)

    def _taps_like_its_lamp(self, pole: str) -> bool:
        lamp_w = self._site_of[pole].pole.lamp_rated_w
        return lamp_w * (1 - TOLERANCE) <= EVENING_TAP_W[1] and EVENING_TAP_W[0] <= lamp_w * (1 + TOLERANCE)

    def _watched(self, it: Trouble, kind: str, spans: Iterable[Span], closes_s: float) -> None:
        """What the node itself must notice."""
        hidden = self._hidden[self._site_of[it.where].node]
        for begin_s, end_s in spans:
            seen = list(without((begin_s, end_s), hidden))
            required = all(
                longest_s(part for span in seen for part in daily(span, showing.hours)) >= showing.needs_s
                for showing in SHOWINGS[it.what]
            )
            self._add(
                it,
                kind,
                it.where,
                required=required,
                span=(begin_s, end_s),
                late_s=HOUR_S,
                closes_s=closes_s,
            )

    def _node(self, it: Trouble) -> None:
        if it.what in ("node dead", "link flaps"):
            required = self._silence_shows(it, it.where)
            # One that comes and goes must be well for an hour before it is believed.
            closes_s = HOUR_S * (2 if it.what == "link flaps" else 1)
            self._add(it, "communication_failure", it.where, required=required, closes_s=closes_s)
        elif it.what == "clock unsynced":
            hidden = merged([*self._deaf, *self._others(it, it.where)])
            seen = longest_s(without((it.begin_s, it.end_s), hidden))
            self._add(it, "clock_unsynced", it.where, required=seen >= UNSYNCED_NEEDS_S)
        elif it.what == "maintenance" and it.size:
            # Where the node could tell that people work at it, nobody need be called; what was planned at the
            # hub is known there anyway.
            around = merged([*(() if it.planned else self._deaf), *self._others(it, it.where)])
            told = overlap_s((it.begin_s, it.begin_s + 300 + it.size), around) == 0
            self._excuse(it, frozenset({"communication_failure"}), [it.where], must_be_quiet=told)
        elif it.what in INPUTS:
            self._input(it)

    def _input(self, it: Trouble) -> None:
        """What an input tells at once, and each sample again."""
        kind, needs_s = INPUTS[it.what]
        hidden = self._hidden[it.where]
        if it.what == "fuse":
            hidden = merged([*self._deaf, *self._others(it, it.where)])
            parts = PARTS_OF_AN_OUTAGE - {"supply_loss"}
            self._excuse(it, parts, self._all_of([it.where]), must_be_quiet=False)
        seen = list(without((it.begin_s, it.end_s), hidden))
        at_once = bool(seen) and seen[0][0] == it.begin_s and longest_s(seen[:1]) >= needs_s
        later = it.what != "fuse" and longest_s(seen) >= 1200
        self._add(it, kind, it.where, required=at_once or later)

    def _feeder(self, it: Trouble) -> None:
        nodes = self._layout.feeders[it.where]
        kind = "feeder_outage" if it.what == "trip" else "backhaul_outage"
        self._add(it, kind, it.where, required=self._silence_shows(it, None))
        self._excuse(it, PARTS_OF_AN_OUTAGE, self._all_of(nodes), must_be_quiet=True, late_s=900)
        if it.what == "trip":
            # Silence alone is a backhaul's until evidence agrees; told aloud it is one more notice of the trip.
            self._excuse(it, frozenset({"backhaul_outage"}), [it.where], must_be_quiet=False, late_s=900)

    def _silence_shows(self, it: Trouble, node: str | None) -> bool:
        """Whether a silence lasts long enough while somebody listens, and is not part of another."""
        holes = self._deaf if node is None else merged([*self._deaf, *self._others(it, node)])
        seen = list(without((it.begin_s, it.end_s), holes))
        if not seen:
            return False
        begins_seen = seen[0][0] == it.begin_s
        return seen[0][1] - seen[0][0] >= 240 if begins_seen else longest_s(seen) >= UNSEEN_NEEDS_S

    def _others(self, it: Trouble, node: str) -> Iterator[Span]:
        for span, trouble in self._silences[node]:
            if trouble is not it:
                yield span

    def _hidden_spans(self) -> dict[str, list[Span]]:
        self._silences: dict[str, list[tuple[Span, Trouble]]] = defaultdict(list)
        for it in self._plan:
            end_s = it.end_s + BACK_WITHIN_S
            if it.what in ("node dead", "link flaps", "backhaul", "maintenance", "clock wrong"):
                nodes = self._layout.feeders.get(it.where, (it.where,))
                for node in nodes:
                    self._silences[node].append(((it.begin_s, end_s), it))
            elif it.what in ("trip", "fuse"):
                for node in self._layout.feeders.get(it.where, (it.where,)):
                    # A lamp without mains shows nothing either, so the whole cut hides what is behind it.
                    self._silences[node].append(((it.begin_s, end_s), it))
        return {
            site.node: merged([*self._deaf, *(span for span, _ in self._silences[site.node])])
            for site in self._layout.sites
        }

    def _all_of(self, nodes: Iterable[str]) -> list[str]:
        """Nodes with their poles and cameras."""
        sites = [self._sites[node] for node in nodes]
        poles = [site.pole.code for site in sites]
        return [*nodes, *poles, *(camera for site in sites for camera in site.pole.cameras)]

    def _add(
        self,
        it: Trouble,
        kind: str,
        originator: str,
        *,
        required: bool,
        span: Span | None = None,
        late_s: float = 600.0,
        closes_s: float = HOUR_S,
    ) -> None:
        begin_s, end_s = span or (it.begin_s, it.end_s)
        site = self._site_of.get(it.where)
        hidden = self._hidden[site.node] if site is not None else self._deaf
        # A camera that does not answer shows nothing else either.
        unanswered = ("camera offline", "camera stream lost")
        gone = [
            (one.begin_s, one.end_s + HOUR_S)
            for one in self._plan
            if one.where == it.where and one is not it and one.what in unanswered
        ]
        closed_by_s = after_seen(end_s, closes_s, merged([*hidden, *gone]) if gone else hidden)
        self._episodes.append(
            Episode(kind, originator, begin_s, end_s, it.what, required, late_s, closed_by_s)
        )

    def _excuse(
        self,
        it: Trouble,
        kinds: frozenset[str],
        originators: Iterable[str],
        *,
        must_be_quiet: bool,
        late_s: float = 600.0,
    ) -> None:
        self._excuses.append(
            Excuse(kinds, frozenset(originators), it.begin_s, it.end_s + late_s, it.what, must_be_quiet)
        )
