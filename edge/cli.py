"""`ngonden edge`: the agent of one node.

The command line's own libraries (typer, and pydantic and rich with it) take 20 MB that would stay for as
long as the agent runs, and its parser alone costs 0.2 s before the lamp is under control. So it makes way:
the process becomes `python -m edge`, with the same process id, as the launcher does that a service starts.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from edge.doctor.cli import doctor
from edge.firmware_bridge.cli import check_profile, probe
from edge.update.cli import release, update
from edge.update.launch import main as launch


class _MakesWay(typer.Typer):
    """Hands `--config FILE` straight on; whatever else is asked goes through typer's parser."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Called by the front door with the arguments as a list."""
        match args:
            case (["--config", config],):
                become_agent(config)
        return super().__call__(*args, **kwargs)


app = _MakesWay(
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(
    invoke_without_command=True,
    epilog="Example: ngonden edge --config /etc/ngonden/node.toml",
)
def edge(
    context: typer.Context,
    config: Annotated[
        str, typer.Option(help="The node's settings (TOML); docs/edge-settings.md explains every key.")
    ] = "",
) -> None:
    """Run the agent of one node: light its poles, keep what it sees, tell the hub, obey commands.

    It ends cleanly on Ctrl-C or SIGTERM.
    """
    if context.invoked_subcommand is not None:
        return
    if not config:
        typer.echo("Which node? Give its settings: ngonden edge --config /etc/ngonden/node.toml", err=True)
        raise typer.Exit(2)
    become_agent(config)


app.command(epilog="Example: ngonden edge probe --port /dev/ttyUSB0 --addresses 1-32")(probe)
app.command("check-profile", epilog="Example: ngonden edge check-profile some-meter.toml")(check_profile)
app.command(epilog="Example: ngonden edge doctor --config /etc/ngonden/node.toml")(doctor)
app.command(epilog="Example: ngonden edge update --config node.toml --file F --sha256 S")(update)
app.command(epilog="Example: ngonden edge release --output releases")(release)


def become_agent(config: str) -> NoReturn:
    """Replace this process by a lean one that runs the agent; does not return."""
    home = str(Path(__file__).resolve().parent.parent)
    paths = [home, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    launch(["--config", config])
