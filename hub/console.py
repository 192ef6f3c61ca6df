"""What the hub's short commands share: opening the database, and saying why where that fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from hub.db import DatabaseUnsafeError, open_database
from hub.logs import first_line
from hub.migrations.runner import MigrationError, upgrade

Database = Annotated[
    str, typer.Option(help="sqlite:////path/hub.db or postgresql+psycopg://…", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print facts as JSON.")]


@contextmanager
def opened(database: str, *, migrate: bool = True) -> Iterator[Engine]:
    """The database, brought to this program's version; exits with a reason and status 2 where that fails."""
    engine: Engine | None = None
    try:
        engine = open_database(database)
        if migrate:
            upgrade(engine)
        yield engine
    except (DatabaseUnsafeError, MigrationError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    except (SQLAlchemyError, ModuleNotFoundError) as error:  # the latter: a driver that is not installed
        reason = first_line(error)
        typer.echo(f"Không dùng được cơ sở dữ liệu.\nThe database can't be used: {reason}", err=True)
        raise typer.Exit(2) from None
    finally:
        if engine is not None:
            engine.dispose()


def read_file(file: Path) -> bytes:
    """A file's bytes; exits with a reason and status 2 where it can't be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        typer.echo(f"Không đọc được tệp {file}.\n{file} can't be read: {error.strerror}", err=True)
        raise typer.Exit(2) from None
