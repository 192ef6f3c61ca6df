"""What the commands of `ngonden bench` share: a place to work in, a progress bar, the printing of facts."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bench.children import ChildError

AsJson = Annotated[bool, typer.Option("--json", help="Print the facts as one line of JSON.")]
Keep = Annotated[
    Path | None,
    typer.Option("--keep", help="Work in this new directory and keep it: databases, certificates, logs."),
]


@contextmanager
def workplace(keep: Path | None) -> Iterator[Path]:
    """A fresh directory; a failure in it ends the command with the reason and exit code 1."""
    try:
        if keep is None:
            with tempfile.TemporaryDirectory(prefix="ngonden-bench-") as made:
                yield Path(made)
            return
        if keep.exists() and any(keep.iterdir()):
            typer.echo(f"{keep} is not empty: name a new directory", err=True)
            raise typer.Exit(2)
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
    except ChildError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


@contextmanager
def progress_bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error, so that `--json` stays clean; call what it gives with the count done."""
    columns = (SpinnerColumn(), TextColumn(what), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


def show(facts: dict[str, Any], *, as_json: bool) -> None:
    """Print the facts, one per line or as one line of JSON."""
    if as_json:
        typer.echo(json.dumps(facts))
        return
    console = Console()
    for name, value in facts.items():
        console.print(f"{name:>22}  {value}", highlight=False)
