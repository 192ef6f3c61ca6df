"""The hub's word to the nodes, after the commit: one `stored` per node and epoch for many of its samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from uuid import UUID

from hub.ingest.judging.batch import Batch, Confirmation
from hub.ingest.link.port import BrokerLink
from hub.ingest.ranges import compressed
from hub.ingest.unflushed import Slot
from protocol import Kind, Range, SetAside, Stored, encode, topic
from protocol.topics import ROOT

LINGER_S = 1.0
"""Under load a node hears of what is stored about so often: far more often than it would send again."""

LONGEST_LINGER_S = 5.0
"""And so often where the load comes of very many nodes: else each sample would cost a message of ours."""

MANY = 5000

FEW = 200
"""A batch of fewer messages than this is no load."""

_STORED = Kind.STORED.value
_RANGES_PER_MESSAGE = 1000


class Confirmer:
    """Tells nodes what is committed: at once while little comes, else gathered for about a second.

    A word that is lost costs nothing: the node sends again and is told again. So it travels at QoS 0.
    """

    def __init__(self, link: BrokerLink) -> None:
        self._link = link
        self._told: dict[tuple[str, str, str], Confirmation] = {}
        self._runs: dict[Slot, list[int]] = {}
        self._since_s: float | None = None

    def committed(self, batch: Batch, messages: int, monotonic_s: float) -> None:
        """Take over what a committed batch of so many messages owes its nodes, and send what is due."""
        for key, told in batch.confirmations.items():
            before = self._told.setdefault(key, told)
            if before is not told:
                before.stored += told.stored
                before.aside += told.aside
        if self._runs:
            for slot, run in batch.runs.items():
                before_run = self._runs.setdefault(slot, run)
                if before_run is not run:
                    self._join(slot, before_run, run)
        else:
            self._runs = batch.runs
        if self._since_s is None:
            self._since_s = monotonic_s
        linger_s = LINGER_S if len(self._told) + len(self._runs) < MANY else LONGEST_LINGER_S
        if messages < FEW or monotonic_s - self._since_s >= linger_s:
            self._send()

    def _join(self, slot: Slot, before: list[int], run: list[int]) -> None:
        if before[1] + 1 != run[0]:
            key = (slot.commune, slot.name, slot.epoch)
            told = self._told.setdefault(key, Confirmation())
            told.stored.extend(range(before[0], before[1] + 1))
            before[0] = run[0]
        before[1] = run[1]

    def _send(self) -> None:
        self._link.publish_all(self._owed())
        self._told, self._runs, self._since_s = {}, {}, None

    def _owed(self) -> Iterator[tuple[str, bytes]]:
        for (commune, node, epoch), told in self._told.items():
            for message in messages(node, epoch, told):
                yield topic(commune, node, Kind.STORED), encode(message)
        for slot, run in self._runs.items():
            yield f"{ROOT}/{slot.commune}/{slot.name}/{_STORED}", plain(slot, run)


def plain(slot: Slot, run: Sequence[int]) -> bytes:
    """The confirmation of one run, as `encode` would write it; names and epoch are known to be plain text."""
    words = f'{{"v":1,"node":"{slot.name}","epoch":"{slot.epoch}","ranges":[[{run[0]},{run[1]}]]}}'
    return words.encode()


def messages(node: str, epoch: str, told: Confirmation) -> list[Stored]:
    """The confirmation as messages within the contract's limits, usually one."""
    stored = set(told.stored)
    ranges = [Range(first, last) for first, last in compressed(stored)]
    aside = _aside([(seq, reason) for seq, reason in told.aside if seq not in stored])
    size = _RANGES_PER_MESSAGE
    return [
        Stored(
            v=1,
            node=node,
            epoch=UUID(epoch),
            ranges=ranges[start : start + size],
            set_aside=aside[start : start + size],
        )
        for start in range(0, max(len(ranges), len(aside)), size)
    ]


def _aside(refused: list[tuple[int, str]]) -> list[SetAside]:
    by_reason = sorted({(reason, seq) for seq, reason in refused})
    found: list[SetAside] = []
    for reason, group in groupby(by_reason, key=lambda entry: entry[0]):
        ranges = compressed(seq for _, seq in group)
        found += [SetAside(first=first, last=last, reason=reason) for first, last in ranges]
    return found
