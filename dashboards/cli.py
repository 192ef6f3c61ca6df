"""`ngonden web`: the web server as a process."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from dashboards.web.app import opened
from dashboards.web.assets import FrontendMissingError
from hub.api.settings import SettingsError, load_settings
from hub.db import DatabaseUnsafeError
from hub.logs import configure_logs
from hub.migrations.runner import MigrationError

app = typer.Typer(add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})

SHUTDOWN_S = 2
"""Event streams end only when a page is closed; at the end of the process they are cut after this time."""


@app.command(epilog="Example: ngonden web --config data/web.toml")
def web(
    config: Annotated[
        Path, typer.Option(help="Settings file (TOML); needs `database` and `telemetry`, see docs.")
    ],
) -> None:
    """Serve the pages and the API, on the loopback address unless the settings say otherwise."""
    configure_logs()
    try:
        settings = load_settings(config)
        with opened(settings) as pages:
            uvicorn.run(
                pages,
                host=settings.host,
                port=settings.port,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                log_level="warning",
                timeout_graceful_shutdown=SHUTDOWN_S,
            )
    except (SettingsError, FrontendMissingError, DatabaseUnsafeError, MigrationError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
