"""`ngonden bench telemetry` and `ngonden bench influx-outage`: what the telemetry stores hold and stand."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from bench.console import AsJson, Keep, progress_bar, show, workplace

app = typer.Typer()


@app.command(epilog="Example: ngonden bench telemetry --days 365 --json")
def telemetry(
    poles: Annotated[int, typer.Option(min=1, help="Poles, each with a sample every 30 s.")] = 219,
    days: Annotated[int, typer.Option(min=1, help="Days of samples.")] = 365,
    raw_days: Annotated[int, typer.Option(min=2, help="Days for which samples are kept as they are.")] = 35,
    minute_days: Annotated[int, typer.Option(min=2, help="Days for which 1-minute sums are kept.")] = 400,
    seed: Annotated[int, typer.Option(help="The same seed makes the same samples.")] = 1,
    keep: Keep = None,
    as_json: AsJson = False,
) -> None:
    """Fill the embedded telemetry store with a year of a commune; print its size and its charts' times."""
    from bench.telemetry_year import run_year
    from hub.telemetry.retention import Retention

    kept = Retention(raw_days=raw_days, minute_days=max(raw_days, minute_days))
    with workplace(keep) as data, progress_bar("pole-days", poles * days) as progress:
        report = run_year(data, poles=poles, days=days, keep=kept, seed=seed, progress=progress)
    show(asdict(report), as_json=as_json)


@app.command("influx-outage", epilog="Example: ngonden bench influx-outage --minutes 10 --rate 2000 --json")
def influx_outage(
    minutes: Annotated[float, typer.Option(min=0.05, help="How long InfluxDB is away.")] = 10.0,
    rate: Annotated[int, typer.Option(min=10, help="Messages per second, all the time.")] = 2000,
    nodes: Annotated[int, typer.Option(min=1, help="Nodes that send them in turn.")] = 219,
    keep: Keep = None,
    as_json: AsJson = False,
) -> None:
    """Kill InfluxDB under load and start it later: what is lost, the hub's memory, how it catches up."""
    from bench.influx_outage import run_outage

    with workplace(keep) as data, progress_bar("seconds of outage", int(60 * minutes)) as progress:
        report = run_outage(data, minutes=minutes, rate=rate, nodes=nodes, progress=progress)
    show({**asdict(report), "sound": report.sound}, as_json=as_json)
    if not report.sound:
        raise typer.Exit(1)
