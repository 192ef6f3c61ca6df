"""A node that diagnoses its lamps is to speak first; the hub's own judgement waits, and believes its word."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.incidents.model import LAMP_FAILURE, LAMP_UNEXPECTED_ON, Key, Place
from hub.incidents.rulebook import RuleBook, RuleRow
from hub.incidents.watcher import Watcher
from hub.ingest.judging.batch import Batch
from hub.ingest.judging.directory import InMemoryDirectory, KnownNode
from hub.ingest.judging.observing import is_routine, observe_sample
from hub.ingest.state import IngestState, PoleMark
from protocol import LampCounters, LampReading, MeterReading, Sample

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLE = "TG-0001"
RATED_W = 40.0
KNOWN = KnownNode(
    "tg-0001", "tram-than", frozenset({POLE}), {POLE: RATED_W}, {}, {POLE: Place("tram-than", "", "L1", "")}
)
COUNTERS = LampCounters(burning_s=0, switches=0, energy_wh=0, supply_losses=0)


class Lamp:
    """One pole whose samples reach the hub live; `counters` came before, where its node keeps any."""

    def __init__(self, *, counters: LampCounters | None = COUNTERS, rules: Iterable[RuleRow] = ()) -> None:
        self.state = IngestState(Watcher(RuleBook(rules), {}))
        self.now = START
        self.before = PoleMark(KNOWN.name, "e", 1, START, (), counters)

    def take(self, power_w: float | None, *faults: str, level: float = 1.0, minutes: float = 1) -> bool:
        """One sample, without a reading where `power_w` is None; returns whether it was routine."""
        sample = Sample(
            seq=self.before.seq + 1,
            pole=POLE,
            time=self.now,
            clock="synced",
            lamp=LampReading(effect_level=level, reason="sun", due=level > 0),
            meter=None if power_w is None else MeterReading(power_w=power_w, voltage_v=230.0),
            faults=list(faults),
        )
        routine = is_routine(self.state, KNOWN, sample, self.before)
        batch = Batch(self.state, InMemoryDirectory(KNOWN), self.now, 60)
        observe_sample(batch, KNOWN, "e", sample, self.before, self.now)
        self.before = PoleMark(KNOWN.name, "e", sample.seq, self.now, tuple(faults), self.before.counters)
        self.state.watcher.arrange(self.now, lambda _: [KNOWN.name])
        self.now += timedelta(minutes=minutes)
        return routine

    def go_on(self, samples: int, power_w: float | None, *faults: str, **what: Any) -> None:
        for _ in range(samples):
            self.take(power_w, *faults, **what)

    def kinds(self) -> list[str]:
        return sorted(one.key.kind for one in self.state.watcher.book)


def cycle(lamp: Lamp, times: int, *faults: str) -> None:
    for _ in range(times):
        lamp.go_on(4, 0.5, *faults)
        lamp.go_on(10, RATED_W, *faults)


def test_a_lamp_that_comes_and_goes_is_not_told_as_a_dead_one_again_and_again() -> None:
    lamp = Lamp()
    cycle(lamp, 4)
    assert lamp.kinds() == []
    cycle(lamp, 10, "cycling_failure")
    assert lamp.kinds() == ["cycling_failure"]
    lamp.go_on(120, 0.5, "cycling_failure")
    assert lamp.kinds() == ["cycling_failure"]
    lamp.go_on(2, RATED_W)
    assert lamp.kinds() == []
    assert lamp.take(RATED_W)


def test_dark_spells_that_were_explained_do_not_count_once_the_explanation_has_ended() -> None:
    lamp = Lamp()
    lamp.go_on(3, 0.5)
    lamp.go_on(120, 0.5, "cycling_failure")
    lamp.go_on(3, 0.5)
    assert lamp.kinds() == []


def test_a_cycling_lamp_that_burns_out_is_dead_by_its_nodes_word_and_a_part_of_it_until_that_ends() -> None:
    lamp = Lamp()
    lamp.take(0.5, "cycling_failure")
    lamp.take(0.5, "cycling_failure", "lamp_failure")
    dead = lamp.state.watcher.book.get(Key(POLE, LAMP_FAILURE))
    assert dead is not None
    assert (dead.parent, dead.quiet) == (Key(POLE, "cycling_failure"), "group")
    lamp.take(0.5, "lamp_failure")
    assert (dead.parent, dead.quiet) == (None, None)


@pytest.mark.parametrize("counters", [COUNTERS, None], ids=["node diagnoses", "node tells nothing"])
def test_a_meter_that_froze_by_day_makes_no_dead_lamp_of_a_lit_one(counters: LampCounters | None) -> None:
    lamp = Lamp(counters=counters)
    lamp.go_on(10, 0.0, "meter_stale", level=0.0)
    lamp.go_on(600, 0.0, "meter_stale")
    assert lamp.kinds() == ["meter_stale"]


def test_a_meter_that_froze_by_night_makes_no_lamp_burn_by_day() -> None:
    lamp = Lamp()
    lamp.go_on(10, RATED_W, "meter_stale")
    lamp.go_on(600, RATED_W, "meter_stale", level=0.0)
    assert lamp.kinds() == ["meter_stale"]


@pytest.mark.parametrize(("counters", "told"), [(COUNTERS, []), (None, ["meter_stale"])])
def test_two_missing_readings_half_an_hour_apart_are_no_silent_meter_where_a_node_watches_it(
    counters: LampCounters | None, told: list[str]
) -> None:
    lamp = Lamp(counters=counters)
    lamp.take(RATED_W)
    lamp.go_on(2, None, minutes=30)
    assert lamp.kinds() == told
    lamp.go_on(3, None, minutes=30)
    assert lamp.kinds() == ["meter_stale"], "its node may have failed to tell"


def test_a_frozen_meter_mends_no_lamp_either() -> None:
    lamp = Lamp(counters=None)
    lamp.go_on(3, 0.0)
    assert lamp.kinds() == [LAMP_FAILURE]
    lamp.go_on(10, RATED_W, "meter_stale")
    assert lamp.kinds() == [LAMP_FAILURE, "meter_stale"]
    lamp.go_on(3, RATED_W)
    assert lamp.kinds() == []


def test_tapping_by_day_is_not_the_lamp() -> None:
    lamp = Lamp()
    lamp.go_on(31, 350.0, level=0.0)
    assert lamp.kinds() == []
    lamp.go_on(240, 350.0, "power_tapping", level=0.0)
    assert lamp.kinds() == ["power_tapping"]
    lamp.go_on(30, 350.0, level=0.0)  # the next morning, before the node is sure again
    assert LAMP_UNEXPECTED_ON not in lamp.kinds()


@pytest.mark.parametrize(
    ("kind", "level", "power_w"), [(LAMP_FAILURE, 1.0, 0.5), (LAMP_UNEXPECTED_ON, 0.0, 40.0)]
)
def test_the_nodes_own_word_opens_at_once_and_its_silence_only_lengthens_the_wait(
    kind: str, level: float, power_w: float
) -> None:
    told = Lamp()
    told.take(power_w, kind, level=level)
    assert told.kinds() == [kind]
    untold = Lamp()
    untold.go_on(90, power_w, level=level)
    assert untold.kinds() == []
    untold.take(power_w, level=level)
    assert untold.kinds() == [kind]


def test_where_a_node_diagnoses_nothing_the_hub_waits_a_minute() -> None:
    lamp = Lamp(counters=None)
    lamp.take(0.5)
    assert lamp.kinds() == []
    lamp.take(0.5)
    assert lamp.kinds() == [LAMP_FAILURE]


def test_how_long_it_waits_for_the_node_is_data_and_never_less_than_the_hold_off() -> None:
    lamp = Lamp(rules=[RuleRow("tram-than", LAMP_FAILURE, 60, 30, {"diagnosed_hold_off_s": 600})])
    lamp.go_on(10, 0.5)
    assert lamp.kinds() == []
    lamp.take(0.5)
    assert lamp.kinds() == [LAMP_FAILURE]
    slow = RuleBook([RuleRow("", LAMP_FAILURE, 7200, 30, {})])
    assert slow.patient(LAMP_FAILURE).hold_off_s == 7200
