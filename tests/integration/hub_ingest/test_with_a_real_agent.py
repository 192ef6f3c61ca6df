"""The real agent of `edge` and the real ingest on a real mosquitto, over TLS: both data paths whole."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from edge.agent import Agent
from edge.clock import SystemClock
from edge.config import BrokerSettings as NodeBroker
from edge.devices import build
from hub.commands.store import CommandView, command, request_override
from hub.db import reading
from hub.ingest import reads
from hub.ingest.service import IngestService
from hub.settings import BrokerSettings, HubSettings
from hub.telemetry.factory import open_store
from tests.integration.hub_ingest.rig import directory
from tests.support.certificates import TestAuthority
from tests.support.hub_side import eventually
from tests.support.mosquitto import Mosquitto
from tests.support.nodes import COMMUNE, NODE, POLE, node_config

pytestmark = pytest.mark.servers


def tls_lines(folder: Path, authority: TestAuthority) -> list[str]:
    certificate, key = authority.issue("broker")
    return [
        "listener {port} 127.0.0.1",
        f"cafile {authority.ca_file}",
        f"certfile {certificate}",
        f"keyfile {key}",
        "require_certificate true",
        "use_identity_as_username true",
        "use_username_as_clientid true",
    ]


async def test_a_sample_and_a_command_make_their_whole_way(engine: Engine, tmp_path: Path) -> None:
    authority = TestAuthority(tmp_path / "tls")
    hub_files, node_files = authority.issue("hub"), authority.issue(NODE)
    store = open_store(f"sqlite:///{tmp_path / 'telemetry.db'}")
    with Mosquitto(tmp_path / "broker", config_lines=tls_lines(tmp_path, authority)) as broker:
        settings = HubSettings(
            broker=BrokerSettings(
                port=broker.port, ca_file=authority.ca_file, cert_file=hub_files[0], key_file=hub_files[1]
            )
        )
        service = IngestService(settings, engine, store, directory())
        service.start()
        config = node_config(
            tmp_path / "node",
            sample_interval_s=0.2,
            broker={
                "host": "127.0.0.1",
                "port": broker.port,
                "ca_file": str(authority.ca_file),
                "cert_file": str(node_files[0]),
                "key_file": str(node_files[1]),
                "reconnect_max_s": 0.5,
            },
        )
        assert isinstance(config.broker, NodeBroker)
        stop = asyncio.Event()
        agent = Agent(config, build(config), SystemClock("trusted"))
        task = asyncio.create_task(agent.run(stop))
        try:
            await eventually(lambda: status(engine) == "online", what="the node online")
            await eventually(lambda: samples(engine) >= 5, what="samples stored")
            asked = ask(engine)
            await eventually(lambda: state_of(engine, asked) == "applied", what="the command applied")
            view = find(engine, asked)
            assert [one.status for one in view.receipts] == ["accepted", "applied"]
            assert view.power_w is not None
            assert view.power_w > 0
        finally:
            stop.set()
            await task
        await eventually(lambda: status(engine) == "stopped", what="the farewell")
        await asyncio.to_thread(service.stop)
    with reading(engine).connect() as conn:
        node = reads.node_state_of(conn, NODE)
        assert reads.rejects(conn) == []
        stored = reads.stats(conn)["samples_stored"]
    assert node is not None
    assert node.epoch is not None
    tally = store.count(NODE, node.epoch)
    assert tally.points == tally.distinct == stored
    store.close()


def status(engine: Engine) -> str | None:
    with reading(engine).connect() as conn:
        found = reads.node_state_of(conn, NODE)
    return found.status if found is not None else None


def samples(engine: Engine) -> int:
    with reading(engine).connect() as conn:
        return int(reads.stats(conn)["samples_stored"])


def ask(engine: Engine) -> str:
    now = datetime.now(UTC)
    with engine.begin() as conn:
        asked = request_override(
            conn,
            pole=POLE,
            node=NODE,
            commune=COMMUNE,
            level=0.7,
            until=now + timedelta(minutes=5),
            by="an",
            now=now,
        )
    return asked.id


def find(engine: Engine, asked: str) -> CommandView:
    with reading(engine).connect() as conn:
        found = command(conn, asked)
    assert found is not None
    return found


def state_of(engine: Engine, asked: str) -> str:
    return find(engine, asked).status
