"""`ngonden hub`: the process that takes the nodes' messages in, and the tools around its database."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import structlog
import typer
from sqlalchemy.exc import SQLAlchemyError

from hub.access import cli as access_cli
from hub.backup import cli as backup_cli
from hub.db import DatabaseUnsafeError, open_database
from hub.funding import cli as funding_cli
from hub.logs import configure_logs, first_line
from hub.migrations import cli as migrations_cli
from hub.notify import cli as notify_cli
from hub.registry import cli as registry_cli
from hub.settings import SettingsError, load_settings
from hub.telemetry import cli as telemetry_cli
from hub.uptime import cli as uptime_cli

app = typer.Typer(
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Config = Annotated[
    Path, typer.Option("--config", help="The hub's settings, a TOML file.", show_default=False)
]


@app.callback(invoke_without_command=True, epilog="Example: ngonden hub --config data/hub.toml")
def _hub(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option("--config", help="The same as `run --config`.")] = None,
) -> None:
    """Take the nodes' messages into the database: state, incidents, commands, telemetry."""
    if context.invoked_subcommand is None:
        if config is None:
            typer.echo(context.get_help())
            raise typer.Exit(2)
        run(config)


@app.command("run", epilog="Example: ngonden hub run --config data/hub.toml")
def run(config: Config) -> None:
    """Run the ingest until Ctrl-C or SIGTERM."""
    from hub.ingest.draining import DrainProcess, drain_argv
    from hub.ingest.lock import IngestRunningError
    from hub.ingest.scaling.worker import WorkerError, WorkerService
    from hub.ingest.service import IngestService, collect_rarely
    from hub.migrations.runner import MigrationError, upgrade
    from hub.telemetry.factory import StoreAddressError, open_store
    from hub.telemetry.port import StoreUnavailableError
    from hub.uptime.daily.rolling_process import roll_process

    configure_logs()
    collect_rarely()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        settings = load_settings(config)
        engine = open_database(settings.database)
        upgrade(engine)
        # An address that is wrong is told here, not by a child.
        open_store(settings.telemetry, settings.retention.retention()).close()
        argv = drain_argv(str(config))
        make_drain = partial(DrainProcess, argv=argv)
        service: IngestService | WorkerService = (
            WorkerService(settings, engine, make_drain)
            if settings.ingest.worker
            else IngestService(settings, engine, None, drain=make_drain)
        )
    except (
        SettingsError,
        DatabaseUnsafeError,
        IngestRunningError,
        MigrationError,
        StoreAddressError,
        StoreUnavailableError,
        WorkerError,
    ) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    except SQLAlchemyError as error:
        typer.echo(f"{config}: the database cannot be opened: {first_line(error)}", err=True)
        raise typer.Exit(1) from None
    with ExitStack() as ending:
        ending.callback(engine.dispose)
        roller = roll_process(str(config))
        roller.start()
        ending.callback(roller.stop)
        service.start()
        ending.callback(service.stop)
        while service.is_alive() and not stop.wait(1.0):
            pass
    if not stop.is_set():
        structlog.get_logger(__name__).error("ingest_ended_by_itself")
        raise typer.Exit(1)


@app.command(
    "drain", hidden=True, epilog="Example: ngonden hub drain --config data/hub.toml --after 0 < /dev/null"
)
def drain(
    config: Config,
    after: Annotated[int, typer.Option(min=0, help="Begin behind this batch of the outbox.")] = 0,
) -> None:
    """Move telemetry from the outbox into the store, for a `hub run` that reads the standard output."""
    from hub.ingest.draining import drain as drain_until_input_ends
    from hub.telemetry.factory import open_store

    configure_logs()
    settings = load_settings(config)
    engine = open_database(settings.database)
    try:
        drain_until_input_ends(
            engine,
            lambda: open_store(settings.telemetry, settings.retention.retention()),
            after=after,
            worker=settings.ingest.worker,
        )
    finally:
        engine.dispose()


@app.command("roll", hidden=True, epilog="Example: ngonden hub roll --config data/hub.toml < /dev/null")
def roll(config: Config) -> None:
    """Keep uptime by day up to date, for a `hub run` that holds the standard input open."""
    from hub.uptime.daily.rolling_process import roll as roll_until_input_ends

    configure_logs()
    engine = open_database(load_settings(config).database)
    try:
        roll_until_input_ends(engine, lambda: datetime.now(UTC))
    finally:
        engine.dispose()


# Each capability brings its own tools; a new one adds its `register` here.
for tools in (
    migrations_cli,
    registry_cli,
    funding_cli,
    access_cli,
    telemetry_cli,
    backup_cli,
    notify_cli,
    uptime_cli,
):
    tools.register(app)
