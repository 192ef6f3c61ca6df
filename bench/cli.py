"""`ngonden bench`: measurements and campaigns, each in a directory of its own, thrown away afterwards."""

from __future__ import annotations

import signal
from dataclasses import asdict
from typing import Annotated, NoReturn

import typer

from bench import cli_edge, cli_telemetry, cli_truth
from bench.console import AsJson, Keep, progress_bar, show, workplace

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(cli_edge.app)
app.add_typer(cli_telemetry.app)
app.add_typer(cli_truth.app)


@app.callback(epilog="Example: ngonden bench ingest --json")
def _root() -> None:
    """Measure this installation on this machine; only loopback is used, and nothing of yours is touched."""
    # A bench that is ended (`timeout`, a closed session) takes its broker, hub and agents with it.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)


def _end(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)


@app.command(epilog="Example: ngonden bench ingest --messages 600000 --nodes 49000 --rounds 3 --json")
def ingest(
    messages: Annotated[int, typer.Option(min=1000, help="Messages per round.")] = 600_000,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds; medians are printed.")] = 3,
    nodes: Annotated[int, typer.Option(min=1, help="Known nodes.")] = 219,
    speaking: Annotated[
        int | None, typer.Option(min=1, help="How many of them send, in turn; by default all.")
    ] = None,
    keep: Keep = None,
    as_json: AsJson = False,
) -> None:
    """Messages per second through the hub, beside mosquitto_sub on the same load in the same run."""
    from bench.ingest import run_ingest

    with workplace(keep) as data, progress_bar("rounds", rounds) as progress:
        report = run_ingest(
            data, messages=messages, rounds=rounds, progress=progress, nodes=nodes, speaking=speaking
        )
    show(asdict(report), as_json=as_json)
    if report.lost:
        raise typer.Exit(1)


@app.command(epilog="Example: ngonden bench kills --kills 60 --influx --seed 1 --json")
def kills(
    number: Annotated[int, typer.Option("--kills", min=1, help="How many SIGKILLs.")] = 60,
    agents: Annotated[int, typer.Option(min=1, help="Agents, each a process of its own.")] = 4,
    interval_s: Annotated[float, typer.Option(min=0.05, help="Seconds between an agent's samples.")] = 0.1,
    influx: Annotated[
        bool, typer.Option(help="Telemetry in a real InfluxDB, which is killed too.")
    ] = False,
    seed: Annotated[int, typer.Option(help="The same seed draws the same victims and pauses.")] = 1,
    keep: Keep = None,
    as_json: AsJson = False,
) -> None:
    """Kill agents, broker, hub and store at random moments under load; then count every sample."""
    from bench.kills import run_kills
    from bench.stack import Plan

    with workplace(keep) as data, progress_bar("kills", number) as progress:
        plan = Plan(data=data, agents=agents, interval_s=interval_s, influx=influx)
        report = run_kills(plan, kills=number, seed=seed, progress=progress)
    show({**asdict(report), "sound": report.sound}, as_json=as_json)
    if not report.sound:
        raise typer.Exit(1)


@app.command(epilog="Example: ngonden bench workers --workers 3 --kills 100 --seed 1 --json")
def workers(
    number: Annotated[int, typer.Option("--workers", min=2, help="Ingests on one PostgreSQL.")] = 3,
    kills: Annotated[int, typer.Option(min=1, help="How many SIGKILLs.")] = 100,
    seed: Annotated[int, typer.Option(help="The same seed draws the same victims and pauses.")] = 1,
    keep: Keep = None,
    as_json: AsJson = False,
) -> None:
    """Kill one of several ingests at random moments, while lamps die too; count samples and incidents."""
    from bench.workers.campaign import run_workers

    with workplace(keep) as data, progress_bar("kills", kills) as progress:
        report = run_workers(data, workers=number, kills=kills, seed=seed, progress=progress)
    show({**asdict(report), "sound": report.sound}, as_json=as_json)
    if not report.sound:
        raise typer.Exit(1)


