"""Which nodes live, and the incidents that follow: after each batch, and once a second without one."""

from __future__ import annotations

from hub.incidents.model import COMMUNICATION_FAILURE, Evidence, Verdict
from hub.incidents.rules import judge_node
from hub.ingest.judging.batch import Batch
from hub.ingest.judging.silence import SilenceWatch
from hub.ingest.state import IngestState, NodeLive


class Liveness:
    """Owns the silence deadlines; lives as long as the process, while the state may be rebuilt."""

    def __init__(self) -> None:
        self._silence = SilenceWatch()

    def listening(self, since: float | None) -> None:
        """The hub hears the nodes since this monotonic second, or does not hear them now (None)."""
        self._silence.listening(since)

    def adopt(self, state: IngestState) -> None:
        """Expect a word from every node that was alive when the state was written."""
        for live in state.nodes.values():
            self._silence.expect(live.node, live.heartbeat_s)

    def settle(self, batch: Batch, monotonic_s: float) -> None:
        """Draw the conclusions from the messages of one batch."""
        for node, heartbeat_s in batch.heard.items():
            self._silence.heard(node, monotonic_s, heartbeat_s)
            # That a node is heard only matters to one that was missed.
            if node not in batch.ended and batch.state.watcher.is_watched(node, COMMUNICATION_FAILURE):
                self._observe(batch, batch.state.nodes[node])
        for node, told_live in batch.ended.items():
            live = batch.state.nodes[node]
            if told_live:
                self._observe(batch, live)
            else:
                self._silence.expect(node, live.heartbeat_s)

    def tick(self, batch: Batch, monotonic_s: float) -> None:
        """Notice who fell silent, and let hold-off and clear-after times run out."""
        watcher = batch.state.watcher
        recheck = set(watcher.pending(COMMUNICATION_FAILURE))
        for node in self._silence.due(monotonic_s):
            live = batch.state.nodes.get(node)
            if live is None:
                continue
            if live.status == "online":
                live.status = "silent"
                batch.changed_nodes.add(node)
            recheck.add(node)
        recheck.update(name for name, live in batch.state.nodes.items() if live.status == "stopped")
        for node in recheck:
            live = batch.state.nodes.get(node)
            if live is not None:
                self._observe(batch, live)

    def _observe(self, batch: Batch, live: NodeLive) -> None:
        watcher = batch.state.watcher
        verdict = judge_node(
            live.status,
            stopped_for_s=(batch.now - live.last_seen_at).total_seconds(),
            params=watcher.rules[COMMUNICATION_FAILURE].params,
        )
        known = batch.directory.lookup(live.node)

        def evidence() -> Evidence:
            told: dict[str, str | int] = {
                "cause": live.status,
                "last_seen_at": live.last_seen_at.isoformat(),
                "heartbeat_s": live.heartbeat_s,
            }
            if verdict is Verdict.BAD:
                told["since"] = live.last_seen_at.isoformat()
            return told

        watcher.observe(
            live.node,
            COMMUNICATION_FAILURE,
            verdict,
            batch.now,
            originator_type="node",
            pole=next(iter(known.poles)) if known is not None and len(known.poles) == 1 else None,
            evidence=evidence,
        )
