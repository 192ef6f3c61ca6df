"""Which nodes live, and the incidents that follow: after each batch, and a few times a second without one."""

from __future__ import annotations

from datetime import datetime, timedelta

from hub.incidents.model import (
    COMMUNICATION_FAILURE,
    HUB,
    HUB_BLIND,
    Evidence,
    Key,
    Place,
    Subject,
    Verdict,
)
from hub.incidents.rules import judge_node
from hub.ingest.judging.batch import Batch
from hub.ingest.judging.directory import Directory
from hub.ingest.judging.silence import SilenceWatch
from hub.ingest.state import IngestState, NodeLive

_THE_HUB = Subject("hub", HUB, None, "", Place())


class Liveness:
    """Owns the silence deadlines; lives as long as the process, while the state may be rebuilt."""

    def __init__(self) -> None:
        self._silence = SilenceWatch()
        self._connected = False
        self._deaf_since: datetime | None = None

    def listening(self, since: float | None, *, connected: bool | None = None) -> None:
        """The hub hears the nodes since this monotonic second, or does not hear them now (None).

        `connected`: whether it has a broker; where that is not told, hearing means it has.
        """
        self._silence.listening(since)
        self._connected = connected if connected is not None else since is not None

    def adopt(self, state: IngestState, directory: Directory, now: datetime) -> None:
        """Expect a word from every node that was alive when the state was written, and know whose is what."""
        watcher = state.watcher
        for live in state.nodes.values():
            self._silence.expect(live.node, live.heartbeat_s)
            if live.status == "stopped":
                self._await_end_of_grace(state, live)
        for standing in list(watcher.book):
            subject = _known_subject(standing.subject, directory)
            if subject is not None:
                watcher.book.learn(standing, subject)
        self._note_absence(state, now)

    def _note_absence(self, state: IngestState, now: datetime) -> None:
        """A hub that was down heard nothing since its last sign of life: that is nobody's downtime."""
        alive_at, watcher = state.alive_at, state.watcher
        hold_off = timedelta(seconds=watcher.rules.of(HUB_BLIND).hold_off_s)
        if alive_at is None or now - alive_at < hold_off or watcher.is_open(HUB, HUB_BLIND):
            return
        self._deaf_since = min(alive_at, self._deaf_since or alive_at)
        for at in (alive_at, alive_at + hold_off):
            watcher.observe(
                _THE_HUB,
                HUB_BLIND,
                Verdict.BAD,
                at,
                evidence=lambda: {"cause": "hub_down", "last_sign_of_life": alive_at.isoformat()},
                since=alive_at,
            )

    def _observe_hub(self, batch: Batch) -> None:
        watcher = batch.state.watcher
        if self._connected:
            self._deaf_since = None
            if watcher.is_watched(HUB, HUB_BLIND):
                watcher.observe(
                    _THE_HUB, HUB_BLIND, Verdict.GOOD, batch.now, evidence=lambda: {"cause": "connected"}
                )
            return
        if self._deaf_since is None:
            self._deaf_since = batch.now
        since = self._deaf_since
        watcher.observe(
            _THE_HUB,
            HUB_BLIND,
            Verdict.BAD,
            batch.now,
            evidence=lambda: {"cause": "no_broker"},
            since=since,
        )

    def settle(self, batch: Batch, monotonic_s: float) -> None:
        """Draw the conclusions from the messages of one batch."""
        watcher = batch.state.watcher
        self._silence.heard(batch.heard, monotonic_s)
        # That a node is heard only matters to one that was missed.
        for node in batch.heard.keys() & watcher.concerned.keys():
            if node not in batch.ended and watcher.is_watched(node, COMMUNICATION_FAILURE):
                self._observe(batch, batch.state.nodes[node])
        for node, told_live in batch.ended.items():
            live = batch.state.nodes[node]
            if live.status == "stopped":
                self._await_end_of_grace(batch.state, live)
            if told_live:
                self._observe(batch, live)
            else:
                self._silence.expect(node, live.heartbeat_s)
        self._arrange(batch)

    def tick(self, batch: Batch, monotonic_s: float) -> None:
        """Notice who fell silent, and let hold-off and clear-after times run out."""
        for node, due_s in self._silence.due(monotonic_s).items():
            live = batch.state.nodes.get(node)
            if live is None:
                continue
            if live.status == "online":
                live.status = "silent"
                batch.changed_nodes.add(node)
            # The hold-off runs from the missed deadline: a round that comes late must not lengthen it.
            self._observe(batch, live, late_s=monotonic_s - due_s)
        for key in batch.state.watcher.expired(batch.now):
            live = batch.state.nodes.get(key.originator)
            if live is not None and key.kind == COMMUNICATION_FAILURE:
                self._observe(batch, live)
        self._observe_hub(batch)
        self._arrange(batch)

    def _arrange(self, batch: Batch) -> None:
        nodes, directory = batch.state.nodes, batch.directory

        def reporting(place: Place) -> list[str]:
            return [
                name
                for name in directory.of_feeder(place.commune, place.feeder)
                if (live := nodes.get(name)) is not None and live.status == "online"
            ]

        def promised_s(node: str) -> float:
            live = nodes.get(node)
            return live.heartbeat_s if live is not None else 0.0

        batch.state.watcher.arrange(batch.now, reporting, promised_s)

    def _await_end_of_grace(self, state: IngestState, live: NodeLive) -> None:
        params = state.watcher.rules.of(COMMUNICATION_FAILURE, live.commune).params
        end = live.last_seen_at + timedelta(seconds=params["stopped_grace_s"])
        state.watcher.remind(Key(live.node, COMMUNICATION_FAILURE), end)

    def _observe(self, batch: Batch, live: NodeLive, *, late_s: float = 0) -> None:
        watcher = batch.state.watcher
        verdict = judge_node(
            live.status,
            stopped_for_s=(batch.now - live.last_seen_at).total_seconds(),
            params=watcher.rules.of(COMMUNICATION_FAILURE, live.commune).params,
        )
        known = batch.directory.lookup(live.node)
        if known is not None:
            subject = known.as_subject()
        else:
            subject = Subject("node", live.node, None, live.node, Place(live.commune))

        def evidence() -> Evidence:
            return {
                "cause": live.status,
                "last_seen_at": live.last_seen_at.isoformat(),
                "heartbeat_s": live.heartbeat_s,
            }

        watcher.observe(
            subject,
            COMMUNICATION_FAILURE,
            verdict,
            batch.now - timedelta(seconds=late_s),
            evidence=evidence,
            since=live.last_seen_at if verdict is Verdict.BAD else None,
        )


def _known_subject(subject: Subject, directory: Directory) -> Subject | None:
    """The same originator in the registry's newest words; None where it no longer knows it."""
    if subject.type == "node":
        known = directory.lookup(subject.name)
        return known.as_subject() if known is not None else None
    if subject.pole is None:
        return None
    known = directory.of_pole(subject.pole)
    if known is None:
        return None
    if subject.type == "camera":
        return known.camera_subject(subject.name) if subject.name in known.cameras else None
    return known.pole_subject(subject.pole)
