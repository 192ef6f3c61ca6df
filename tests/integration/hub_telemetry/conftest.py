"""The real InfluxDBs that the telemetry stores are held against."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.influxd import Influxd, influxd_18
from tests.support.influxd2 import Influxd2


@pytest.fixture(scope="package", params=["1.6.7", "1.8.10"])
def influxd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    """A real InfluxDB 1.x: Debian's, and the last."""
    program = influxd_18() if request.param == "1.8.10" else None
    with Influxd(tmp_path_factory.mktemp(f"influxd-{request.param}"), program=program) as server:
        yield server


@pytest.fixture(scope="package")
def influxd_2(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd2]:
    """A real InfluxDB 2.7."""
    with Influxd2(tmp_path_factory.mktemp("influxd-2")) as server:
        yield server


@pytest.fixture(scope="package", params=["1.6.7", "1.8.10", "2.7"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    """A real InfluxDB of each kind that can be had."""
    folder = tmp_path_factory.mktemp(f"influxd-any-{request.param}")
    if request.param == "2.7":
        made: Influxd = Influxd2(folder)
    else:
        made = Influxd(folder, program=influxd_18() if request.param == "1.8.10" else None)
    with made as running:
        yield running
