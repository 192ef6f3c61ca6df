"""A real influxd for campaigns, on loopback, with its own directory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from bench.children import Child, answers, free_port, program


def influx_child(
    directory: Path, *, port: int, log: Path, environment: Mapping[str, str] | None = None
) -> Child:
    """An InfluxDB 1.x process that fsyncs each write before it answers; its configuration is written here.

    `environment`: settings of InfluxDB's own that lie over it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "influxdb.conf"
    config.write_text(
        f'reporting-disabled = true\nbind-address = "127.0.0.1:{free_port()}"\n'
        f'[meta]\ndir = "{directory}/meta"\n'
        f'[data]\ndir = "{directory}/data"\nwal-dir = "{directory}/wal"\nwal-fsync-delay = "0s"\n'
        f'[http]\nbind-address = "127.0.0.1:{port}"\nlog-enabled = false\n'
        '[monitor]\nstore-enabled = false\n[logging]\nlevel = "warn"\n',
        encoding="utf-8",
    )
    return Child(
        "influxd",
        [program("influxd"), "-config", str(config)],
        log=log,
        ready=lambda: answers(port),
        environment=None if environment is None else {**os.environ, **environment},
    )
