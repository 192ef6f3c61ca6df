"""The real InfluxDBs that the telemetry stores are held against."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.influxd import Influxd, influxd_18
from tests.support.influxd2 import Influxd2


def of_version(version: str, folder: Path) -> Influxd:
    """A server of 1.6.7, 1.8.10 or 2.7 that is not started yet."""
    if version == "2.7":
        return Influxd2(folder)
    return Influxd(folder, program=influxd_18() if version == "1.8.10" else None)


@pytest.fixture(scope="package", params=["1.6.7", "1.8.10"])
def influxd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    """A real InfluxDB 1.x: Debian's, and the last."""
    with of_version(request.param, tmp_path_factory.mktemp("influxd-1")) as running:
        yield running


@pytest.fixture(scope="package")
def influxd_2(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd2]:
    """A real InfluxDB 2.7."""
    with Influxd2(tmp_path_factory.mktemp("influxd-2")) as running:
        yield running


@pytest.fixture(scope="package", params=["1.6.7", "1.8.10", "2.7"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    """A real InfluxDB of each kind that can be had."""
    with of_version(request.param, tmp_path_factory.mktemp("influxd-any")) as running:
        yield running
