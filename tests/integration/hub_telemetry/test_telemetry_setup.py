"""`ngonden hub telemetry-setup`: real 1.6.7 and 1.8.10; recorded answers of 2.7 and 3 Core."""

from __future__ import annotations

import urllib.request
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from hub.cli import app
from hub.telemetry.line_protocol import lines
from tests.integration.hub_ingest.test_telemetry_contract import point
from tests.integration.hub_telemetry.recorded import Recording, serving
from tests.support.influxd import Influxd

pytestmark = pytest.mark.servers

DAYS = "[retention]\nraw_days = 40\nminute_days = 50\nhour_days = 3000\n"


def set_up(folder: Path, telemetry: str, *options: str) -> Result:
    config = folder / "hub.toml"
    config.write_text(f'telemetry = "{telemetry}"\n{DAYS}')
    return CliRunner().invoke(app, ["telemetry-setup", "--config", str(config), *options])


def duration(influxd: Influxd, name: str) -> str:
    (result,) = influxd.results(f'SHOW RETENTION POLICIES ON "{name}"')
    (policy,) = result["series"][0]["values"]
    return str(policy[1])


def test_1x_is_set_up_once_and_again_changes_nothing(influxd: Influxd, tmp_path: Path) -> None:
    name = f"t{uuid4().hex}"
    first = set_up(tmp_path, f"influx+http://127.0.0.1:{influxd.port}/{name}")
    assert first.exit_code == 0, first.output
    assert f"made     {name}: database, kept 40 days" in first.output
    assert (duration(influxd, name), duration(influxd, f"{name}-hours")) == ("960h0m0s", "72000h0m0s")
    second = set_up(tmp_path, f"influx+http://127.0.0.1:{influxd.port}/{name}")
    assert second.exit_code == 0
    assert "made" not in second.output
    assert second.output.count("kept  ") == 3


def test_a_retention_is_lengthened_but_shortened_only_when_asked_to(
    influxd: Influxd, tmp_path: Path
) -> None:
    name = f"t{uuid4().hex}"
    influxd.results(f'CREATE DATABASE "{name}"')
    influxd.results(f'CREATE DATABASE "{name}-hours" WITH DURATION 10d NAME "short"')
    url = f"influx+http://127.0.0.1:{influxd.port}/{name}"
    first = set_up(tmp_path, url)
    assert f"kept     {name}: keeps for ever; --shorten" in first.output
    assert f"changed  {name}-hours: keeps 3000 days instead of 10 days" in first.output
    assert (duration(influxd, name), duration(influxd, f"{name}-hours")) == ("0s", "72000h0m0s")
    assert "what is older goes" in set_up(tmp_path, url, "--shorten").output
    assert duration(influxd, name) == "960h0m0s"


def test_hours_of_samples_that_were_there_are_made(influxd: Influxd, tmp_path: Path) -> None:
    name = f"t{uuid4().hex}"
    influxd.results(f'CREATE DATABASE "{name}"')
    body = "\n".join(lines(point(seq, at_s=3600 * seq)) for seq in range(1, 31)).encode()
    urllib.request.urlopen(f"{influxd.url}/write?db={name}&precision=ns", data=body).close()
    url = f"influx+http://127.0.0.1:{influxd.port}/{name}"
    assert f"made     {name}-hours: 30 sums per hour" in set_up(tmp_path, url).output
    assert f"kept     {name}-hours: 0 sums per hour" in set_up(tmp_path, url).output


def test_the_embedded_store_needs_no_setting_up(tmp_path: Path) -> None:
    result = set_up(tmp_path, "sqlite:///telemetry.db")
    assert result.exit_code == 0
    assert "sets itself up" in result.output


def test_nobody_there_is_an_error_in_words(tmp_path: Path) -> None:
    result = set_up(tmp_path, "influx+http://127.0.0.1:9/ngonden")
    assert result.exit_code == 1
    assert "127.0.0.1:9" in result.output


PING_2: Recording = (204, {"X-Influxdb-Version": "v2.7.11", "X-Influxdb-Build": "OSS"}, "")
ORG = {"id": "0a1b2c3d4e5f6071", "name": "xa"}
EMPTY = {"results": [{"statement_id": 0}]}
DENIED = {"code": "unauthorized", "message": "write:orgs/0a1b2c3d4e5f6071/buckets is unauthorized"}


def bucket(name: str, days: int) -> dict[str, Any]:
    rules = [{"type": "expire", "everySeconds": days * 86_400}] if days else []
    return {"id": f"id-{name}", "orgID": ORG["id"], "name": name, "retentionRules": rules}


