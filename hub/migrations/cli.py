"""The migrations' command. `hub.cli` mounts it with `migrations.cli.register(app)`:

ngonden hub migrate --database URL [--json]
"""

from __future__ import annotations

import json
from typing import Annotated

import typer

from hub.db import DatabaseUnsafeError, open_database
from hub.migrations.runner import MigrationError, current, upgrade


def register(app: typer.Typer) -> None:
    """Add the command to the hub's command line."""
    app.command("migrate", epilog="Example: ngonden hub migrate --database sqlite:////srv/ngonden/hub.db")(
        migrate
    )


def migrate(
    database: Annotated[str, typer.Option(help="sqlite:////path/hub.db or postgresql+psycopg://…")],
    as_json: Annotated[bool, typer.Option("--json", help="Print facts as JSON.")] = False,
) -> None:
    """Bring the database to this program's version; makes it where there is none. Safe to repeat."""
    try:
        engine = open_database(database)
        with engine.connect() as conn:
            before = current(conn)
        upgrade(engine)
        with engine.connect() as conn:
            after = current(conn)
        engine.dispose()
    except (DatabaseUnsafeError, MigrationError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    if as_json:
        typer.echo(json.dumps({"before": before, "after": after}))
    elif before == after:
        typer.echo(f"The database is at version {after} already.")
    else:
        typer.echo(f"The database went from {before or 'empty'} to version {after}.")
