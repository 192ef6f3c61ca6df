"""A node's MQTT side for tests: sends what is told, sends again what was not confirmed."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from uuid import UUID, uuid4

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from protocol import Kind, Stored
from tests.integration.hub_ingest.words import node_name, node_topic, sample, state, telemetry
from tests.support.servers import wait_until


class Talker:
    """One node with its own epoch; every sample it makes stays its own until `stored` names it."""

    def __init__(self, port: int, number: int, *, will: bool = False) -> None:
        self.number = number
        self.epoch = uuid4()
        self.session = uuid4()
        self.made = 0
        self.unconfirmed: set[int] = set()
        self._lock = threading.Lock()
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=node_name(number), protocol=mqtt.MQTTv5
        )
        self._client.reconnect_delay_set(min_delay=1, max_delay=1)
        self._client.on_connect = lambda client, *_: client.subscribe(
            node_topic(number, Kind.STORED), qos=1
        )
        self._client.on_message = self._on_message
        if will:
            payload = state(number=number, status="lost", session=self.session, at=datetime.now(UTC))
            self._client.will_set(node_topic(number, Kind.STATE), payload, qos=1, retain=True)
        self._client.connect("127.0.0.1", port, keepalive=10)
        self._client.loop_start()
        wait_until(self._client.is_connected, what=f"{node_name(number)} on the broker")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def be_born(self, *, heartbeat_s: int = 30) -> None:
        now = datetime.now(UTC)
        self.publish(
            Kind.STATE,
            state(number=self.number, session=self.session, at=now, heartbeat_s=heartbeat_s),
            retain=True,
        )

    def make(self, count: int) -> None:
        """Take samples and send them, twenty to a message."""
        with self._lock:
            first, self.made = self.made + 1, self.made + count
            self.unconfirmed |= set(range(first, self.made + 1))
        self._send(range(first, self.made + 1))

    def send_again(self) -> None:
        """Send whatever is not confirmed."""
        with self._lock:
            waiting = sorted(self.unconfirmed)
        self._send(waiting)

    def publish(self, kind: Kind, payload: bytes, *, retain: bool = False) -> None:
        self._client.publish(node_topic(self.number, kind), payload, qos=1, retain=retain)

    def die(self) -> None:
        """Lose the connection as a power cut would."""
        socket = self._client.socket()
        assert socket is not None
        self._client.loop_stop()
        socket.close()

    def _send(self, seqs: range | list[int]) -> None:
        now = datetime.now(UTC)
        for start in range(0, len(seqs), 20):
            samples = [sample(seq, number=self.number, at=now) for seq in seqs[start : start + 20]]
            self.publish(
                Kind.TELEMETRY, telemetry(*samples, number=self.number, epoch=self.epoch, sent_at=now)
            )

    def _on_message(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        told = msgspec.json.decode(bytes(message.payload), type=Stored)
        if told.epoch != UUID(str(self.epoch)):
            return
        with self._lock:
            for first, last in told.ranges:
                self.unconfirmed -= set(range(first, last + 1))
