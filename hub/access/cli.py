"""Commands of access. `hub.cli` mounts them with `access.cli.register(app)`:

ngonden hub first-login --database URL --file F [--base-url URL] [--json]
ngonden hub add-user NAME --role ROLE [--commune CODE]… --database URL [--json]    (password on stdin)
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from hub.access.model import AccessError, Role
from hub.access.store import add_user as add_user_row
from hub.access.store import first_login_needed, hashed_password, new_first_login
from hub.console import AsJson, Database, opened
from hub.registry.reads import communes


def register(app: typer.Typer) -> None:
    """Add the commands of access to the hub's command line."""
    app.command(
        "first-login",
        epilog="Example: ngonden hub first-login --database sqlite:////srv/hub.db --file first-login.txt",
    )(first_login)
    app.command(
        "add-user",
        epilog="Example: ngonden hub add-user lan --role staff --database sqlite:////srv/hub.db < word.txt",
    )(add_user)


def first_login(
    database: Database,
    file: Annotated[Path, typer.Option(help="Where to write the one line; readable by its owner only.")],
    base_url: Annotated[str, typer.Option(help="Put before the path, such as http://127.0.0.1:8080")] = "",
    as_json: AsJson = False,
) -> None:
    """Make the one-time link that signs in the first administrator, while there is none with a password."""
    with opened(database) as engine, engine.begin() as conn:
        needed = first_login_needed(conn)
        token = new_first_login(conn, now=datetime.now(UTC)) if needed else ""
    if needed:
        _write_private(file, f"{base_url.rstrip('/')}/first-login?token={token}\n")
    if as_json:
        typer.echo(json.dumps({"created": needed, "file": str(file) if needed else None}))
    elif needed:
        typer.echo(f"The first login is in {file}: open its address in a browser within 24 hours, once.")
    else:
        typer.echo("An administrator with a password exists: sign in with it.")


def add_user(
    name: Annotated[str, typer.Argument(help="Login name, such as lan")],
    database: Database,
    role: Annotated[Role, typer.Option(help="viewer, staff or admin")] = Role.VIEWER,
    commune: Annotated[
        list[str] | None,
        typer.Option(help="Code of a commune the user works for, repeatable; none: the whole hub"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add somebody who may sign in; the password is read from standard input, so that no list shows it."""
    typed = typer.prompt("Password", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    try:
        hashed = hashed_password(typed.rstrip("\r\n"))
        with opened(database) as engine, engine.begin() as conn:
            _check_known(conn, commune or ())
            user = add_user_row(
                conn, name, role, hashed=hashed, communes=commune or (), now=datetime.now(UTC)
            )
    except AccessError as error:
        typer.echo(f"{error.message_vi}\n{error}", err=True)
        raise typer.Exit(2) from None
    typer.echo(
        json.dumps({"id": user.id, "name": user.name, "role": user.role.value})
        if as_json
        else f"{user.name} may sign in as {user.role.value}."
    )


def _check_known(conn: Connection, codes: Iterable[str]) -> None:
    known = {one.code for one in communes(conn)}
    for code in codes:
        if code not in known:
            raise AccessError(
                "communes",
                f"Không có xã/phường nào mang mã “{code}”. Hãy nhập danh sách cột đèn trước.",
                f"no commune {code!r} is registered: import the poles first",
            )


def _write_private(file: Path, text: str) -> None:
    """Replace the file by one that only its owner may read, never readable in between."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(file.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    draft.replace(file)
