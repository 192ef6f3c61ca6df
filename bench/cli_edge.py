"""The commands of `ngonden bench` that measure one node: its process, its disk, its link."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from bench.console import AsJson, Keep, progress_bar, show, workplace

app = typer.Typer()


@app.command(epilog="Example: ngonden bench footprint --json")
def footprint(
    starts: Annotated[int, typer.Option(min=1, help="How often the agent is started; medians.")] = 5,
    minutes: Annotated[float, typer.Option(min=0.1, help="How long the last one is measured.")] = 5.0,
    keep: Keep = None,
    as_json: AsJson = False,
) -> None:
    """One agent with meter and camera probes at 30 s: memory, processor time, and how soon its lamp is lit."""
    from bench.pole.footprint import run_footprint

    with workplace(keep) as data, progress_bar("seconds", int(minutes * 60)) as progress:
        report = run_footprint(data, starts=starts, minutes=minutes, progress=progress)
    show(asdict(report), as_json=as_json)


@app.command(epilog="Example: ngonden bench powercuts --cuts 2000 --seed 1 --json")
def powercuts(
    cuts: Annotated[int, typer.Option(min=1, help="How many times the power goes.")] = 2000,
    seed: Annotated[int, typer.Option(help="The same seed draws the same work and the same moments.")] = 1,
    keep: Keep = None,
    as_json: AsJson = False,
) -> None:
    """Take from a node's disk what was not synced, at random moments; then look for every item."""
    from bench.disk.powercuts import run_powercuts

    with workplace(keep) as data, progress_bar("cuts", cuts) as progress:
        report = run_powercuts(data, cuts=cuts, seed=seed, progress=progress)
    show({**asdict(report), "sound": report.sound}, as_json=as_json)
    if not report.sound:
        raise typer.Exit(1)


@app.command(epilog="Example: ngonden bench air --json")
def air(
    hours: Annotated[float, typer.Option(min=0.5, help="How much of a day the pole lives through.")] = 24.0,
    speed: Annotated[float, typer.Option(min=1, max=600, help="Its seconds per second of yours.")] = 240.0,
    keep: Keep = None,
    as_json: AsJson = False,
) -> None:
    """Kilobytes a metered pole costs on air per day, by cause: real broker, TLS, TCP's own counters."""
    from bench.air.measure import run_air

    with workplace(keep) as data, progress_bar("hours", int(hours)) as progress:
        report = run_air(data, hours=hours, speed=speed, progress=progress)
    show(asdict(report), as_json=as_json)
    if not report.within_budget:
        raise typer.Exit(1)


@app.command(epilog="Example: ngonden bench diagnosis --days 30 --lamps 2")
def diagnosis(
    days: Annotated[float, typer.Option(min=10, help="Simulated days of each lamp.")] = 365,
    lamps: Annotated[int, typer.Option(min=1, help="Lamps with each trouble.")] = 4,
    seed: Annotated[int, typer.Option(help="Replays the same lamps.")] = 1,
    step_s: Annotated[float, typer.Option(min=10, max=300, help="Seconds between two readings.")] = 60,
    as_json: AsJson = False,
) -> None:
    """How well the lamp diagnosis tells each trouble of simulated lamps: precision and recall by kind."""
    from bench.pole.diagnosis import run_diagnosis
    from simulators.lamp_year import TROUBLES

    with progress_bar("lamps", lamps * len(TROUBLES)) as done:
        report = run_diagnosis(lamps_per_trouble=lamps, days=days, seed=seed, step_s=step_s, progress=done)
    facts: dict[str, object] = {"lamps": report.lamps, "lamp_days": report.lamp_days}
    for kind, score in report.kinds.items():
        facts[kind] = {
            "recall": score.recall,
            "precision": score.precision,
            "episodes": score.episodes,
            "found": score.found,
            "alarms": score.alarms,
            "false_alarms": score.false_alarms,
            "not_ended": score.not_ended,
            "median_delay_h": score.delay_h,
        }
    show(facts, as_json=as_json)


@app.command(epilog="Example: ngonden bench scenes --per-kind 13 --json")
def scenes(
    per_kind: Annotated[int, typer.Option(min=1, help="Scenes of each of the 33 kinds.")] = 13,
    first: Annotated[
        int, typer.Option(min=0, help="Number of the first scene; below 20000 were used for tuning.")
    ] = 20_000,
    as_json: AsJson = False,
) -> None:
    """Judge drawn camera scenes by day and night: frozen, dark, covered, defocused, moved, or well."""
    from bench.pole.scenes import run_scenes
    from simulators.camera_scenes.scenes import CATALOGUE

    with progress_bar("scenes", per_kind * len(CATALOGUE)) as progress:
        report = run_scenes(per_kind=per_kind, first=first, progress=progress)
    show({**asdict(report), "good_enough": report.good_enough}, as_json=as_json)
    if not report.good_enough:
        raise typer.Exit(1)


@app.command(epilog="Example: ngonden bench wear --poles 32 --json")
def wear(
    poles: Annotated[int, typer.Option(min=1, max=64, help="Poles of the node.")] = 1,
    ticks: Annotated[int, typer.Option(min=10, help="Ticks in quick succession.")] = 1000,
    apart: Annotated[
        int, typer.Option(min=0, help="Further ticks, 6 s apart: they take the device's count beyond 5 s.")
    ] = 10,
    keep: Keep = None,
    as_json: AsJson = False,
) -> None:
    """What an SD card has to write per day for a node that samples every 30 s; as root also by its device."""
    from bench.disk.wear import run_wear

    with workplace(keep) as data, progress_bar("ticks", ticks) as progress:
        report = run_wear(data, poles=poles, ticks=ticks, ticks_apart=apart, progress=progress)
    show(asdict(report), as_json=as_json)


@app.command(epilog="Example: ngonden bench outage --days 30 --json")
def outage(
    days: Annotated[float, typer.Option(min=0.1, max=60, help="How long the hub is away.")] = 30.0,
    interval_s: Annotated[float, typer.Option(min=1, help="Seconds between samples.")] = 30.0,
    max_mb: Annotated[int, typer.Option(min=4, help="The outbox's bound, millions of bytes.")] = 64,
    keep: Keep = None,
    as_json: AsJson = False,
) -> None:
    """A node without its hub for a month, in virtual time; then it is back, and every sample is counted."""
    from bench.disk.outage import run_outage

    with workplace(keep) as data, progress_bar("days", int(days)) as progress:
        report = run_outage(data, days=days, interval_s=interval_s, max_mb=max_mb, progress=progress)
    show({**asdict(report), "sound": report.sound}, as_json=as_json)
    if not report.sound:
        raise typer.Exit(1)
