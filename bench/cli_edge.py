"""The commands of `ngonden bench` that measure one node: its process, its disk, its link."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from bench.console import AsJson, Keep, show, workplace

app = typer.Typer()


@app.command(epilog="Example: ngonden bench footprint --json")
def footprint(
    starts: Annotated[int, typer.Option(min=1, help="How often the agent is started; medians.")] = 5,
    keep: Keep = None,
    as_json: AsJson = False,
) -> None:
    """One agent's resident memory, and the time from its start to its lamp under control."""
    from bench.footprint import run_footprint

    with workplace(keep) as data:
        report = run_footprint(data, starts=starts)
    show(asdict(report), as_json=as_json)
