"""`/metrics` as Prometheus reads it, checked by its own tool; who may read it; and what readiness says."""

from __future__ import annotations

import math
import subprocess
from datetime import timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, insert

from hub.access.model import Role
from hub.backup.make import Wanted, make_point
from hub.ingest.histogram import Histogram
from hub.ingest.tables import ingest_stat
from hub.settings import HubSettings
from hub.telemetry.embedded import EmbeddedStore
from tests.support.hub_api import Office, open_office
from tests.support.hub_world import ingest_lives, node_speaks
from tests.support.notices import Desk
from tests.support.servers import require_program


def figures(answer: httpx.Response) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample by its name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.fixture
def busy_office(office: Office) -> Office:
    """Rejects, latencies, a lost node, open incidents, and a notifier with one message that failed."""
    latency = Histogram()
    latency.add(np.array([3.0, 4.0, 100.0, 70_000.0]))
    now = office.clock()
    with office.engine.begin() as conn:
        ingest_lives(conn, now - timedelta(seconds=7), rejects=5)
        conn.execute(insert(ingest_stat).values(key="latency_ms", value=latency.to_json()))
        node_speaks(conn, 3, now, status="lost")
    desk = Desk(office.engine)
    desk.route()
    desk.opens(1)
    desk.opens(2, kind="supply_loss", severity="critical")
    desk.turn()
    return office


def test_the_figures_are_true(busy_office: Office) -> None:
    answer = busy_office.as_(Role.ANONYMOUS).get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = figures(answer)

    def value(name: str, **labels: str) -> float:
        return found[(f"ngonden_{name}", tuple(sorted(labels.items())))]

    assert value("rejects_total", reason="not_json") == 5
    assert value("nodes", status="online") == 2
    assert value("nodes", status="lost") == 1
    assert value("incidents_open", kind="supply_loss", severity="critical") == 1
    assert value("incidents_open", kind="lamp_failure", severity="major") == 1
    assert value("notices", target="channel", status="sent") == 2
    assert value("ingest_alive_age_seconds") == 7
    assert value("database_disk_full") == 0
    assert value("notifier_alive_age_seconds") == 0
    assert value("broker_connected") == 1
    assert value("sample_latency_seconds_bucket", le="0.004") == 2
    assert value("sample_latency_seconds_bucket", le="0.128") == 3
    assert value("sample_latency_seconds_bucket", le="65.536") == 3
    assert value("sample_latency_seconds_bucket", le="+Inf") == 4
    assert value("sample_latency_seconds_count") == 4
    assert value("sample_latency_seconds_sum") == pytest.approx(70.107, rel=0.04)


@pytest.mark.servers
def test_promtool_finds_nothing_to_complain_of(busy_office: Office) -> None:
    text = busy_office.as_(Role.ANONYMOUS).get("/metrics").text
    done = subprocess.run(
        [require_program("promtool"), "check", "metrics"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_empty_hub_has_figures_too(sqlite_office: Office) -> None:
    found = figures(sqlite_office.as_(Role.ANONYMOUS).get("/metrics"))
    assert found[("ngonden_sample_latency_seconds_count", ())] == 0
    assert not [name for name, _ in found if name == "ngonden_notifier_alive_age_seconds"]


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip"])
def test_without_a_token_no_proxy_hands_the_figures_on(sqlite_office: Office, header: str) -> None:
    client = sqlite_office.as_(Role.ADMIN)
    assert client.get("/metrics").status_code == 200
    refused = client.get("/metrics", headers={header: "198.51.100.7"})
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:ngonden:problem:metrics-closed")


def test_with_a_token_only_who_has_it_reads(sqlite_engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "metrics.token"
    with open_office(sqlite_engine, settings={"metrics_token_file": str(file)}) as office:
        client = office.as_(Role.ANONYMOUS)
        assert client.get("/metrics").status_code == 503, "no file: closed, not open"
        file.write_text("m" * 32 + "\n")
        file.chmod(0o644)
        assert client.get("/metrics").status_code == 503
        file.chmod(0o600)
        refused = client.get("/metrics")
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert client.get("/metrics", headers={"authorization": "Bearer wrong"}).status_code == 401
        right = {"authorization": "Bearer " + "m" * 32, "x-forwarded-for": "198.51.100.7"}
        assert client.get("/metrics", headers=right).status_code == 200


def test_readiness_tells_of_notifier_and_store_and_counts_what_is_needed(office: Office) -> None:
    client = office.as_(Role.ANONYMOUS)
    ready = client.get("/readyz")
    assert ready.json() == {"status": "ready", "telemetry_up": True, "notifier_up": False}
    refused = client.get("/readyz", params={"need": ["notifier", "telemetry"]})
    assert refused.status_code == 503
    assert refused.json()["errors"] == [{"loc": "notifier", "msg": "is down"}]
    Desk(office.engine).turn()
    assert client.get("/readyz", params={"need": "notifier"}).json()["notifier_up"] is True
    office.clock.pass_(seconds=61)
    with office.engine.begin() as conn:
        ingest_lives(conn, office.clock())
    assert client.get("/readyz").json()["notifier_up"] is False
    office.store.up = False
    assert client.get("/readyz", params={"need": "telemetry"}).status_code == 503
    assert client.get("/readyz").json()["telemetry_up"] is False
    assert client.get("/readyz", params={"need": "luck"}).status_code == 422


def test_the_age_of_the_newest_backup_is_a_figure_where_its_folder_is_named(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    folder, telemetry = tmp_path / "backups", tmp_path / "telemetry.db"
    EmbeddedStore(telemetry).close()
    hub = HubSettings(database=sqlite_engine.url.render_as_string(), telemetry=f"sqlite:///{telemetry}")
    ages = [("ngonden_backup_age_seconds", (("by", "backup"), ("of", of))) for of in ("hub", "telemetry")]
    with open_office(sqlite_engine, settings={"backup_folder": str(folder)}) as office:
        client = office.as_(Role.ANONYMOUS)
        assert [figures(client.get("/metrics"))[age] for age in ages] == [math.inf, math.inf]
        made = make_point(hub, Wanted(folder), now=office.clock() - timedelta(seconds=130))
        assert [figures(client.get("/metrics"))[age] for age in ages] == [130, 130]
        (folder / made.name / "manifest.json").write_text("{")
        assert [figures(client.get("/metrics"))[age] for age in ages] == [math.inf, math.inf]
