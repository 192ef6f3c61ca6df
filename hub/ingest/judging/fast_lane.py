"""The lane of nearly every message: live telemetry of a known node that continues what is there.

It does only what such a message needs: the mark, the range, the log, the confirmation, the counters; and where
a sample may matter to an incident, it observes that. Whatever is out of the ordinary in any way takes the slow
lane (`judge.take`), which decides everything; a test holds that both leave the same. What is taken here is kept
in the log (`telemetry_outbox`) as it came, in the same transaction; the rows of state that follow from it are
written a little later (`hub.ingest.unflushed`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from hub.bulk import Value
from hub.ingest.judging import judge
from hub.ingest.judging.batch import SEEN_RESOLUTION, Batch
from hub.ingest.judging.directory import KnownNode
from hub.ingest.judging.lean import CODE, WORD, LeanSample, LeanTelemetry, decode_lean
from hub.ingest.judging.observing import is_routine, observe_sample
from hub.ingest.judging.samples import pole_row
from hub.ingest.judging.usual import LaneSlot
from hub.ingest.lamp_status import IDLE_SHARE
from hub.ingest.link.arrival import Arrival
from hub.ingest.state import IngestState, NodeLive, PoleMark
from hub.ingest.unflushed import Slot
from protocol import Kind, Sample, TopicError, parse_topic
from protocol.plausibility import EARLIEST, FUTURE_TOLERANCE

_SLOTS_HELD = 2_000_000
_WORDS_HELD = 1000
_OPENING_BRACE = 0x7B
_EDGE_S = 0.001
"""So near to the edges of what is live and plausible, the slow lane decides."""


class FastLane:
    """Belongs to one IngestState and is thrown away with it."""

    def __init__(self) -> None:
        self._slots: dict[str, LaneSlot] = {}
        self._words: set[str] = set()

    def take_all(self, batch: Batch, arrivals: Sequence[Arrival]) -> None:
        """Judge all messages, each node's in their order, each in the lane that fits.

        What does not fit the fast lane waits until that has been through the batch, with all that comes later
        of the same node: the slow lane costs a third when it runs for many in a row, as the processor then has
        it at hand.
        """
        now_s = batch.now.timestamp()
        batch.oldest_s = max(now_s - batch.live_max_age_s, EARLIEST.timestamp()) + _EDGE_S
        batch.latest_s = now_s + FUTURE_TOLERANCE.total_seconds() - _EDGE_S
        slots, take = self._slots, self._take
        lookup, generation = batch.directory.lookup, batch.directory.generation
        later: list[Arrival] = []
        behind: set[str] = set()
        for came in arrivals:
            slot = slots.get(came[0])
            if slot is None:
                name = _node_in(came[0])
            else:
                name = slot.name
                if slot.generation != generation and lookup(name) is slot.known:
                    slot.generation = generation
                if name not in behind and slot.generation == generation and take(batch, came, slot):
                    continue
            behind.add(name)
            later.append(came)
        for came in later:
            slot = slots.get(came[0])
            if slot is None or lookup(slot.name) is not slot.known or not take(batch, came, slot):
                judge.take(batch, came)
                self._learn(batch, came)
        batch.state.counters.samples_stored += sum([one[2] for one in batch.messages])

    def _take(self, batch: Batch, came: Arrival, slot: LaneSlot) -> bool:
        payload = came[1]
        if not payload or payload[0] != _OPENING_BRACE or came[8] is not None:
            return False
        try:
            message = decode_lean(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return False
        if message.node != slot.name or message.epoch != slot.epoch:
            return False
        live = slot.live
        if live is None or live.status != "online":
            return False
        samples = message.samples
        if len(samples) == 1 and self._as_usual(batch, came, slot, live, samples[0]):
            return True
        first = slot.ranges.last + 1
        times = self._follow(batch, slot, message, first)
        if times is None:
            return False
        # From here on nothing may fail.
        self._hear(batch, slot, live)
        _store(batch, slot, first, first + len(times) - 1)
        batch.messages.append((slot.commune, round(came[7] * 1000), len(times), payload))
        batch.live_sample_times.extend(times)
        covered, rated_w = batch.state.coverage.sample, slot.known.lamp_rated_w
        for sample, time_s in zip(samples, times, strict=True):
            mark = batch.state.poles[sample.pole]
            routine = is_routine(batch.state, slot.known, sample, mark)
            if not routine:
                observe_sample(batch, slot.known, slot.epoch, sample, mark, sample.time)
            keep(batch, slot, sample, mark, came[7], routine=routine)
            covered(sample, time_s, rated_w.get(sample.pole))
        return True

    def _as_usual(
        self, batch: Batch, came: Arrival, slot: LaneSlot, live: NodeLive, sample: LeanSample
    ) -> bool:
        """Take the only sample of a message that says what its pole's last one said; False takes nothing.

        What `_follow`, `is_routine` and `_facet` would find out, without a call: this is the hottest path.
        """
        pole, seq = sample.pole, sample.seq
        known = slot.usual.get(pole)
        meter = sample.meter
        if known is None or meter is None or meter.voltage_v is None:
            return False
        state, mark = batch.state, known.mark
        watcher = state.watcher
        if (
            sample.lamp != known.lamp
            or not known.above_w < meter.power_w < known.below_w
            or not known.above_v < meter.voltage_v < known.below_v
            or sample.dark is not known.dark
            or sample.clock != "synced"
            or sample.historical
            or sample.faults
            or sample.cameras
            or sample.counters is not None
            or sample.cabinet is not None
            or mark.replaced
            or pole in watcher.concerned
            or slot.name in watcher.concerned
            or watcher.rules is not known.rules
            or slot.ranges.last + 1 != seq
        ):
            return False
        time_s = sample.time.timestamp()
        if not batch.oldest_s < time_s < batch.latest_s:
            return False
        # From here on nothing may fail.
        self._hear(batch, slot, live)
        _store(batch, slot, seq, seq)
        at = came[7]
        batch.messages.append((slot.commune, round(at * 1000), 1, came[1]))
        batch.live_sample_times.append(time_s)
        known.tail = state.coverage.follow(known.tail, pole, time_s, known.covered_as)
        mark.seq = seq
        mark.sample_at = sample.time
        slot.pending[pole] = (sample, at)
        return True

    def _follow(
        self, batch: Batch, slot: Slot, message: LeanTelemetry, expected: int
    ) -> list[float] | None:
        """The samples' times in Unix seconds where each follows on what is known of its pole; else None."""
        times = []
        state = batch.state
        for sample in message.samples:
            mark = state.poles.get(sample.pole)
            if (
                sample.seq != expected
                or mark is None
                or sample.clock != "synced"
                or sample.historical
                or mark.epoch != slot.epoch
                or mark.node != slot.name
                or mark.seq >= expected
                or sample.pole not in slot.poles
                or sample.lamp.override_until is not None
                or not (sample.lamp.reason in self._words or self._is_word(sample.lamp.reason))
            ):
                return None
            time_s = sample.time.timestamp()
            if not batch.oldest_s < time_s < batch.latest_s:
                return None
            expected += 1
            times.append(time_s)
        return times

    def _hear(self, batch: Batch, slot: Slot, live: NodeLive) -> None:
        """What `Batch.heard_from` does, for a node that is online."""
        live.last_seen_at = batch.now
        live.commune = slot.commune
        live.clock = "synced"
        batch.heard[slot.name] = live.heartbeat_s
        if batch.ended:
            batch.ended.pop(slot.name, None)

    def _is_word(self, reason: str) -> bool:
        if WORD.search(reason) is None or len(self._words) >= _WORDS_HELD:
            return False
        self._words.add(reason)
        return True

    def _learn(self, batch: Batch, came: Arrival) -> None:
        """After a message took the slow lane: let the next of its topic try the fast one."""
        try:
            topic = parse_topic(came.topic)
        except TopicError:
            return
        known = batch.directory.lookup(topic.node)
        if topic.kind is not Kind.TELEMETRY or known is None or known.commune != topic.commune:
            return
        epoch = _newest_epoch(batch.state, known)
        if epoch is None:
            return
        slot = self._slots.get(came.topic)
        if slot is not None and slot.known is known and slot.epoch == epoch:
            return
        if len(self._slots) >= _SLOTS_HELD:
            self._slots.clear()
        self._slots[came.topic] = slot_of(batch.state, known, epoch)


