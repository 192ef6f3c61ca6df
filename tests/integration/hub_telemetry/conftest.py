"""The real InfluxDBs that the telemetry stores are held against."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.influxd import Influxd, influxd_18


@pytest.fixture(scope="package", params=["1.6.7", "1.8.10"])
def influxd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    """A real InfluxDB: Debian's, and the last 1.x."""
    program = influxd_18() if request.param == "1.8.10" else None
    with Influxd(tmp_path_factory.mktemp(f"influxd-{request.param}"), program=program) as server:
        yield server
