"""The hub's word to the nodes, after the commit: one `stored` per node and epoch of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from uuid import UUID

from hub.ingest.judging.batch import Confirmation
from hub.ingest.link.port import BrokerLink
from hub.ingest.ranges import compressed
from protocol import Kind, Range, SetAside, Stored, encode, topic

_EXPIRY_S = 60
_RANGES_PER_MESSAGE = 1000


def confirm(link: BrokerLink, confirmations: Mapping[tuple[str, str, str], Confirmation]) -> None:
    """Tell every (commune, node, epoch) what is stored and what was set aside.

    A word that is lost costs nothing: the node sends again and is told again.
    """
    for (commune, node, epoch), told in confirmations.items():
        for message in messages(node, epoch, told):
            link.publish(topic(commune, node, Kind.STORED), encode(message), expiry_s=_EXPIRY_S)


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