def slot_of(state: IngestState, known: KnownNode, epoch: str) -> LaneSlot:
    """A place in the fast lane for one node and epoch."""
    return LaneSlot(
        known=known,
        name=known.name,
        commune=known.commune,
        epoch=epoch,
        ranges=state.ranges_of(known.name, epoch),
        live=state.nodes.get(known.name),
        poles=frozenset(pole for pole in known.poles if CODE.search(pole)),
    )


def restore(state: IngestState, logged: Iterable[tuple[int, str, int, LeanTelemetry]]) -> None:
    """Make a loaded state whole from the log behind its checkpoint.

    Each entry is the row's id, the commune, the arrival in Unix milliseconds and the message. What the rows of
    state already hold changes nothing.
    """
    slots: dict[tuple[str, str], LaneSlot] = {}
    newest = 0
    for number, commune, received_ms, told in logged:
        newest = number
        if state.scope.tokens is not None and told.node not in state.nodes:
            continue  # inherited, and whole already; whoever holds it now knows more than the log
        slot = slots.get((told.node, told.epoch))
        if slot is None:
            slot = slots[told.node, told.epoch] = slot_of(
                state, KnownNode(told.node, commune, frozenset()), told.epoch
            )
            slot.since = 1
            state.unflushed.add(slot)
        received_at = datetime.fromtimestamp(received_ms / 1000, UTC)
        live = state.nodes.get(told.node)
        if live is not None:
            live.last_seen_at = max(live.last_seen_at, received_at)
        for sample in told.samples:
            slot.ranges.add(sample.seq)
            mark = state.poles.get(sample.pole)
            known = mark is not None and (mark.node, mark.epoch) == (told.node, told.epoch)
            if mark is None or not known or sample.seq <= mark.seq:
                continue
            mark.seq, mark.sample_at = sample.seq, sample.time
            mark.counters = sample.counters or mark.counters
            slot.pending[sample.pole] = (sample, received_ms / 1000)
    if newest:
        state.unflushed.logged(1, newest)


