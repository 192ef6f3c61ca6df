"""`ngonden edge probe` and `check-profile`: what hangs on a serial line, and whether its description holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    # Whoever starts the agent comes through here too: the rest is loaded by who probes.
    from edge.config import SerialLineSettings
    from edge.firmware_bridge.probe import Found, Prober
    from edge.firmware_bridge.profile import Profile

NOTHING_ANSWERED, WRONG, NO_PORT = 1, 2, 3
BY_ID = Path("/dev/serial/by-id")


def probe(
    port: Annotated[str, typer.Option(help="The adapter, such as /dev/ttyUSB0.")] = "",
    config: Annotated[
        Path | None, typer.Option(help="The node's settings: its lines and profiles are probed.")
    ] = None,
    baud: Annotated[
        list[int] | None,
        typer.Option(help="Speed of the line; again for more than one. 9600 if not given."),
    ] = None,
    parity: Annotated[str, typer.Option(help="none, even or odd.")] = "none",
    stop_bits: Annotated[int, typer.Option(min=1, max=2)] = 1,
    addresses: Annotated[str, typer.Option(help="Addresses to ask, such as 1-32,100.")] = "1-32",
    profile: Annotated[
        list[str] | None, typer.Option(help="Look for these kinds only; quicker. All if not given.")
    ] = None,
    profiles_dir: Annotated[Path | None, typer.Option(help="A folder of profiles of your own.")] = None,
    wait_s: Annotated[float, typer.Option(min=0.05, max=5, help="How long an answer may take.")] = 0.2,
    new_address: Annotated[
        int, typer.Option(min=0, max=247, help="Give the device at the one address asked another.")
    ] = 0,
    reset_energy: Annotated[
        bool, typer.Option("--reset-energy", help="Set the total of the meter at the one address to 0.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was found as one line of JSON.")
    ] = False,
) -> None:
    """List what answers on a serial line: address, kind, firmware, and a reading.

    A line has one master: stop the agent first. Exit code 0: something answered, 1: nothing did, 2: wrong
    arguments or settings, 3: the port can't be used.
    """
    from edge.config import ConfigError
    from edge.firmware_bridge.probe import addresses_in
    from edge.firmware_bridge.profile import ProfileError, Profiles

    try:
        lines, profiles_dir = _lines(port, config, baud or [9600], parity, stop_bits, wait_s, profiles_dir)
        known = Profiles(profiles_dir)
        kinds = [known.get(name) for name in profile or known.names()]
        wanted = addresses_in(addresses)
    except (ConfigError, ProfileError, ValueError) as error:
        _refuse(str(error), WRONG)
    if (new_address or reset_energy) and len(wanted) * len(lines) != 1:
        _refuse("this needs one --port, one --baud and one address: --addresses 1", WRONG)
    found: list[tuple[SerialLineSettings, Found]] = []
    for line in lines:

        def work(prober: Prober, line: SerialLineSettings = line) -> list[Found]:
            if new_address:
                return [prober.readdress(wanted[0], new_address)]
            if reset_energy:
                return [prober.reset_energy(wanted[0])]
            return _with_progress(prober, line, wanted, quiet=as_json)

        found += [(line, one) for one in _on(line, kinds, work)]
    _show(found, kinds, as_json=as_json)
    if not found:
        raise typer.Exit(NOTHING_ANSWERED)


def check_profile(
    file: Annotated[Path, typer.Argument(help="A device profile; its examples stand beside it.")],
) -> None:
    """Check a device profile against its example frames."""
    from edge.firmware_bridge.profile import ProfileError
    from edge.firmware_bridge.profile_examples import check

    try:
        checked = check(file)
    except ProfileError as error:
        _refuse(str(error), NOTHING_ANSWERED)
    for words in checked:
        typer.echo(words)


def _lines(
    port: str,
    config: Path | None,
    bauds: Sequence[int],
    parity: str,
    stop_bits: int,
    wait_s: float,
    profiles_dir: Path | None,
) -> tuple[list[SerialLineSettings], Path | None]:
    """The lines to probe, and the folder of own profiles; raises ConfigError, ValueError."""
    import msgspec

    from edge.config import ConfigError, SerialLineSettings, load

    if config is not None:
        node = load(config)
        if not node.serial_lines:
            raise ConfigError(f"{config}: has no [[serial_lines]]")
        own = profiles_dir or (Path(node.profiles_dir) if node.profiles_dir else None)
        return list(node.serial_lines), own
    if not port:
        there = sorted(str(path) for path in BY_ID.glob("*"))
        hint = f" There are: {', '.join(there)}" if there else ""
        raise ConfigError(f"Which line? Give --port or --config.{hint}")
    lines = [
        {
            "name": f"at-{baud}",
            "port": port,
            "baud": baud,
            "parity": parity,
            "stop_bits": stop_bits,
            "answer_within_s": wait_s,
        }
        for baud in bauds
    ]
    # msgspec.ValidationError is a ValueError.
    return msgspec.convert(lines, list[SerialLineSettings]), profiles_dir


def _on(
    line: SerialLineSettings, kinds: Sequence[Profile], work: Callable[[Prober], list[Found]]
) -> list[Found]:
    """What `work` finds on this line; ends the command where it can't be used."""
    from edge.firmware_bridge.modbus.exchange import Exchange, Timing
    from edge.firmware_bridge.modbus.port import PortError, open_serial
    from edge.firmware_bridge.probe import ProbeError, Prober

    try:
        with closing(Exchange(open_serial(line), Timing.of(line))) as exchange:
            return work(Prober(exchange, kinds))
    except (PortError, OSError) as error:
        _refuse(str(error), NO_PORT)
    except ProbeError as error:
        _refuse(str(error), NOTHING_ANSWERED)


def _with_progress(
    prober: Prober, line: SerialLineSettings, addresses: Sequence[int], *, quiet: bool
) -> list[Found]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    found = []
    columns = (
        TextColumn(f"{line.port} at {line.baud} baud"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True) as progress:
        task = progress.add_task("nothing yet", total=len(addresses))
        for address in addresses:
            one = prober.look(address)
            if one is not None:
                found.append(one)
            progress.update(task, advance=1, description=f"{len(found)} found" if found else "nothing yet")
    return found


def _show(
    found: Sequence[tuple[SerialLineSettings, Found]], kinds: Sequence[Profile], *, as_json: bool
) -> None:
    if as_json:
        facts = [{"port": line.port, "baud": line.baud} | asdict(one) for line, one in found]
        typer.echo(json.dumps(facts, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    if not found:
        names = ", ".join(kind.name for kind in kinds)
        typer.echo(
            "Nothing answers. Swap A and B, check that the devices have power, try other speeds "
            f"(--baud 2400 --baud 115200) or --addresses 1-247. Looked for: {names}."
        )
        return
    table = Table("port", "baud", "address", "kind", "firmware", "reading")
    for line, one in found:
        values = one.trouble or ", ".join(f"{name} {_plain(value)}" for name, value in one.reading.items())
        kind = " or ".join(one.profiles) or "unknown"
        table.add_row(line.port, str(line.baud), str(one.address), kind, one.firmware or "", values)
    Console().print(table)


def _plain(value: Any) -> str:
    return " ".join(f"{item:g}" for item in value) if isinstance(value, list) else f"{value:g}"


def _refuse(message: str, code: int) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)
