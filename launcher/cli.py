"""`ngonden up`: everything on this machine with a simulated commune."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from launcher.console import Console
from launcher.errors import LaunchError
from launcher.options import DEFAULT_PORT, Options
from launcher.stack import up as run_stack
from simulators.scenario import scenario_names

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command(epilog="Example: ngonden up --data data --port 8080 --scenario trung-giap")
def up(
    data: Annotated[Path, typer.Option(help="Where everything is kept; made where it is missing.")] = Path(
        "data"
    ),
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the pages; 0 takes a free one.")
    ] = DEFAULT_PORT,
    scenario: Annotated[
        str | None,
        typer.Option(help=f"One of {', '.join(scenario_names())}; the data directory's own if left out."),
    ] = None,
    first_login_file: Annotated[
        Path | None,
        typer.Option(help="Where the one-time address is written; DATA/first-login.txt if left out."),
    ] = None,
    influx: Annotated[
        str | None, typer.Option(help="Telemetry into InfluxDB: http://[user:pass@]host:port/database")
    ] = None,
    database: Annotated[
        str | None, typer.Option(help="Instead of SQLite: postgresql+psycopg://user:pass@host/database")
    ] = None,
    sample_interval: Annotated[
        float | None, typer.Option(min=0.05, max=3600, help="Seconds between a pole's samples.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the facts as one line when ready.")
    ] = False,
) -> None:
    """Run broker, hub, web server and a simulated commune here until Ctrl-C."""
    options = Options(
        data=data.resolve(),
        port=port,
        scenario=scenario,
        first_login_file=first_login_file.resolve() if first_login_file else None,
        influx=influx,
        database=database,
        sample_interval_s=sample_interval,
    )
    try:
        asyncio.run(run_stack(options, Console(), as_json=as_json))
    except* (LaunchError, OSError) as group:
        for error in group.exceptions:
            print(error, file=sys.stderr)
        raise SystemExit(2) from None
