"""`ngonden hub telemetry-setup`: make the telemetry store ready, and say what was done and what is
missing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hub.telemetry.influxdb.server import InfluxAddress
    from hub.telemetry.retention import Retention


def register(app: typer.Typer) -> None:
    """Add the commands to `ngonden hub`."""
    app.command("telemetry-setup", epilog="Example: ngonden hub telemetry-setup --config data/hub.toml")(
        setup
    )


def setup(
    config: Annotated[
        Path, typer.Option("--config", help="The hub's settings, a TOML file.", show_default=False)
    ],
    shorten: Annotated[
        bool,
        typer.Option("--shorten", help="Also shorten retentions: what is older goes and never returns."),
    ] = False,
) -> None:
    """Make databases or buckets, retention and hourly sums of the telemetry store; run again at will."""
    from hub.settings import SettingsError, load_settings
    from hub.telemetry.factory import StoreAddressError, influx_address, open_store
    from hub.telemetry.port import StoreUnavailableError

    try:
        settings = load_settings(config)
        keep = settings.retention.retention()
        address = influx_address(settings.telemetry)
        if address is None:
            open_store(settings.telemetry, keep).close()
            typer.echo(f"kept     {settings.telemetry}: the embedded store sets itself up")
            return
        ready = _set_up_influx(address, keep, shorten=shorten)
    except (SettingsError, StoreAddressError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    except StoreUnavailableError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    if not ready:
        raise typer.Exit(1)


def _set_up_influx(address: InfluxAddress, keep: Retention, *, shorten: bool) -> bool:
    from hub.telemetry.influxdb.hours import Hours
    from hub.telemetry.influxdb.server import InfluxServer
    from hub.telemetry.influxdb.setup import set_up

    server = InfluxServer(address)
    try:
        typer.echo(f"InfluxDB {server.version()} at {address.url}")
        ready = True
        for step in set_up(server, keep, shorten=shorten):
            typer.echo(f"{step.outcome:<8} {step.subject}: {step.words}")
            ready = ready and step.outcome != "refused"
        if not ready:
            return False
        hours = Hours(server)
        hours.open("/api/v2/write" if server.major() >= 2 and address.token else "/write")
        made = hours.make_all(lambda done, days: typer.echo(f"hours    day {done} of {days}", err=True))
        word = "made" if made else "kept"
        typer.echo(
            f"{word:<8} {address.hours_database}: {made} sums per hour of samples that were there before"
        )
        return True
    finally:
        server.close()
