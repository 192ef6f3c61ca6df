"""Rubbish on the wire harms nobody: the good is stored, the bad is kept aside under its reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.spoilt import run_spoilt
from simulators.traffic.malformed import REASONS
from tests.support.servers import require_program

pytestmark = pytest.mark.servers


def _assert_harmless(data: Path, *, bad: int) -> None:
    require_program("mosquitto")
    report = run_spoilt(data, bad=bad, seed=bad, progress=lambda _: None)
    assert set(report.expected_aside) == set(REASONS)
    assert report.sound, report


@pytest.mark.timeout(300)
def test_a_thousand_malformed_messages_among_good_ones(tmp_path: Path) -> None:
    _assert_harmless(tmp_path, bad=1000)


@pytest.mark.soak
def test_ten_thousand_malformed_messages_among_good_ones(tmp_path: Path) -> None:
    _assert_harmless(tmp_path, bad=10_000)
