"""`ngonden sim`: scenarios as files, and a whole commune of simulated nodes that run the real agent."""

from __future__ import annotations

import asyncio
import json
import signal
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, NoReturn

import structlog
import typer

from edge.clock import SystemClock
from edge.log import configure_logging
from simulators.commune import ScenarioError
from simulators.devices import SimulatedWorld
from simulators.digest import Digest, write_to_log
from simulators.files import write_scenario_files
from simulators.fleet import FleetSettings, run_fleet
from simulators.scenario import DEFAULT_SCENARIO, Scenario, commune_of, load_scenario, scenario_names

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Simulated poles that run the real agent code.",
    epilog="Example: ngonden sim commune --scenario trung-giap --data data",
)

Json = Annotated[bool, typer.Option("--json", help="Print the facts as one line of JSON.")]


@app.command("list", epilog="Example: ngonden sim list")
def list_scenarios(as_json: Json = False) -> None:
    """Name the scenarios that ship with this version."""
    found = {name: load_scenario(name).title for name in scenario_names()}
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        for name, title in found.items():
            typer.echo(f"{name:18} {title}")


@app.command(epilog="Example: ngonden sim scenario trung-giap --out demo")
def scenario(
    name: Annotated[str, typer.Argument(help="One of `ngonden sim list`.")],
    out: Annotated[Path, typer.Option(help="Directory for registry.csv and funding.csv.")],
    as_json: Json = False,
) -> None:
    """Write a scenario's registry and funding as the files that `ngonden hub` imports."""
    try:
        found = load_scenario(name)
        written = write_scenario_files(commune_of(found), out, seed=found.seed)
    except (ScenarioError, OSError) as error:
        _refuse(error)
    if as_json:
        facts = {"poles": written.poles, "received_vnd": written.received_vnd}
        typer.echo(json.dumps(facts | {"registry": str(written.registry), "funding": str(written.funding)}))
    else:
        typer.echo(f"{written.registry}: {written.poles} poles")
        typer.echo(f"{written.funding}: {written.received_vnd:,} đ received".replace(",", "."))


@app.command(epilog="Example: ngonden sim commune --scenario trung-giap --data data")
def commune(
    data: Annotated[Path, typer.Option(help="The data directory that holds nodes/, as provisioned.")],
    scenario: Annotated[str, typer.Option(help="One of `ngonden sim list`.")] = DEFAULT_SCENARIO,
    broker_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Instead of the port in each node.toml.")
    ] = None,
    sample_interval: Annotated[
        float | None,
        typer.Option(min=0.05, max=3600, help="Seconds between samples, instead of the scenario's."),
    ] = None,
) -> None:
    """Run every node of a scenario in this process until Ctrl-C."""
    configure_logging()
    try:
        found = load_scenario(scenario)
        settings = FleetSettings(
            nodes=data.resolve() / "nodes",
            broker_port=broker_port,
            sample_interval_s=sample_interval or found.sample_interval_s,
        )
        asyncio.run(_run(found, settings))
    except ScenarioError as error:
        _refuse(error)


async def _run(found: Scenario, settings: FleetSettings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    clock = SystemClock("trusted")
    digest = Digest()
    structlog.configure(processors=[digest, *structlog.get_config()["processors"]])
    world = SimulatedWorld(found, commune_of(found), clock)
    await run_fleet(world, settings, clock, stop, on_step=lambda: digest.flush(write_to_log))


@app.command("storm-night", epilog="Example: ngonden sim storm-night --seed 1")
def storm_night(
    seed: Annotated[int, typer.Option(help="The same seed writes the same log.")] = 1,
    as_json: Json = False,
) -> None:
    """Play a storm night on one road with the real agent, in virtual time, and print what happened.

    What is to be seen on the road, what the nodes decide, and what the hub learns when: docs/storm-night.md.
    """
    from simulators.storm.night import run_night

    report = run_night(seed=seed)
    if as_json:
        typer.echo(json.dumps(asdict(report), ensure_ascii=False))
        return
    for line in report.lines:
        typer.echo(line)


def _refuse(error: Exception) -> NoReturn:
    typer.echo(str(error), err=True)
    raise SystemExit(2)
