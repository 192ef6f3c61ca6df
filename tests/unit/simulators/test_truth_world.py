"""The simulated year keeps what real nodes promise: nothing is lost, history is called so, wills are late."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from protocol import Kind, NodeState, Range, Stored, Telemetry, decode, encode, parse_topic, topic
from protocol.messages import Event, EventMessage, Sample
from simulators.truth.air import Delivery
from simulators.truth.layout import lay_out_commune
from simulators.truth.plan import HOUR_S, Trouble
from simulators.truth.world import World

LAYOUT = lay_out_commune(poles=8, cameras=2, seed=1)
FEEDER = LAYOUT.sites[0].pole.feeder


@dataclass
class Ear:
    """A hub that hears and confirms, and nothing else."""

    confirms: bool = True
    messages: list[tuple[float, Delivery]] = field(default_factory=list)
    items: list[tuple[float, str, Sample | Event]] = field(default_factory=list)
    states: list[tuple[float, NodeState]] = field(default_factory=list)

    def hear(self, world: World, at_s: float, message: Delivery) -> None:
        self.messages.append((at_s, message))
        place = parse_topic(message.topic)
        heard = decode(place.kind, message.payload)
        if isinstance(heard, NodeState):
            if not message.retain:
                self.states.append((at_s, heard))
            return
        assert isinstance(heard, Telemetry | EventMessage)
        items = heard.samples if isinstance(heard, Telemetry) else heard.events
        self.items += [(at_s, place.node, item) for item in items]
        ranges = [Range(item.seq, item.seq) for item in items]
        stored = Stored(v=1, node=place.node, epoch=heard.epoch, ranges=ranges)
        if self.confirms:
            world.confirm(topic(place.commune, place.node, Kind.STORED), encode(stored))


def live(*troubles: Trouble, hours: float, confirms: bool = True) -> Ear:
    world = World(LAYOUT, troubles, days=hours / 24, seed=5, quiet_s=1200)
    ear = Ear(confirms)
    while world.next_s <= world.end_s:
        at_s = world.next_s
        for message in world.advance()[0]:
            ear.hear(world, at_s, message)
    return ear


def test_the_same_seed_lives_the_same_hours() -> None:
    trouble = Trouble("trip", FEEDER, HOUR_S, 2 * HOUR_S)
    assert live(trouble, hours=3).messages == live(trouble, hours=3).messages


def test_nothing_that_a_node_made_is_lost_whatever_was_down() -> None:
    ear = live(
        Trouble("backhaul", FEEDER, 1 * HOUR_S, 2 * HOUR_S),
        Trouble("hub down", "", 3 * HOUR_S, 4 * HOUR_S),
        Trouble("broker down", "", 5 * HOUR_S, 6 * HOUR_S),
        Trouble("trip", FEEDER, 7 * HOUR_S, 8 * HOUR_S),
        hours=10,
    )
    seqs: dict[str, set[int]] = defaultdict(set)
    for _, node, item in ear.items:
        seqs[node].add(item.seq)
    assert len(seqs) == 8
    for node, had in seqs.items():
        assert had == set(range(1, max(had) + 1)), node


def test_what_waited_is_called_history_and_keeps_its_time() -> None:
    ear = live(Trouble("backhaul", FEEDER, 1 * HOUR_S, 2 * HOUR_S), hours=3)
    late = [
        (at_s, item) for at_s, node, item in ear.items if node in LAYOUT.feeders[FEEDER] and item.historical
    ]
    assert late
    assert all(2 * HOUR_S < at_s < 2 * HOUR_S + 120 for at_s, _ in late)
    assert not any(item.historical for at_s, node, item in ear.items if node not in LAYOUT.feeders[FEEDER])


def test_a_trip_is_told_at_once_by_those_that_sense_it_and_by_wills_of_the_others() -> None:
    ear = live(Trouble("trip", FEEDER, HOUR_S, 3 * HOUR_S), hours=3)
    sites = {site.node: site for site in LAYOUT.sites if site.pole.feeder == FEEDER}
    told = {
        node: at_s - HOUR_S
        for at_s, node, item in ear.items
        if isinstance(item, Event) and item.kind == "supply_loss" and item.active
    }
    assert told == {node: 1.0 for node, site in sites.items() if site.senses_mains}
    lost = {state.node: at_s - HOUR_S for at_s, state in ear.states if state.status == "lost"}
    assert set(lost) == {node for node, site in sites.items() if not site.senses_mains}
    assert all(45 <= after_s <= 75 for after_s in lost.values())


def test_a_clock_that_woke_in_1970_is_corrected_before_the_past_is_sent() -> None:
    ear = live(Trouble("trip", FEEDER, HOUR_S, 2 * HOUR_S), hours=3)
    woken = [item for _, _, item in ear.items if item.time.year < 2026]
    assert woken
    assert all(item.clock == "unsynced" and not item.historical for item in woken)
    assert any(item.time_corrected and item.clock == "synced" for _, _, item in ear.items)


def test_an_unconfirmed_sample_is_never_forgotten() -> None:
    ear = live(Trouble("link drops", LAYOUT.sites[0].node, HOUR_S, HOUR_S + 30), hours=2, confirms=False)
    again = [item.seq for _, node, item in ear.items if node == LAYOUT.sites[0].node and item.historical]
    assert len(again) > 1
    assert min(again) == 1


def test_a_node_tells_of_work_that_was_not_planned_and_knows_nothing_of_work_that_was() -> None:
    told, planned = (LAYOUT.sites[number].node for number in (0, 1))
    ear = live(
        Trouble("maintenance", told, HOUR_S, 2 * HOUR_S),
        Trouble("maintenance", planned, HOUR_S, 2 * HOUR_S, planned=True),
        hours=3,
    )
    words = {
        node
        for _, node, item in ear.items
        if isinstance(item, Sample) and item.lamp.reason == "maintenance"
    }
    assert words == {told}
