"""PostgreSQL and InfluxDB by their own programs, both real."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from hub.backup.errors import BackupError, RestoreError
from hub.backup.make import Wanted, make_point
from hub.backup.restore import Target, choose, restore
from hub.settings import HubSettings
from hub.telemetry.factory import open_store
from hub.telemetry.port import Point
from tests.support.influxd import Influxd
from tests.support.postgres import Postgres
from tests.support.servers import wait_until

pytestmark = pytest.mark.servers

NOON = datetime(2026, 11, 28, 5, 0, tzinfo=UTC)
EPOCH = "6f2d5c5e-9a5c-4a51-8c4c-0d5c1a2b3c4d"


def test_postgresql_programs_that_fail_are_told_in_their_words(
    postgres: Postgres, migrated_postgres: str, tmp_path: Path
) -> None:
    url = postgres.new_database(migrated_postgres)
    hub = HubSettings(database=url.replace("ngonden@", "nobody@"), telemetry=f"sqlite:///{tmp_path}/t.db")
    with pytest.raises(Exception, match="nobody"):
        make_point(hub, Wanted(tmp_path / "backups"), now=NOON)
    assert [one for one in (tmp_path / "backups").iterdir() if one.is_dir()] == []


@pytest.mark.parametrize("running", [True, False], ids=["into a server", "into files"])
def test_influxdb_and_the_hub_come_back_together(
    migrated_sqlite: Path, tmp_path: Path, running: bool
) -> None:
    database = tmp_path / "hub.db"
    database.write_bytes(migrated_sqlite.read_bytes())
    with Influxd(tmp_path / "influx") as server:
        address = f"influx+http://127.0.0.1:{server.port}/ngonden"
        store = open_store(address)
        store.write(1, [point(seq) for seq in range(1, 101)])
        hub = HubSettings(database=f"sqlite:///{database}", telemetry=address)
        wanted = Wanted(tmp_path / "backups", influx_rpc=f"127.0.0.1:{server.rpc_port}")
        made = make_point(hub, wanted, now=NOON)
        store.write(2, [point(seq) for seq in range(101, 151)])
        store.close()
        part = made.manifest.part("telemetry")
        assert part is not None
        assert (part.how, part.base) == ("influx_portable", None)
        if running:
            target = Target(tmp_path / "new", None, wanted.influx_rpc, "again")
            done = restore(wanted.folder, choose(wanted.folder, None), target, None)
            assert "InfluxDB again" in done
            # For a moment after the restoration it answers that its engine is closed, or by halves.
            wait_until(lambda: values(server, "again") == [100, 100], what="the points to be back")
            with pytest.raises(RestoreError, match="influxd restore"):
                restore(wanted.folder, made, Target(tmp_path / "x", None, wanted.influx_rpc, "again"), None)
            assert list((tmp_path / "x").iterdir()) == []
        else:
            restore(wanted.folder, made, Target(tmp_path / "new"), None)
            assert list((tmp_path / "new" / "telemetry-restored").glob("*.manifest"))
    assert (tmp_path / "new" / "hub.db").exists()
    with pytest.raises(BackupError, match="does not answer"):
        make_point(hub, wanted, now=NOON.replace(hour=6))


def values(server: Influxd, database: str) -> list[int] | None:
    """How many points the database has, and the last seq; None while it cannot say."""
    query = urlencode({"db": database, "q": 'SELECT count("seq"), max("seq") FROM "pole_sample"'})
    with urlopen(f"{server.url}/query?{query}", timeout=10) as answer:
        series = json.load(answer)["results"][0].get("series")
    return None if series is None else series[0]["values"][0][1:]


def point(seq: int) -> Point:
    at_ms = int(NOON.timestamp() * 1000) + seq * 1000
    return Point(
        node="tg-0001",
        epoch=EPOCH,
        seq=seq,
        commune="tram-than",
        pole="TG-0001",
        time_ms=at_ms,
        received_ms=at_ms,
        clock="synced",
        historical=False,
        effect_level=1.0,
        reason="sun",
        commanded_level=None,
        power_w=50.0,
        voltage_v=228.0,
        current_a=None,
        power_factor=None,
        energy_wh=None,
        dark=None,
        cameras=(),
    )
