"""The retained configuration on a real mosquitto that forgets what it retained when it is killed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import msgspec
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import Engine

from hub.ingest.service import IngestService
from hub.nodeconfig.facts import facts_of
from hub.nodeconfig.model import NodeProfile
from hub.nodeconfig.store import wish
from hub.settings import BrokerSettings, HubSettings
from hub.telemetry.embedded import EmbeddedStore
from protocol import Config
from tests.support.hub_world import register
from tests.support.mosquitto import Mosquitto
from tests.support.servers import wait_until

pytestmark = pytest.mark.servers

TOPIC = "ngonden/1/tram-than/tg-0001/config"


@contextmanager
def newcomer(port: int) -> Iterator[list[Config]]:
    """What a node that comes only now finds at the broker; the list grows as more is published."""
    found: list[Config] = []
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, client_id=f"new-{uuid4().hex[:8]}", protocol=mqtt.MQTTv5
    )
    client.on_connect = lambda who, *_: who.subscribe(TOPIC, qos=1)
    client.on_message = lambda _who, _data, message: found.append(
        msgspec.json.decode(bytes(message.payload), type=Config)
    )
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        yield found
    finally:
        client.disconnect()
        client.loop_stop()


def test_a_node_finds_its_configuration_even_after_the_broker_forgot_it(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    register(sqlite_engine)
    store = EmbeddedStore(tmp_path / "telemetry.db")
    with Mosquitto(tmp_path / "mosquitto") as broker:
        settings = HubSettings(broker=BrokerSettings(host="127.0.0.1", port=broker.port))
        service = IngestService(settings, sqlite_engine, store)
        service.start()
        try:
            with newcomer(broker.port) as found:
                with sqlite_engine.begin() as conn:
                    facts = facts_of(conn, "tg-0001")
                    now = datetime.now(UTC)
                    wish(conn, "tg-0001", NodeProfile(heartbeat_s=60), facts, by="an", why="thử", now=now)
                wait_until(lambda: len(found) == 1, what="the configuration to be published")
            with newcomer(broker.port) as found:
                wait_until(lambda: len(found) == 1, what="the retained configuration")
                assert found[0].heartbeat_s == 60
            broker.kill()
            broker.start()
            with newcomer(broker.port) as found:
                wait_until(lambda: bool(found), what="the configuration to be back", limit_s=30)
                assert found[0].version == 1
        finally:
            service.stop()
            store.close()
