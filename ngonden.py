"""The front door: `ngonden`, one command line put together from each room's `cli.py`.

A room is imported only when its command is called, so that a Raspberry Pi which installed the `edge`
extra alone never meets the hub's libraries, and `ngonden --help` is quick everywhere.
"""

from __future__ import annotations

import importlib
import sys
from typing import NamedTuple, NoReturn

import typer


class Room(NamedTuple):
    """Where a command lives, what it is for, and which extra of the distribution it needs."""

    module: str
    help_line: str
    extra: str


ROOMS = {
    "up": Room("launcher.cli", "Run everything on this machine with a simulated commune.", "all"),
    "edge": Room("edge.cli", "The agent on a pole: lamp, meter, cameras, outbox.", "edge"),
    "hub": Room("hub.cli", "Ingest, incidents, commands; migrations, imports.", "hub"),
    "web": Room("dashboards.cli", "The web server: pages for staff and residents, and the API.", "hub"),
    "provision": Room("provisioning.cli", "Certificates and the broker's configuration.", "all"),
    "sim": Room("simulators.cli", "Simulated poles that run the real agent code.", "edge"),
    "bench": Room("bench.cli", "Measurements and campaigns: throughput, footprint, kills.", "all"),
}


def _listing() -> typer.Typer:
    """The command line as `--help` shows it, without opening a single room."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback(epilog="Example: ngonden up --data data --port 8080")
    def _root() -> None:
        """Ngọn Đèn: community security lighting, from the lamp on the pole to the đồng it cost."""

    for name, room in ROOMS.items():
        app.command(name, help=room.help_line)(lambda: None)
    return app


def open_room(name: str) -> typer.Typer:
    """Import a room's command line; exits with what to install where a library is missing."""
    room = ROOMS[name]
    try:
        app = importlib.import_module(room.module).app
    except ModuleNotFoundError as error:
        top = (error.name or "").split(".")[0]
        if top in {entry.module.split(".")[0] for entry in ROOMS.values()}:
            raise
        _refuse(
            f"`ngonden {name}` needs the library {top!r}, which is not installed here.\n"
            f"Install it with: pip install 'ngonden[{room.extra}]'"
        )
    assert isinstance(app, typer.Typer)
    return app


def _refuse(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise SystemExit(2)


def main() -> None:
    """Entry point of the console script."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name in ROOMS:
        open_room(name)(sys.argv[2:], prog_name=f"ngonden {name}")
    else:
        _listing()(prog_name="ngonden")


if __name__ == "__main__":
    main()
