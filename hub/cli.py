"""`ngonden hub`: the process that takes the nodes' messages in, and the tools around its database."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated

import structlog
import typer

from hub.db import DatabaseUnsafeError, open_database
from hub.settings import SettingsError, load_settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Config = Annotated[
    Path, typer.Option("--config", help="The hub's settings, a TOML file.", show_default=False)
]


@app.callback()
def _hub() -> None:
    """Take the nodes' messages into the database: state, incidents, commands, telemetry."""


@app.command("run", epilog="Example: ngonden hub run --config data/hub.toml")
def run(config: Config) -> None:
    """Run the ingest until Ctrl-C or SIGTERM."""
    from hub.ingest.lock import IngestRunningError
    from hub.ingest.service import IngestService
    from hub.migrations.runner import MigrationError, upgrade
    from hub.telemetry.factory import open_store

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        settings = load_settings(config)
        engine = open_database(settings.database)
        upgrade(engine)
        store = open_store(settings.telemetry)
        service = IngestService(settings, engine, store)
    except (SettingsError, DatabaseUnsafeError, IngestRunningError, MigrationError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    service.start()
    try:
        while service.alive and not stop.wait(1.0):
            pass
    finally:
        service.stop()
        store.close()
        engine.dispose()
    if not stop.is_set():
        structlog.get_logger(__name__).error("ingest_ended_by_itself")
        raise typer.Exit(1)


# The tools of other capabilities (import, migrate, first login) are added below, one line each.
