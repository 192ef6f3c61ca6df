"""InfluxDB by its own backup, real: all of it, then only what changed, and back to every point."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from hub.backup.errors import BackupError, RestoreError
from hub.backup.make import Wanted, make_point
from hub.backup.manifest import Part
from hub.backup.manifest import Point as BackupPoint
from hub.backup.restore import Target, choose, restore
from hub.settings import HubSettings
from hub.telemetry.factory import open_store
from hub.telemetry.port import Point
from tests.support.influxd import Influxd, influxd_18
from tests.support.points import bare_point
from tests.support.servers import wait_until

pytestmark = pytest.mark.servers

NOON = datetime(2026, 11, 28, 5, 0, tzinfo=UTC)
EPOCH = "6f2d5c5e-9a5c-4a51-8c4c-0d5c1a2b3c4d"


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
            assert list((tmp_path / "new" / "telemetry-restored" / "samples").glob("*.manifest"))
    assert (tmp_path / "new" / "hub.db").exists()
    with pytest.raises(BackupError, match="does not answer"):
        make_point(hub, wanted, now=NOON.replace(hour=6))


@pytest.fixture(params=["1.6", "1.8"])
def influx(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Influxd]:
    """Debian's server, and 1.8.10 with its own programs first on the path."""
    program = influxd_18() if request.param == "1.8" else None
    if program is not None:
        monkeypatch.setenv("PATH", str(Path(program).parent), prepend=os.pathsep)
    with Influxd(tmp_path / "influx", program=program) as server:
        yield server


def hours_pass(server: Influxd) -> None:
    """Everything that lies on the disk is of two hours ago."""
    then = time.time() - 7200
    for path in server.folder.rglob("*.tsm"):
        os.utime(path, (then, then))


def hour(server: Influxd, watts: float) -> None:
    """The mean of an hour, written over whatever it was."""
    line = f"pole_hour,pole=TG-0001 power_w={watts} {int(NOON.timestamp())}"
    urlopen(f"{server.url}/write?db=ngonden-hours&precision=s", data=line.encode(), timeout=10).close()


def hour_of(server: Influxd, database: str) -> float | None:
    """The mean of that hour; None while the server cannot say."""
    series = server.results('SELECT "power_w" FROM "pole_hour"', db=database)[0].get("series")
    return None if series is None else series[0]["values"][0][1]


def telemetry_part(made: BackupPoint) -> Part:
    part = made.manifest.part("telemetry")
    assert part is not None
    return part


def test_only_what_changed_is_copied_late_history_too_and_every_point_comes_back(
    influx: Influxd, migrated_sqlite: Path, tmp_path: Path
) -> None:
    database = tmp_path / "hub.db"
    database.write_bytes(migrated_sqlite.read_bytes())
    address = f"influx+http://127.0.0.1:{influx.port}/ngonden"
    hub = HubSettings(database=f"sqlite:///{database}", telemetry=address)
    wanted = Wanted(tmp_path / "backups", influx_rpc=f"127.0.0.1:{influx.rpc_port}")
    store = open_store(address)
    store.write(1, [point(seq) for seq in range(1, 5001)])
    store.write(2, [point(5001, NOON - timedelta(days=90))])
    hour(influx, 1.0)
    whole = make_point(hub, wanted, now=NOON)
    hours_pass(influx)

    store.write(3, [point(seq, NOON + timedelta(minutes=90)) for seq in range(5002, 5102)])
    store.write(4, [point(seq, NOON - timedelta(days=60)) for seq in range(5102, 5112)])  # its own shard
    store.write(5, [point(5112, NOON - timedelta(days=90))])  # late, into an old one
    hour(influx, 2.0)
    second = make_point(hub, wanted, now=NOON + timedelta(minutes=4))
    hours_pass(influx)
    third = make_point(hub, wanted, now=NOON + timedelta(minutes=8))  # nothing new
    store.close()

    parts = [telemetry_part(one) for one in (whole, second, third)]
    assert [part.base for part in parts] == [None, whole.name, second.name]
    assert parts[1].size_bytes < parts[0].size_bytes / 3
    assert parts[2].size_bytes < parts[1].size_bytes

    target = Target(tmp_path / "new", None, wanted.influx_rpc, "again")
    restore(wanted.folder, choose(wanted.folder, None), target, None)
    wait_until(lambda: values(influx, "again") == [5112, 5112], what="every point to be back")
    wait_until(lambda: hour_of(influx, "again-hours") == 2, what="the hour as it was written last")
    (wanted.folder / whole.name / parts[0].file).unlink()
    with pytest.raises(RestoreError, match=whole.name):
        restore(wanted.folder, third, Target(tmp_path / "x", None, wanted.influx_rpc, "third"), None)


def test_another_server_in_the_place_of_the_first_is_copied_whole(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    database = tmp_path / "hub.db"
    database.write_bytes(migrated_sqlite.read_bytes())
    made = []
    for turn, name in enumerate(("first", "second")):
        with Influxd(tmp_path / name) as server:
            address = f"influx+http://127.0.0.1:{server.port}/ngonden"
            store = open_store(address)
            store.write(1, [point(seq) for seq in range(1, 11)])
            store.close()
            hub = HubSettings(database=f"sqlite:///{database}", telemetry=address)
            wanted = Wanted(tmp_path / "backups", influx_rpc=f"127.0.0.1:{server.rpc_port}")
            for minute in (0, 4):
                now = NOON + timedelta(hours=turn, minutes=minute)
                made.append(make_point(hub, wanted, now=now))
    bases = [telemetry_part(one).base for one in made]
    assert bases == [None, made[0].name, None, made[2].name]


def values(server: Influxd, database: str) -> list[int] | None:
    """How many points the database has, and the last seq; None while it cannot say."""
    query = urlencode({"db": database, "q": 'SELECT count("seq"), max("seq") FROM "pole_sample"'})
    with urlopen(f"{server.url}/query?{query}", timeout=10) as answer:
        series = json.load(answer)["results"][0].get("series")
    return None if series is None else series[0]["values"][0][1:]


def point(seq: int, at: datetime = NOON) -> Point:
    at_ms = int(at.timestamp() * 1000) + seq * 1000
    return bare_point(
        epoch=EPOCH,
        seq=seq,
        time_ms=at_ms,
        received_ms=at_ms,
        reason="sun",
        power_w=50 + math.sin(seq),
        voltage_v=228.0,
    )
