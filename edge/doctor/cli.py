"""`ngonden edge doctor`."""

from __future__ import annotations

import json
import os
import sys
import warnings
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Lang(StrEnum):
    """The report's language."""

    vi = "vi"
    en = "en"


def doctor(
    config: Annotated[Path, typer.Option(help="The node's settings (TOML).")],
    lang: Annotated[Lang, typer.Option(help="Vietnamese or English.")] = Lang.vi,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON per finding.")] = False,
) -> None:
    """Look a node over: what is wired, what answers, clock, link, queue, disk, certificate, supply.

    Exit code 0: fine, 1: warnings, 2: faults. Lamps are never switched, and a running agent is not disturbed.
    """
    import structlog

    from edge.config import ConfigError, load
    from edge.doctor.findings import exit_code
    from edge.doctor.run import examine

    try:
        settings = load(config)
    except ConfigError as error:
        typer.echo(f"✗ config       {error}", err=True)
        raise typer.Exit(2) from None
    # What the drivers would log is what the findings say.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    warnings.simplefilter("ignore")
    findings = []
    for finding in examine(settings):
        findings.append(finding)
        if as_json:
            facts = {
                "check": finding.check,
                "level": finding.level,
                "found": finding.found.in_(lang.value),
                "advice": finding.advice.in_(lang.value),
            }
            typer.echo(json.dumps(facts, ensure_ascii=False))
        else:
            typer.echo(finding.line(lang.value))
    sys.stdout.flush()
    # A check that still hangs in a thread must not keep the technician.
    os._exit(exit_code(findings))
