"""A configuration from its row to the broker, kept there over restarts, following the registry."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from hub.ingest.judging.directory import KnownNode
from hub.ingest.link.config_sender import AT_ONCE
from hub.nodeconfig.facts import facts_of
from hub.nodeconfig.model import LampProfile, NodeProfile, PoleFacts
from hub.nodeconfig.store import Desired, desired, history, wish
from hub.registry.importing import import_registry
from protocol import Config, DimmingStep, Kind
from tests.integration.hub_ingest.rig import Rig
from tests.integration.hub_ingest.words import COMMUNE, state
from tests.support.hub_world import pole_line, register, registry_csv

pytestmark = pytest.mark.servers

DIM = NodeProfile(lamp=LampProfile(dimming=[DimmingStep(at="22:30", level=0.5)]))


def want(rig: Rig, profile: NodeProfile = DIM, *, node: str = "tg-0001", reported: int = 0) -> Desired:
    with rig.engine.begin() as conn:
        facts = facts_of(conn, node)
        made, _ = wish(conn, node, profile, facts, by="an", why="thử", now=rig.now, reported=reported)
    return made


def sent(rig: Rig) -> list[Config]:
    found = [message for message in rig.link.published if message.topic.endswith("/config")]
    return [msgspec.json.decode(message.payload, type=Config) for message in found]


def test_nothing_is_sent_to_a_node_for_which_nothing_was_wished(rig: Rig) -> None:
    register(rig.engine)
    rig.take(Kind.STATE, state())
    rig.pass_time(3)
    assert sent(rig) == []


def test_a_wish_is_published_retained_and_once(rig: Rig) -> None:
    register(rig.engine)
    want(rig)
    rig.pass_time(3)
    (config,) = sent(rig)
    assert (config.version, config.poles[0].pole, config.poles[0].lamp_rated_w) == (1, "TG-0001", 50)
    assert config.poles[0].dimming[0].at == "22:30"
    (message,) = [one for one in rig.link.published if one.topic.endswith("/config")]
    assert message.topic == "ngonden/1/tram-than/tg-0001/config"
    assert (message.retain, message.expiry_s) == (True, None)


def test_only_the_newest_version_is_sent(rig: Rig) -> None:
    register(rig.engine)
    want(rig)
    want(rig, NodeProfile(heartbeat_s=60))
    rig.pass_time(1)
    assert [one.version for one in sent(rig)] == [2]


def test_a_broker_that_was_away_is_told_all_again(rig: Rig) -> None:
    register(rig.engine)
    want(rig)
    want(rig, node="tg-0002")
    rig.pass_time(1)
    rig.link.connected_since = None
    want(rig, NodeProfile(heartbeat_s=60))
    rig.pass_time(2)
    assert len(sent(rig)) == 2
    rig.link.connected_since = rig.monotonic_s
    rig.pass_time(1)
    assert [(one.node, one.version) for one in sent(rig)[2:]] == [("tg-0001", 2), ("tg-0002", 1)]


def test_many_go_out_over_several_rounds(rig: Rig) -> None:
    facts = (PoleFacts(pole="TG-0001", latitude=21.4, longitude=105.2, lamp_rated_w=40),)
    names = [f"tg-{n:04}" for n in range(1, AT_ONCE + 51)]
    with rig.engine.begin() as conn:
        for name in names:
            wish(conn, name, NodeProfile(), facts, by="an", why="thử", now=rig.now)
    for name in names:
        rig.directory.add(KnownNode(name, COMMUNE, frozenset()))
    rig.pass_time(1)
    assert len(sent(rig)) == AT_ONCE
    rig.pass_time(1)
    assert [one.node for one in sent(rig)] == names


def test_a_changed_place_or_rating_makes_a_new_version(rig: Rig) -> None:
    register(rig.engine)
    want(rig)
    rig.pass_time(3)
    with rig.engine.begin() as conn:
        changed = registry_csv(pole_line(1, lamp_rated_w="80"), pole_line(2, place="Nhà văn hóa"))
        assert import_registry(conn, changed, now=datetime.now(UTC)).stored
    rig.pass_time(4)
    assert [(one.version, one.poles[0].lamp_rated_w) for one in sent(rig)] == [(1, 50), (2, 80)]
    newest = rig.read(lambda conn: desired(conn, "tg-0001"))
    assert newest is not None
    assert (newest.cause, newest.made_by, newest.profile) == ("registry", "", DIM)
    rig.restart()
    rig.pass_time(4)
    assert len(rig.read(lambda conn: history(conn, "tg-0001"))) == 2


def test_versions_go_beyond_what_the_node_already_runs(rig: Rig) -> None:
    register(rig.engine)
    made = want(rig, reported=7)
    assert made.version == 8
    again = want(rig, reported=8)
    assert again.version == 8
    assert want(rig, reported=12).version == 13
