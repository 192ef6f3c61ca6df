"""The hub's own connection, beside a real mosquitto."""

from __future__ import annotations

from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from hub.ingest.link.broker import MqttLink
from hub.settings import BrokerSettings
from tests.integration.hub_ingest.test_on_a_real_broker import BROKER
from tests.support.mosquitto import Mosquitto
from tests.support.servers import free_port, wait_until

pytestmark = pytest.mark.servers


def test_many_confirmations_at_once_all_arrive_in_their_order(tmp_path: Path) -> None:
    told = [(f"ngonden/1/tram-than/node-{n}/stored", str(n).encode()) for n in range(2500)]
    heard: list[tuple[str, bytes]] = []
    listener = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="listener", protocol=mqtt.MQTTv5)
    listener.on_message = lambda *told: heard.append((told[2].topic, told[2].payload))
    with Mosquitto(tmp_path, config_lines=BROKER) as broker:
        listener.connect("127.0.0.1", broker.port)
        listener.subscribe("ngonden/1/+/+/stored", qos=1)
        listener.loop_start()
        link = MqttLink(BrokerSettings(host="127.0.0.1", port=broker.port))
        link.start()
        try:
            wait_until(lambda: link.connected_since is not None, what="the hub on the broker")
            wait_until(listener.is_connected, what="the listener on the broker")
            link.publish_all(iter(told))
            wait_until(lambda: len(heard) == len(told), what="all confirmations")
            assert heard == told
        finally:
            link.stop()
            listener.loop_stop()


def test_without_a_broker_confirmations_are_let_go() -> None:
    """Their nodes send again and are told then; nothing is kept for a broker that may never come."""
    link = MqttLink(BrokerSettings(host="127.0.0.1", port=free_port()))
    link.publish_all([("ngonden/1/tram-than/node-1/stored", b"1")])
    assert link.connected_since is None
