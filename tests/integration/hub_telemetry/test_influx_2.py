"""A real InfluxDB 2.7: its set-up, what it refuses, its death. What 1.x does of the same is tested beside."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from hub.telemetry.drainer import Drainer, write_splitting
from hub.telemetry.factory import open_store
from hub.telemetry.influx import InfluxStore
from hub.telemetry.line_protocol import lines
from hub.telemetry.outbox import InMemoryOutbox
from hub.telemetry.port import StoreUnavailableError
from tests.integration.hub_ingest.test_influx_trouble import outlive_its_death
from tests.integration.hub_ingest.test_telemetry_contract import DAY, EPOCH, point
from tests.integration.hub_telemetry.test_telemetry_setup import set_up
from tests.support.influxd2 import VERSION, Influxd2

pytestmark = pytest.mark.servers

DAY_S = 86_400


@pytest.fixture
def name() -> str:
    return f"t{uuid4().hex}"


@pytest.fixture
def store(influxd_2: Influxd2, name: str) -> Iterator[InfluxStore]:
    """A store whose buckets keep all."""
    influxd_2.set_up(name)
    opened = InfluxStore(influxd_2.address(name))
    yield opened
    opened.close()


def kept_s(server: Influxd2, name: str) -> list[int]:
    return [rule["everySeconds"] for rule in server.bucket(name)["retentionRules"]]


def test_it_says_which_version_it_is(influxd_2: Influxd2, store: InfluxStore, name: str) -> None:
    assert store.health().detail == f"InfluxDB v{VERSION}, database {name}"


def test_it_is_set_up_once_and_again_changes_nothing(
    influxd_2: Influxd2, tmp_path: Path, name: str
) -> None:
    first = set_up(tmp_path, influxd_2.telemetry(name))
    assert first.exit_code == 0, first.output
    assert f"made     {name}: bucket, kept 40 days" in first.output
    assert (kept_s(influxd_2, name), kept_s(influxd_2, f"{name}-hours")) == (
        [40 * DAY_S],
        [3000 * DAY_S],
    )
    second = set_up(tmp_path, influxd_2.telemetry(name))
    assert second.exit_code == 0
    assert "made" not in second.output


def test_a_retention_is_lengthened_but_shortened_only_when_asked_to(
    influxd_2: Influxd2, tmp_path: Path, name: str
) -> None:
    influxd_2.make(name)
    influxd_2.make(f"{name}-hours")
    hours = influxd_2.bucket(f"{name}-hours")
    short = {"retentionRules": [{"type": "expire", "everySeconds": 10 * DAY_S}]}
    influxd_2.api("PATCH", f"/api/v2/buckets/{hours['id']}", short)
    first = set_up(tmp_path, influxd_2.telemetry(name))
    assert f"kept     {name}: keeps for ever; --shorten" in first.output
    assert f"changed  {name}-hours: keeps 3000 days instead of 10 days" in first.output
    assert (kept_s(influxd_2, name), kept_s(influxd_2, f"{name}-hours")) == ([0], [3000 * DAY_S])
    assert "what is older goes" in set_up(tmp_path, influxd_2.telemetry(name), "--shorten").output
    assert kept_s(influxd_2, name) == [40 * DAY_S]


def test_hours_of_samples_that_were_there_are_made(influxd_2: Influxd2, tmp_path: Path, name: str) -> None:
    influxd_2.make(name)
    old = [point(seq, at_s=3600 * seq) for seq in range(1, 31)]
    influxd_2.write(name, "\n".join(map(lines, old)).encode())
    assert f"made     {name}-hours: 30 sums per hour" in set_up(tmp_path, influxd_2.telemetry(name)).output
    assert f"kept     {name}-hours: 0 sums per hour" in set_up(tmp_path, influxd_2.telemetry(name)).output


def test_a_token_that_may_only_read_is_told_which_right_it_lacks(
    influxd_2: Influxd2, tmp_path: Path, name: str
) -> None:
    reading = influxd_2.token_for(("read", "buckets"), ("read", "dbrp"))
    result = set_up(tmp_path, influxd_2.telemetry(name, token=reading))
    assert result.exit_code == 1
    assert f"refused  {name}: the user or token lacks the rights" in result.output
    assert "buckets is unauthorized" in result.output


def test_the_rights_that_the_docs_name_are_enough(influxd_2: Influxd2, tmp_path: Path, name: str) -> None:
    named = [(action, kind) for kind in ("buckets", "dbrp") for action in ("read", "write")]
    token = influxd_2.token_for(*named)
    result = set_up(tmp_path, influxd_2.telemetry(name, token=token))
    assert result.exit_code == 0, result.output
    store = open_store(influxd_2.telemetry(name, token=token))
    store.write(1, [point(1, at_s=(datetime.now(UTC) - DAY).total_seconds())])
    assert store.count("tg-0001", EPOCH).points == 1
    store.close()


@pytest.mark.parametrize("permissions", [None, [("read", "buckets"), ("read", "dbrp")]])
def test_a_token_that_may_not_write_leaves_the_outbox_as_it_is(
    influxd_2: Influxd2, name: str, permissions: list[tuple[str, str]] | None
) -> None:
    influxd_2.set_up(name)
    token = influxd_2.token_for(*permissions) if permissions else "nobody-s-token"
    store = open_store(influxd_2.telemetry(name, token=token))
    outbox = InMemoryOutbox()
    outbox.batches = {1: [point(1)]}
    drainer = Drainer(outbox, store)
    assert not drainer.step()
    assert list(outbox.batches) == [1]
    with pytest.raises(StoreUnavailableError, match=r"unauthorized|insufficient permissions"):
        store.write(1, [point(1)])
    store.close()


def test_a_bucket_that_is_not_there_yet_is_waited_for(influxd_2: Influxd2, name: str) -> None:
    store = open_store(influxd_2.telemetry(name))
    with pytest.raises(StoreUnavailableError, match=r"404.*not found"):
        store.write(1, [point(1)])
    assert store.count("tg-0001", EPOCH).points == 0
    assert store.series("TG-0001", DAY, DAY + timedelta(hours=1), 60).time == []
    influxd_2.set_up(name)
    store.write(1, [point(1)])
    assert store.count("tg-0001", EPOCH).points == 1
    store.close()


def test_points_that_the_server_refuses_are_found_and_the_others_stored(
    influxd_2: Influxd2, store: InfluxStore, name: str
) -> None:
    influxd_2.write(name, b'pole_sample,commune=c,node=n,pole=TG-0666 power_w="forty" 1782000000000000000')
    points = [point(seq, at_s=seq) for seq in range(1, 40)]
    points[20] = bad = msgspec.structs.replace(points[20], time_ms=1_782_000_000_000)
    written = write_splitting(store, 2, points)
    assert written.points == 38
    ((refused, words),) = written.refused
    assert refused == bad
    assert "field type conflict" in words
    assert store.count("tg-0001", EPOCH).points == 38


def test_points_older_than_the_bucket_keeps_are_refused_and_the_others_stored(
    influxd_2: Influxd2, tmp_path: Path, name: str
) -> None:
    assert set_up(tmp_path, influxd_2.telemetry(name)).exit_code == 0
    store = open_store(influxd_2.telemetry(name))
    now_s = (datetime.now(UTC) - DAY).total_seconds()
    points = [point(seq, at_s=now_s + seq) for seq in range(1, 20)]
    old = point(20, at_s=now_s - 60 * DAY_S)
    written = write_splitting(store, 1, [*points, old])
    assert written.points == 19
    ((refused, words),) = written.refused
    assert refused == old
    assert "retention" in words
    assert store.count("tg-0001", EPOCH).points == 19
    store.close()


def test_a_server_that_dies_makes_the_outbox_wait_and_nothing_is_lost(tmp_path: Path) -> None:
    with Influxd2(tmp_path / "influxd") as server:
        server.set_up("ngonden")
        outlive_its_death(server, "ngonden")