def _store(batch: Batch, slot: Slot, first: int, last: int) -> None:
    """Take in the seqs that follow on what is there: their confirmation is owed, and their rows wait."""
    slot.ranges.extend_to(last)
    run = batch.runs.get(slot)
    if run is None:
        batch.runs[slot] = [first, last]
    elif run[1] == first - 1:
        run[1] = last
    else:
        batch.close_run(slot, run)
        batch.runs[slot] = [first, last]
    if slot.since == 0:
        slot.since = batch.number
        batch.state.unflushed.add(slot)


def keep(
    batch: Batch, slot: LaneSlot, sample: LeanSample, mark: PoleMark, at: float, *, routine: bool
) -> None:
    """Note the sample as its pole's newest; its row is written at once where it looks different."""
    facet = _facet(slot.known, sample)
    mark.seq = sample.seq
    mark.sample_at = sample.time
    if sample.counters is not None:
        mark.counters = sample.counters
    if routine and facet == mark.facet:
        slot.pending[sample.pole] = (sample, at)
        slot.learn(batch.state, sample, mark)
    else:
        if not routine:
            mark.faults = tuple(sample.faults)
        mark.facet = facet
        slot.pending.pop(sample.pole, None)
        batch.pole_rows[sample.pole] = _row(slot, sample, mark, at)


def flush(batch: Batch, monotonic_s: float, *, everything: bool = False) -> None:
    """Move the rows of state that are due into the batch."""
    state = batch.state
    for slot in state.unflushed.due(monotonic_s, messages=len(batch.messages), everything=everything):
        for pole, (sample, at) in slot.pending.items():
            mark = state.poles[pole]
            # Else the slow lane has written a newer one.
            if (mark.seq, mark.epoch, mark.node) == (sample.seq, slot.epoch, slot.name):
                batch.pole_rows[pole] = _row(slot, sample, mark, at)
        slot.pending.clear()
        batch.changed_ranges.add((slot.name, slot.epoch))
        live = state.nodes.get(slot.name)
        if live is not None and live.last_seen_at - live.written_seen_at > SEEN_RESOLUTION:
            batch.changed_nodes.add(slot.name)


def _row(slot: Slot, sample: Sample, mark: PoleMark, at: float) -> Sequence[Value]:
    received_at = datetime.fromtimestamp(at, UTC)
    return pole_row(slot.name, slot.epoch, sample, mark.counters, sample.time, received_at)


def _facet(known: KnownNode, sample: LeanSample) -> tuple[object, ...]:
    """What a person sees at once when it changes; the rest are figures."""
    lamp, meter = sample.lamp, sample.meter
    burning = None
    if meter is not None:
        burning = lamp.effect_level > 0 or meter.power_w > IDLE_SHARE * known.lamp_rated_w.get(
            sample.pole, 0
        )
    seen = (lamp.effect_level, lamp.reason, sample.dark, lamp.due, lamp.commanded_level, burning)
    if not sample.cameras and sample.cabinet is None:
        return seen
    cabinet = sample.cabinet
    return (
        *seen,
        *[(one.camera, one.reachable, one.stream, one.picture, one.powered) for one in sample.cameras],
        None if cabinet is None else (cabinet.door_open, cabinet.supply_present),
    )


def _node_in(topic: str) -> str:
    """The node that a topic names; of a topic that names none, the topic."""
    parts = topic.split("/", 4)
    return parts[3] if len(parts) > 3 else topic


def _newest_epoch(state: IngestState, known: KnownNode) -> str | None:
    """The epoch under which the node's poles were last heard."""
    for pole in known.poles:
        mark: PoleMark | None = state.poles.get(pole)
        if mark is not None and mark.node == known.name:
            return mark.epoch
    return None
