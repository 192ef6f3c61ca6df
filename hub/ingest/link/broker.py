"""The hub's MQTT 5 connection, with acknowledgement by hand after the commit.

One thread owns the socket: it reads, cuts messages apart and queues them, and writes what others left for
it. How long the queue can get is bounded by the receive maximum the hub announces (the broker sends no more
while that many messages are unacknowledged) and by bytes: beyond `MAX_QUEUED_BYTES` nothing is read. Nor is it
while more than the receive maximum waits: mosquitto 2.0 sends all it has queued once the first of a full window
is acknowledged, and after a reconnect what waited comes a second time.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice

import mqtt5
import structlog

from hub.ingest.link.arrival import Arrival
from hub.ingest.link.connection import Connection, RefusedError
from hub.ingest.link.wire import Control, Splitter, WireError, pubacks
from hub.settings import BrokerSettings
from protocol import FROM_NODE
from protocol.topics import ROOT


def subscriptions(communes: Sequence[str] = ("+",)) -> tuple[str, ...]:
    """The filters for everything that nodes of these communes say; of all communes without any."""
    return tuple(f"{ROOT}/{commune}/+/{kind.value}" for commune in communes for kind in FROM_NODE)


SUBSCRIPTIONS = subscriptions()
MAX_BATCH_BYTES = 8 * 1024 * 1024
"""One commit takes no more payload than this, so that memory stays bounded whatever nodes send."""

MAX_QUEUED_BYTES = 64 * 1024 * 1024
"""While so much waits for the committer, the broker is left to hold the rest."""

MAX_UNSENT_BYTES = 16 * 1024 * 1024
"""A broker that reads so slowly is told nothing more until it has caught up."""

_SENT_AT_ONCE = 1000
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 10.0
_SUBSCRIBE_ID = 65_535
_LARGEST_ID = _SUBSCRIBE_ID - 1
_PUBACK, _SUBACK, _PINGRESP, _DISCONNECT = 4, 9, 13, 14
_log = structlog.get_logger(__name__)


def reaches(settings: BrokerSettings) -> bool:
    """Whether the broker lets this client in now; takes up to ten seconds where nobody answers."""
    try:
        with Connection(settings) as connection:
            connection.greet(clean_start=True)
            connection.leave()
    except (OSError, RefusedError):
        return False
    return True


class _Count:
    """One writer each: `came` is the link's thread's, the others the committer's."""

    __slots__ = ("acknowledged", "came")

    def __init__(self) -> None:
        self.came = 0
        self.acknowledged = 0


