"""The storm night is played once; the document quotes what the simulator writes, and nothing is missing."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from simulators.storm.night import NightReport, run_night

DOCUMENT = Path(__file__).parents[3] / "docs" / "storm-night.md"
pytestmark = pytest.mark.timeout(400)


@cache
def night() -> NightReport:
    return run_night(seed=1)


def quoted() -> list[str]:
    blocks = re.findall(r"```text\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def test_every_line_the_document_quotes_is_what_the_simulator_writes() -> None:
    assert len(quoted()) > 40
    missing = [line for line in quoted() if line not in night().lines]
    assert missing == [], "`ngonden sim storm-night --seed 1` shows what is written now"


def test_each_part_of_the_document_tells_in_order() -> None:
    for block in re.findall(r"```text\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL):
        places = [night().lines.index(line) for line in block.splitlines()]
        assert places == sorted(places)


def test_at_midnight_nothing_is_missing_and_nothing_is_twice() -> None:
    report = night()
    assert (report.gaps, report.twice) == (0, 0)
    assert report.samples > 3000


def test_whatever_befell_the_road_was_diagnosed() -> None:
    told = "\n".join(line for line in night().lines if "learns from" in line)
    for kind in (
        "lamp_unexpected_on",
        "power_tapping",
        "camera_frozen",
        "camera_covered",
        "supply_loss",
        "clock_corrected",
        "lamp_failure",
        "cabinet_door_open",
        "cycling_failure",
    ):
        assert f": {kind}" in told
