"""The hub's MQTT 5 connection: paho, with acknowledgement by hand after the commit.

paho's own thread only appends to a queue. How long that can get is bounded by the receive maximum the
hub announces: the broker sends no more while that many messages are unacknowledged.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from hub.ingest.link.arrival import Arrival, arrival
from hub.settings import BrokerSettings
from protocol import FROM_NODE
from protocol.topics import ROOT

SUBSCRIPTIONS = tuple(f"{ROOT}/+/+/{kind.value}" for kind in FROM_NODE)
MAX_BATCH_BYTES = 8 * 1024 * 1024
"""One commit takes no more payload than this, so that memory stays bounded whatever nodes send."""

_QOS = 1
_log = structlog.get_logger(__name__)


class _Count:
    """One writer each: `came` is paho's thread's, `acknowledged` the committer's."""

    __slots__ = ("acknowledged", "came")

    def __init__(self) -> None:
        self.came = 0
        self.acknowledged = 0


class MqttLink:
    """A BrokerLink on a real broker. Reconnects by itself, at most every 10 s."""

    def __init__(self, settings: BrokerSettings) -> None:
        self._settings = settings
        self._waiting: deque[Arrival] = deque()
        self._count = _Count()
        self._expiries: dict[int | None, Properties] = {}
        self._something = threading.Event()
        self._generation = 0
        self._connected_since: float | None = None
        self._client = _client(settings)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._lost_logged = False
        self._thread_name = f"paho-mqtt-client-{settings.client_id}"

    def start(self) -> None:
        """Begin to connect; returns at once, and keeps trying until `stop`."""
        properties = _properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = self._settings.session_expiry_s
        properties.ReceiveMaximum = self._settings.receive_maximum
        self._client.connect_async(
            self._settings.host,
            self._settings.port,
            keepalive=self._settings.keepalive_s,
            clean_start=False,
            properties=properties,
        )
        self._client.loop_start()

    def stop(self) -> None:
        """Leave the broker, which keeps the session and everything unacknowledged."""
        self._client.disconnect()
        self._client.loop_stop()

    def is_alive(self) -> bool:
        """Whether paho's thread runs; it would not outlive a packet that makes its parser fail."""
        return any(thread.name == self._thread_name for thread in threading.enumerate())

    @property
    def connected_since(self) -> float | None:
        """See BrokerLink."""
        return self._connected_since

    @property
    def crowded(self) -> bool:
        """See BrokerLink."""
        return self._count.came - self._count.acknowledged >= 0.9 * self._settings.receive_maximum

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
        while waiting and len(taken) < at_most and size < MAX_BATCH_BYTES:
            came = waiting.popleft()
            size += len(came.payload)
            taken.append(came)
        return taken

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """See BrokerLink. What came by an earlier connection is the broker's to deliver again."""
        for came in arrivals:
            if came.qos and came.generation == self._generation:
                self._client.ack(came.mid, came.qos)
                self._count.acknowledged += 1

    def publish(self, topic: str, payload: bytes, *, expiry_s: int | None, retain: bool = False) -> bool:
        """See BrokerLink."""
        if self._connected_since is None:
            return False
        properties = self._expiries.get(expiry_s)
        if properties is None:
            properties = self._expiries[expiry_s] = _properties(PacketTypes.PUBLISH)
            if expiry_s is not None:
                properties.MessageExpiryInterval = expiry_s
        told = self._client.publish(topic, payload, qos=_QOS, retain=retain, properties=properties)
        return told.rc == mqtt.MQTT_ERR_SUCCESS

    def _on_connect(
        self,
        client: mqtt.Client,
        _userdata: object,
        _flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._log_lost(f"refused: {reason}")
            return
        self._generation += 1
        self._count = _Count()
        client.subscribe([(name, SubscribeOptions(qos=_QOS)) for name in SUBSCRIPTIONS])
        self._connected_since = time.monotonic()
        self._lost_logged = False
        _log.info("broker_connected", host=self._settings.host, port=self._settings.port)

    def _on_connect_fail(self, _client: mqtt.Client, _userdata: object) -> None:
        self._log_lost("no connection")

    def _on_disconnect(
        self,
        _client: mqtt.Client,
        _userdata: object,
        _flags: mqtt.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._connected_since = None
        if reason.is_failure:
            self._log_lost(str(reason))

    def _on_message(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = repr(message._topic)  # a broker must not pass this on; should one do so, it is a reject
        self._waiting.append(
            arrival(
                topic,
                bytes(message.payload),
                mid=message.mid,
                qos=message.qos,
                retain=message.retain,
                dup=message.dup,
                generation=self._generation,
                at=time.time(),
            )
        )
        if message.qos:
            self._count.came += 1
        if not self._something.is_set():
            self._something.set()

    def _log_lost(self, reason: str) -> None:
        if not self._lost_logged:
            self._lost_logged = True
            _log.warning("broker_lost", host=self._settings.host, port=self._settings.port, reason=reason)


def _properties(packet_type: int) -> Properties:
    return Properties(packet_type)  # type: ignore[no-untyped-call]


def _client(settings: BrokerSettings) -> mqtt.Client:
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=settings.client_id,
        protocol=mqtt.MQTTv5,
        manual_ack=True,
    )
    client.reconnect_delay_set(min_delay=1, max_delay=10)
    # Confirmations are coalesced and can be asked for again: paho's window of 20 would only slow them.
    client.max_inflight_messages_set(1000)
    client.max_queued_messages_set(100_000)
    if settings.ca_file is not None:
        tls: dict[str, Any] = {
            "ca_certs": str(settings.ca_file),
            "certfile": str(settings.cert_file),
            "keyfile": str(settings.key_file),
        }
        client.tls_set(**tls)
    return client
