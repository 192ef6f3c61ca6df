"""`ngonden edge update` and `ngonden edge release`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

CONFIG = typer.Option(help="The node's settings (TOML).")


def update(
    config: Annotated[Path, CONFIG],
    file: Annotated[
        Path | None, typer.Option(help="A release file, from a USB stick for instance.")
    ] = None,
    sha256: Annotated[str | None, typer.Option(help="The file's SHA-256, as told by who built it.")] = None,
    status: Annotated[bool, typer.Option("--status", help="Say what runs and what is on trial.")] = False,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="End a trial, or return to the release before.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --status: one line of JSON.")] = False,
) -> None:
    """Install another release of the agent beside the running one, and try it at the agent's next start.

    It stays only if the hub confirms what it sends; else the agent returns to the release before by itself.
    """
    from edge.config import ConfigError, load
    from edge.update.install import begin_trial, give_to_owner, install
    from edge.update.names import UpdateError
    from edge.update.trial import go_back

    try:
        settings = load(config)
    except ConfigError as error:
        raise _refuse(str(error)) from None
    releases = Path(settings.data_dir) / "releases"
    asked = [status, rollback, file is not None]
    if sum(asked) != 1 or (file is None) != (sha256 is None):
        raise _refuse("Give one of --file with --sha256, --status, --rollback.")
    try:
        if file is not None and sha256 is not None:
            name = install(releases, file, sha256=sha256.lower(), config=config)
            begin_trial(
                releases,
                name,
                starts_allowed=settings.update.trial_starts,
                trial_s=settings.update.trial_s,
            )
            typer.echo(f"{name} is installed and starts on trial when the agent is started next:")
            typer.echo("  sudo systemctl restart ngonden-edge")
        elif rollback:
            name = go_back(releases)
            typer.echo(f"{name or 'The installed package'} runs when the agent is started next.")
        else:
            _show(releases, as_json=as_json)
        if os.geteuid() == 0:
            give_to_owner(releases)
    except UpdateError as error:
        raise _refuse(str(error), 1) from None
    except OSError as error:
        raise _refuse(f"{error.filename or releases}: {error.strerror}", 1) from None


def release(
    output: Annotated[Path, typer.Option(help="The folder to write the release file into.")] = Path(),
    wheel: Annotated[
        list[Path] | None,
        typer.Option(help="Wheels to build from, the agent's and its libraries': for another machine."),
    ] = None,
    platform: Annotated[
        str | None, typer.Option(help="The machine that native wheels are for, such as linux-aarch64.")
    ] = None,
    libraries: Annotated[
        bool, typer.Option(help="With the libraries, or with the agent's own modules only (small).")
    ] = True,
) -> None:
    """Build a release file for `ngonden edge update` from what is installed here, or from wheels.

    The same parts make the same bytes, so two people can compare what they built.
    """
    from edge.update.names import UpdateError
    from edge.update.release import build

    try:
        path, sha256 = build(output, wheels=wheel or [], libraries=libraries, platform=platform)
    except UpdateError as error:
        raise _refuse(str(error), 1) from None
    typer.echo(f"{path}\nsha256 {sha256}\n{path.stat().st_size / 1e6:.1f} MB")


def _show(releases: Path, *, as_json: bool) -> None:
    from edge.update.launch import CURRENT, FAILED, PREVIOUS, TRIAL, Failed, Trial, pointed_at, read_record

    trial = read_record(releases / TRIAL, Trial)
    failed = read_record(releases / FAILED, Failed)
    facts = {
        "current": pointed_at(releases, CURRENT) or None,
        "previous": pointed_at(releases, PREVIOUS) or None,
        "trial": trial.release if trial else None,
        "trial_starts": trial.starts if trial else None,
        "rolled_back": failed.release if failed else None,
        "rolled_back_reason": failed.reason if failed else None,
    }
    if as_json:
        typer.echo(json.dumps(facts))
        return
    typer.echo(f"current      {facts['current'] or 'the installed package'}")
    typer.echo(f"previous     {facts['previous'] or 'the installed package'}")
    if trial:
        typer.echo(f"on trial     {trial.release}, started {trial.starts} of {trial.starts_allowed} times")
    if failed:
        typer.echo(f"rolled back  {failed.release}: {failed.reason}")


def _refuse(message: str, code: int = 2) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(code)
