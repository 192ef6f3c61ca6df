"""The registry's command. `hub.cli` mounts it with `registry.cli.register(app)`:

ngonden hub import FILE --database URL [--dry-run] [--json]
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from hub.console import AsJson, Database, opened, read_file
from hub.registry.importing import import_registry


def register(app: typer.Typer) -> None:
    """Add the command to the hub's command line."""
    app.command("import", epilog="Example: ngonden hub import poles.csv --database sqlite:////srv/hub.db")(
        import_file
    )


def import_file(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX; columns in docs/registry-import.md")],
    database: Database,
    dry_run: Annotated[bool, typer.Option(help="Tell what would happen, store nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take in poles, lamps, nodes and cameras from a file: all of it, or nothing when a row is wrong."""
    data = read_file(file)
    with opened(database) as engine, engine.begin() as conn:
        result = import_registry(conn, data, now=datetime.now(UTC), dry_run=dry_run)
    if as_json:
        typer.echo(json.dumps(asdict(result), ensure_ascii=False))
    else:
        for one in result.errors:
            typer.echo(f"{file}:{one.row} {one.column}: {one.message_vi} ({one.message_en})", err=True)
        for title in result.ignored_columns:
            typer.echo(f"Bỏ qua cột “{title}” (column {title!r} is not known and was ignored)", err=True)
        typer.echo(
            f"{result.created} created, {result.updated} updated, {result.unchanged} unchanged, "
            f"{len(result.errors)} errors" + ("" if result.stored else "; nothing was stored")
        )
    if result.errors:
        raise typer.Exit(1)
