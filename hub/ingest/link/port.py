"""The hub's line to the broker as the committer sees it, and a line made of lists for tests."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from hub.ingest.link.arrival import Arrival, arrival


class BrokerLink(Protocol):
    """Messages wait here until they are acknowledged; the broker holds back what goes beyond that."""

    @property
    def connected_since(self) -> float | None:
        """Monotonic second since when messages can arrive; None while there is no connection."""

    @property
    def crowded(self) -> bool:
        """Whether so much is unacknowledged that the broker may be holding messages back."""

    def take(self, at_most: int, timeout_s: float) -> list[Arrival]:
        """What has come, oldest first; waits up to the timeout when nothing has."""

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Tell the broker that these are committed."""

    def publish(self, topic: str, payload: bytes, *, expiry_s: int | None, retain: bool = False) -> bool:
        """Hand over a message; False when it cannot be sent now: no connection, or too much on its way.

        Without an expiry the broker keeps it; `retain` keeps it also for those who come later. It travels at
        QoS 1: what was taken is sent again after a reconnect.
        """

    def publish_all(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Hand over topics with their payloads at QoS 0 and without expiry: any of them may be lost."""


class Published(NamedTuple):
    """What was handed to an InMemoryLink."""

    topic: str
    payload: bytes
    expiry_s: int | None
    retain: bool = False


class InMemoryLink:
    """A link without a broker: `deliver` puts messages in, the lists tell what came out."""

    def __init__(self) -> None:
        self.connected_since: float | None = 0.0
        self.crowded = False
        self.acknowledged: list[int] = []
        self.published: list[Published] = []
        self._waiting: deque[Arrival] = deque()
        self._mid = 0

    @property
    def waiting(self) -> int:
        """How many were delivered and not taken yet."""
        return len(self._waiting)

    def deliver(
        self, topic: str, payload: bytes, *, at: float, retain: bool = False, dup: bool = False
    ) -> int:
        """Let a QoS 1 message arrive at a Unix time in seconds; returns its packet id."""
        self._mid += 1
        self._waiting.append(
            arrival(topic, payload, mid=self._mid, qos=1, retain=retain, dup=dup, generation=1, at=at)
        )
        return self._mid

    def take(self, at_most: int, timeout_s: float) -> list[Arrival]:  # noqa: ARG002
        """See BrokerLink; never waits."""
        return [self._waiting.popleft() for _ in range(min(at_most, len(self._waiting)))]

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """See BrokerLink."""
        self.acknowledged += [came.mid for came in arrivals]

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        expiry_s: int | None,
        retain: bool = False,
    ) -> bool:
        """See BrokerLink."""
        if self.connected_since is None:
            return False
        self.published.append(Published(topic, payload, expiry_s, retain))
        return True

    def publish_all(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """See BrokerLink."""
        for topic, payload in messages:
            self.publish(topic, payload, expiry_s=None)
