"""`ngonden bench truth`: the incidents of a simulated year held against what truly was."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench.console import AsJson, Keep, progress_bar, show, workplace

app = typer.Typer()


@app.command(epilog="Example: ngonden bench truth --poles 200 --cameras 50 --days 365 --seed 1 --json")
def truth(
    poles: Annotated[int, typer.Option(min=8, help="Poles, each with a node of its own.")] = 200,
    cameras: Annotated[int, typer.Option(min=0, help="Cameras, at most one a pole.")] = 50,
    days: Annotated[float, typer.Option(min=2, help="Simulated days.")] = 365,
    seed: Annotated[int, typer.Option(help="The same seed draws the same faults and noise.")] = 1,
    rates: Annotated[
        float, typer.Option(min=0, max=50, help="How many times the usual number of faults.")
    ] = 1.0,
    quiet_s: Annotated[
        float, typer.Option(min=60, max=3600, help="Seconds between two samples while nothing goes on.")
    ] = 1800,
    close_s: Annotated[
        float, typer.Option(min=30, max=300, help="Seconds between two samples around faults.")
    ] = 120,
    keep: Keep = None,
    as_json: AsJson = False,
) -> None:
    """Live a year with known faults through the real hub: precision and recall by kind, notices per trip."""
    from bench.truth.run import Plan, TruthReport, facts_of, run_truth

    if cameras > poles or 600 % close_s or quiet_s % close_s:
        typer.echo(
            "at most one camera a pole; 600 s and --quiet-s must be multiples of --close-s", err=True
        )
        raise typer.Exit(2)

    def interim(so_far: TruthReport) -> None:
        typer.echo(json.dumps(facts_of(so_far)), err=True)

    with workplace(keep) as data, progress_bar("days", int(days)) as progress:
        report = run_truth(
            data,
            Plan(poles, cameras, days, seed, rates, quiet_s, close_s),
            progress=progress,
            interim=interim,
        )
    facts = facts_of(report)
    if as_json:
        show(facts, as_json=True)
    else:
        kinds = facts.pop("kinds")
        assert isinstance(kinds, dict)
        _show_table(kinds)
        show(facts, as_json=False)
    if not report.sound:
        raise typer.Exit(1)


def _show_table(kinds: dict[str, dict[str, object]]) -> None:
    columns = list(next(iter(kinds.values()), {}))
    table = Table("kind", *(name.replace("_", " ") for name in columns))
    for kind, figures in kinds.items():
        table.add_row(kind, *("" if figures[name] is None else str(figures[name]) for name in columns))
    Console(width=max(160, Console().width)).print(table)