@app.command(epilog="Example: ngonden bench turns --workers 3 --seconds 5 --json")
def turns(
    number: Annotated[int, typer.Option("--workers", min=1, help="Measured with one up to so many.")] = 3,
    seconds: Annotated[float, typer.Option(min=0.5, help="How long each measurement takes.")] = 5.0,
    influx_poles: Annotated[int, typer.Option(min=1, help="Poles of which InfluxDB gets a day.")] = 100,
    keep: Keep = None,
    as_json: AsJson = False,
) -> None:
    """What commits of several ingests on one PostgreSQL cost: turns, rows, bytes; and bytes in InfluxDB."""
    from bench.workers.turns import PER_COMMIT, run_turns

    with workplace(keep) as data, progress_bar("measurements", number * len(PER_COMMIT)) as progress:
        report = run_turns(
            data, workers=number, seconds=seconds, influx_poles=influx_poles, progress=progress
        )
    show(asdict(report), as_json=as_json)


@app.command(epilog="Example: ngonden bench spoilt --bad 10000 --seed 1 --json")
def spoilt(
    bad: Annotated[int, typer.Option(min=13, help="Malformed messages, and as many good ones.")] = 10_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same messages.")] = 1,
    keep: Keep = None,
    as_json: AsJson = False,
) -> None:
    """Send malformed messages among good ones; every good one must be stored, every bad one kept aside."""
    from bench.spoilt import run_spoilt

    with workplace(keep) as data, progress_bar("messages", 2 * bad) as progress:
        report = run_spoilt(data, bad=bad, seed=seed, progress=progress)
    show({**asdict(report), "sound": report.sound}, as_json=as_json)
    if not report.sound:
        raise typer.Exit(1)


@app.command(epilog="Example: ngonden bench commune --minutes 10 --interval-s 5 --json")
def commune(
    minutes: Annotated[float, typer.Option(min=0.1, help="How long the commune samples.")] = 10.0,
    interval_s: Annotated[float, typer.Option(min=0.5, help="Seconds between a pole's samples.")] = 5.0,
    influx: Annotated[
        str | None, typer.Option(help="An empty database of a running InfluxDB: http://127.0.0.1:8086/name")
    ] = None,
    keep: Keep = None,
    as_json: AsJson = False,
) -> None:
    """Run what `make up` runs, with 219 faultless poles, and count every sample at the end."""
    from bench.commune import run_commune

    with workplace(keep) as data, progress_bar("seconds", int(minutes * 60)) as progress:
        report = run_commune(
            data / "house", minutes=minutes, interval_s=interval_s, influx=influx, progress=progress
        )
    show({**asdict(report), "sound": report.sound}, as_json=as_json)
    if not report.sound:
        raise typer.Exit(1)


@app.command(epilog="Example: ngonden bench silence --nodes 49000 --json")
def silence(
    nodes: Annotated[int, typer.Option(min=100, help="Nodes that send heartbeats.")] = 49_000,
    silent: Annotated[
        int, typer.Option(min=1, help="How many of them stop, spread over all feeders.")
    ] = 1000,
    heartbeat_s: Annotated[int, typer.Option(min=1, help="Seconds between a node's heartbeats.")] = 30,
    keep: Keep = None,
    as_json: AsJson = False,
) -> None:
    """Stop some of many nodes, and measure how long beyond the hold-off the hub takes to notice each."""
    from bench.silence import run_silence

    with workplace(keep) as data, progress_bar("heartbeats", 6 * nodes) as progress:
        report = run_silence(data, nodes=nodes, silent=silent, heartbeat_s=heartbeat_s, progress=progress)
    show({**asdict(report), "sound": report.sound}, as_json=as_json)
    if not report.sound:
        raise typer.Exit(1)


@app.command(epilog="Example: ngonden bench uptime --poles 49000 --days 365 --json")
def uptime(
    poles: Annotated[int, typer.Option(min=1, help="Poles of the province, 219 to a commune.")] = 49_000,
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days that are reckoned for each.")] = 365,
    as_json: AsJson = False,
) -> None:
    """Milliseconds for uptime over a province's year, a commune's month, a pole's year, on PostgreSQL."""
    from bench.uptime import run_uptime

    with workplace(None), progress_bar("poles", poles) as progress:
        report = run_uptime(poles=poles, days=days, progress=progress)
    show(asdict(report), as_json=as_json)
