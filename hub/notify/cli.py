"""Commands of notices. `hub.cli` mounts them with `notify.cli.register(app)`:

ngonden hub notify --config hub.toml
"""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import SQLAlchemyError

from hub.console import opened
from hub.logs import configure_logs, first_line
from hub.settings import SettingsError, load_settings

LANES = 8
"""So many receivers are sent to at once."""


def register(app: typer.Typer) -> None:
    """Add the commands of notices to the hub's command line."""
    app.command("notify", epilog="Example: ngonden hub notify --config data/hub.toml")(notify)


def notify(
    config: Annotated[
        Path, typer.Option("--config", help="The hub's settings, a TOML file.", show_default=False)
    ],
) -> None:
    """Tell people and other programs of incidents, until Ctrl-C or SIGTERM."""
    from concurrent.futures import ThreadPoolExecutor

    from hub.notify.service import Notifier

    configure_logs()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        settings = load_settings(config)
    except SettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    with opened(settings.database) as engine, ThreadPoolExecutor(LANES, "notice") as lanes:
        try:
            Notifier(settings.notify, engine, lanes).run(stop)
        except SQLAlchemyError as error:
            typer.echo(f"{config}: the database fails: {first_line(error)}", err=True)
            raise typer.Exit(1) from None