class MqttLink:
    """A BrokerLink on a real broker. Reconnects by itself, at most every 10 s."""

    def __init__(
        self, settings: BrokerSettings, filters: Sequence[str] = SUBSCRIPTIONS, *, clean_start: bool = False
    ) -> None:
        self._settings = settings
        self._clean_start = clean_start
        self._subscriptions = tuple(filters)
        self._waiting: deque[list[Arrival]] = deque()
        # Two numbers each, one written by the link's thread and one by the committer's.
        self._queued = self._taken = 0
        self._queued_bytes = self._taken_bytes = 0
        self._count = _Count()
        self._something = threading.Event()
        self._generation = 0
        self._connected_since: float | None = None
        self._connection: Connection | None = None
        self._unacknowledged: dict[int, bytes] = {}
        self._last_id = 0
        self._sending = threading.Lock()
        self._stop = threading.Event()
        self._lost_logged = False
        self._thread = threading.Thread(target=self._run, name=f"mqtt-{settings.client_id}")

    def start(self) -> None:
        """Begin to connect; returns at once, and keeps trying until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Leave the broker, which keeps the session and everything unacknowledged."""
        self._stop.set()
        connection = self._connection
        if connection is not None:
            connection.wake()
        if self._thread.ident is not None:
            self._thread.join()

    def is_alive(self) -> bool:
        """Whether the link's thread runs."""
        return self._thread.is_alive()

    @property
    def connected_since(self) -> float | None:
        """See BrokerLink."""
        return self._connected_since

    @property
    def held(self) -> int:
        """How many messages this connection brought that are not acknowledged yet."""
        count = self._count
        return count.came - count.acknowledged

    @property
    def crowded(self) -> bool:
        """See BrokerLink."""
        return self.held >= 0.9 * self._settings.receive_maximum or self._is_full()

    def take(self, at_most: int, timeout_s: float) -> list[Arrival]:
        """See BrokerLink."""
        waiting = self._waiting
        if not waiting:
            self._something.clear()
            # A message that came between the look and the clear would else wait for the next one.
            if not waiting:
                self._something.wait(timeout_s)
        taken: list[Arrival] = []
        size = 0
        was_full = self._is_full()
        while waiting and len(taken) < at_most and size < MAX_BATCH_BYTES:
            group = waiting.popleft()
            if len(taken) + len(group) > at_most:
                split = at_most - len(taken)
                waiting.appendleft(group[split:])
                group = group[:split]
            size += sum([len(came[1]) for came in group])
            taken += group
        self._taken += len(taken)
        self._taken_bytes += size
        connection = self._connection
        if was_full and connection is not None:
            connection.wake()
        return taken

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """See BrokerLink. What came by an earlier connection is the broker's to deliver again."""
        generation = self._generation
        mids = [came.mid for came in arrivals if came.qos and came.generation == generation]
        if not mids:
            return
        self._count.acknowledged += len(mids)
        connection = self._connection
        if connection is not None:
            connection.send(pubacks(mids), generation)

    def publish(self, topic: str, payload: bytes, *, expiry_s: int | None, retain: bool = False) -> bool:
        """See BrokerLink."""
        connection = self._connection
        if self._connected_since is None or connection is None or connection.unsent > MAX_UNSENT_BYTES:
            return False
        with self._sending:
            if len(self._unacknowledged) >= min(connection.window, _LARGEST_ID - 1):
                return False
            mid = self._next_id()
            packet = self._unacknowledged[mid] = _packet(topic, payload, expiry_s, retain, mid)
        return connection.send(packet, self._generation)

    def publish_all(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """See BrokerLink. A thousand at a time: the socket's thread is woken once for all of them."""
        waiting = iter(messages)
        while some := list(islice(waiting, _SENT_AT_ONCE)):
            connection = self._connection
            if self._connected_since is None or connection is None or connection.unsent > MAX_UNSENT_BYTES:
                return
            packets = [_packet(topic, payload, None, False, None) for topic, payload in some]
            connection.send(b"".join(packets), self._generation)

    def _next_id(self) -> int:
        """A packet id that is not in use; the window is smaller than there are ids."""
        while True:
            self._last_id = self._last_id % _LARGEST_ID + 1
            if self._last_id not in self._unacknowledged:
                return self._last_id

    def _is_full(self) -> bool:
        waiting = self._queued - self._taken
        waiting_bytes = self._queued_bytes - self._taken_bytes
        return waiting > self._settings.receive_maximum or waiting_bytes >= MAX_QUEUED_BYTES

    def _run(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._stop.is_set():
            connected = False
            try:
                with Connection(self._settings) as connection:
                    self._greet(connection)
                    connected = True
                    self._converse(connection)
            except (OSError, WireError, RefusedError) as error:
                self._log_lost(str(error) or repr(error))
            finally:
                self._connected_since = None
                self._connection = None
            pause_s = _FIRST_PAUSE_S if connected else min(2 * pause_s, _LONGEST_PAUSE_S)
            self._stop.wait(pause_s)

    def _greet(self, connection: Connection) -> None:
        connection.greet(clean_start=self._clean_start)
        self._count = _Count()
        self._generation += 1
        connection.generation = self._generation
        filters = [
            mqtt5.TopicFilter(name, max_qos=mqtt5.QoS.AT_LEAST_ONCE, retain_as_published=False)
            for name in self._subscriptions
        ]
        connection.send(mqtt5.SubscribePacket(_SUBSCRIBE_ID, filters).write(), self._generation)
        with self._sending:
            # The broker may or may not have had them when the last connection broke.
            for packet in self._unacknowledged.values():
                connection.send(bytes([packet[0] | 8]) + packet[1:], self._generation)
        self._connection = connection
        self._connected_since = time.monotonic()
        self._lost_logged = False
        _log.info("broker_connected", host=self._settings.host, port=self._settings.port)

    def _converse(self, connection: Connection) -> None:
        splitter = Splitter(self._generation)
        while not self._stop.is_set():
            for data in connection.exchange(reading=not self._is_full()):
                came, others = splitter.feed(data, time.time())
                if came:
                    self._queue(came)
                for other in others:
                    self._control(other)
                if self._is_full():
                    break
        connection.leave()

    def _queue(self, came: list[Arrival]) -> None:
        self._count.came += sum([1 for one in came if one[3]])
        self._queued += len(came)
        self._queued_bytes += sum([len(one[1]) for one in came])
        self._waiting.append(came)
        if not self._something.is_set():
            self._something.set()

    def _control(self, other: Control) -> None:
        if other.kind == _PUBACK:
            with self._sending:
                self._unacknowledged.pop(int.from_bytes(other.packet[2:4], "big"), None)
        elif other.kind == _SUBACK:
            refused = [code for code in other.packet[-len(self._subscriptions) :] if code >= 0x80]
            if refused:
                raise RefusedError(f"subscription refused, reason {refused[0]:#04x}")
        elif other.kind == _DISCONNECT:
            raise RefusedError(f"broker said goodbye, reason {(other.packet[2:3] or bytes(1))[0]:#04x}")
        elif other.kind != _PINGRESP:
            raise WireError(f"a packet of type {other.kind}")

    def _log_lost(self, reason: str) -> None:
        if not self._lost_logged:
            self._lost_logged = True
            _log.warning("broker_lost", host=self._settings.host, port=self._settings.port, reason=reason)


def _packet(topic: str, payload: bytes, expiry_s: int | None, retain: bool, mid: int | None) -> bytes:
    return mqtt5.PublishPacket(
        topic,
        payload,
        qos=mqtt5.QoS.AT_MOST_ONCE if mid is None else mqtt5.QoS.AT_LEAST_ONCE,
        packet_id=mid,
        retain=retain,
        message_expiry_interval=expiry_s,
    ).write()
