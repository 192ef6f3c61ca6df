"""`ngonden provision`: certificates and the broker's configuration."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from provisioning.broker import DEFAULT_PORT
from provisioning.files import private_dir, write_private
from provisioning.issuing import IssuedNode, found, issue_nodes, nodes_in_registry, revoke_node
from provisioning.layout import Layout, ProvisioningError
from provisioning.node_file import render_node_file

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Certificates of hub and nodes, and the broker's configuration.",
    epilog="Example: ngonden provision init --data data",
)

Data = Annotated[Path, typer.Option(help="The hub's data directory.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="The broker's TLS port on 127.0.0.1.")]
Json = Annotated[bool, typer.Option("--json", help="Print the facts as one line of JSON.")]


@app.command(epilog="Example: ngonden provision init --data data --port 8883")
def init(data: Data, port: Port = DEFAULT_PORT, as_json: Json = False) -> None:
    """Make the certificate authority, the broker's and the hub's certificates, and mosquitto.conf.

    Can be run again at any time: an authority that exists is kept.
    """
    try:
        result = found(data, now=datetime.now(UTC), port=port)
    except (ProvisioningError, OSError) as error:
        _refuse(error)
    config = Layout(data.resolve()).broker_config
    if as_json:
        typer.echo(json.dumps(asdict(result) | {"config": str(config)}))
        return
    if result.authority == "kept":
        typer.echo("certificate authority: kept, it is never overwritten")
    else:
        typer.echo("certificate authority: made. Keep a copy of pki/ca.key apart from this machine.")
    typer.echo(f"broker certificate: {result.broker}")
    typer.echo(f"hub certificate: {result.hub}")
    typer.echo(f"revocation list: {result.revocations}")
    typer.echo(f"broker configuration: {'written' if result.config_changed else 'unchanged'}")
    typer.echo(f"start the broker with: mosquitto -c {config}")


@app.command(
    epilog="Example: ngonden provision node TG-0042 --data data --commune tram-than. "
    "All nodes of a registry: ngonden provision node --all registry.csv --data data"
)
def node(
    data: Data,
    name: Annotated[str | None, typer.Argument(help="Pole code or node name; becomes lower case.")] = None,
    commune: Annotated[str | None, typer.Option(help="The commune's code, such as tram-than.")] = None,
    all_of: Annotated[
        Path | None,
        typer.Option("--all", help="A registry file (docs/registry-import.md): issue all its nodes."),
    ] = None,
    config_out: Annotated[
        Path | None, typer.Option(help="Also write the node's TOML here, with absolute paths.")
    ] = None,
    port: Port = DEFAULT_PORT,
    as_json: Json = False,
) -> None:
    """Issue a node's key, certificate and the broker part of its configuration."""
    if (name is None) == (all_of is None):
        _refuse(ProvisioningError("name one pole or node, or give --all with a registry file"))
    if name is not None and commune is None:
        _refuse(ProvisioningError("--commune is missing: the code of the commune, such as tram-than"))
    if all_of is not None and (commune is not None or config_out is not None):
        _refuse(ProvisioningError("--all takes the communes from the file, and writes no --config-out"))
    try:
        pairs = nodes_in_registry(all_of) if all_of is not None else [(commune or "", name or "")]
        issued = issue_nodes(data, pairs, now=datetime.now(UTC), port=port)
        if config_out is not None:
            _write_config(config_out, issued[0], commune or "", port)
    except (ProvisioningError, OSError) as error:
        _refuse(error)
    _report(issued, as_json=as_json)


@app.command(epilog="Example: ngonden provision revoke tg-0042 --data data")
def revoke(
    name: Annotated[str, typer.Argument(help="Pole code or node name.")], data: Data, as_json: Json = False
) -> None:
    """Revoke a node's certificate; a new one can then be issued under the same name."""
    try:
        serial = revoke_node(data, name, now=datetime.now(UTC))
    except (ProvisioningError, OSError) as error:
        _refuse(error)
    if as_json:
        typer.echo(json.dumps({"node": name.lower(), "serial": f"{serial:x}"}))
        return
    typer.echo(f"revoked: certificate {serial:x}")
    typer.echo(
        "The broker learns of it at SIGHUP. A connection that is open now ends at the broker's restart."
    )


def _write_config(out: Path, issued: IssuedNode, commune: str, port: int) -> None:
    private_dir(out.resolve().parent)
    write_private(out, render_node_file(issued.name, commune, port=port, files=issued.directory))


def _report(issued: list[IssuedNode], *, as_json: bool) -> None:
    if as_json:
        facts = [
            {"node": one.name, "directory": str(one.directory), "identity": one.outcome} for one in issued
        ]
        typer.echo(json.dumps({"nodes": facts}))
    elif len(issued) == 1:
        typer.echo(f"{issued[0].name}: {issued[0].outcome}, in {issued[0].directory}")
    else:
        made = sum(one.outcome != "kept" for one in issued)
        typer.echo(f"{made} certificates issued, {len(issued) - made} kept")


def _refuse(error: Exception) -> NoReturn:
    typer.echo(str(error), err=True)
    raise SystemExit(2)
