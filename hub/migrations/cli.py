"""The migrations' command. `hub.cli` mounts it with `migrations.cli.register(app)`:

ngonden hub migrate --database URL [--json]
"""

from __future__ import annotations

import json

import typer

from hub.console import AsJson, Database, opened
from hub.migrations.runner import current, upgrade


def register(app: typer.Typer) -> None:
    """Add the command to the hub's command line."""
    app.command("migrate", epilog="Example: ngonden hub migrate --database sqlite:////srv/ngonden/hub.db")(
        migrate
    )


def migrate(
    database: Database,
    as_json: AsJson = False,
) -> None:
    """Bring the database to this program's version; makes it where there is none. Safe to repeat."""
    with opened(database, migrate=False) as engine:
        with engine.connect() as conn:
            before = current(conn)
        upgrade(engine)
        with engine.connect() as conn:
            after = current(conn)
    if as_json:
        typer.echo(json.dumps({"before": before, "after": after}))
    elif before == after:
        typer.echo(f"The database is at version {after} already.")
    else:
        typer.echo(f"The database went from {before or 'empty'} to version {after}.")