def test_2x_gets_buckets_retention_and_mappings(tmp_path: Path) -> None:
    answers: dict[str, Recording | list[Recording]] = {
        "GET /ping": PING_2,
        "GET /api/v2/buckets": (200, {}, {"buckets": []}),
        "GET /api/v2/orgs": (200, {}, {"orgs": [ORG]}),
        "POST /api/v2/buckets": [(201, {}, bucket("den", 40)), (201, {}, bucket("den-hours", 3000))],
        "GET /api/v2/dbrps": (200, {}, {"content": []}),
        "POST /api/v2/dbrps": (201, {}, {}),
        "GET /query": (200, {}, EMPTY),
        "POST /api/v2/write": (204, {}, ""),
    }
    with serving(answers) as server:
        result = set_up(tmp_path, f"influx+http://127.0.0.1:{server.port}/den?org=xa&token=secret")
    assert result.exit_code == 0, result.output
    raw, hours = server.bodies("POST /api/v2/buckets")
    assert raw == {
        "orgID": ORG["id"],
        "name": "den",
        "retentionRules": [{"type": "expire", "everySeconds": 40 * 86_400}],
    }
    assert hours["name"] == "den-hours"
    mapping = server.bodies("POST /api/v2/dbrps")[0]
    assert (mapping["bucketID"], mapping["database"], mapping["default"]) == ("id-den", "den", True)
    assert all(one.headers["authorization"] == "Token secret" for one in server.asked)


def test_2x_that_is_set_up_is_left_alone_and_a_short_retention_is_lengthened(tmp_path: Path) -> None:
    virtual = {"content": [{"bucketID": "id-den", "default": True}]}
    virtual_hours = {"content": [{"bucketID": "id-den-hours", "default": True}]}
    answers: dict[str, Recording | list[Recording]] = {
        "GET /ping": PING_2,
        "GET /api/v2/buckets": [
            (200, {}, {"buckets": [bucket("den", 40)]}),
            (200, {}, {"buckets": [bucket("den-hours", 7)]}),
        ],
        "PATCH /api/v2/buckets/id-den-hours": (200, {}, bucket("den-hours", 3000)),
        "GET /api/v2/dbrps": [(200, {}, virtual), (200, {}, virtual_hours)],
        "GET /query": (200, {}, EMPTY),
        "POST /api/v2/write": (204, {}, ""),
    }
    with serving(answers) as server:
        result = set_up(tmp_path, f"influx+http://127.0.0.1:{server.port}/den?org=xa&token=secret")
    assert result.exit_code == 0, result.output
    assert "changed  den-hours: keeps 3000 days instead of 7 days" in result.output
    assert not server.bodies("POST /api/v2/buckets")
    assert not server.bodies("POST /api/v2/dbrps")


def test_2x_says_which_right_the_token_lacks(tmp_path: Path) -> None:
    answers: dict[str, Recording | list[Recording]] = {
        "GET /ping": PING_2,
        "GET /api/v2/buckets": (200, {}, {"buckets": []}),
        "GET /api/v2/orgs": (200, {}, {"orgs": [ORG]}),
        "POST /api/v2/buckets": (403, {}, DENIED),
    }
    with serving(answers) as server:
        result = set_up(tmp_path, f"influx+http://127.0.0.1:{server.port}/den?org=xa&token=secret")
    assert result.exit_code == 1
    assert "lacks the rights: 403 write:orgs/0a1b2c3d4e5f6071/buckets is unauthorized" in result.output


PING_3: Recording = (200, {"Content-Type": "application/json"}, {"version": "3.2.1", "revision": "5f2d8b1"})


def test_3_core_gets_databases_with_their_retention(tmp_path: Path) -> None:
    answers: dict[str, Recording | list[Recording]] = {
        "GET /ping": PING_3,
        "GET /api/v3/configure/database": (200, {}, [{"iox::database": "other"}, {"iox::database": "den"}]),
        "POST /api/v3/configure/database": (200, {}, ""),
        "GET /query": (200, {}, EMPTY),
        "POST /api/v2/write": (204, {}, ""),
    }
    with serving(answers) as server:
        result = set_up(tmp_path, f"influx+http://127.0.0.1:{server.port}/den?token=apiv3_secret")
    assert result.exit_code == 0, result.output
    assert "kept     den: database is there" in result.output
    bodies = server.bodies("POST /api/v3/configure/database")
    assert bodies == [{"db": "den-hours", "retention_period": "3000d"}]


def test_3_core_without_retention_per_database_keeps_for_ever_and_says_so(tmp_path: Path) -> None:
    unknown: Recording = (400, {}, {"error": "serde error: unknown field `retention_period`"})
    made: Recording = (200, {}, "")
    answers: dict[str, Recording | list[Recording]] = {
        "GET /ping": PING_3,
        "GET /api/v3/configure/database": (200, {}, []),
        "POST /api/v3/configure/database": [unknown, made, unknown, made],
        "GET /query": (200, {}, EMPTY),
        "POST /api/v2/write": (204, {}, ""),
    }
    with serving(answers) as server:
        result = set_up(tmp_path, f"influx+http://127.0.0.1:{server.port}/den?token=apiv3_secret")
    assert result.exit_code == 0, result.output
    assert result.output.count("kept for ever") == 2
