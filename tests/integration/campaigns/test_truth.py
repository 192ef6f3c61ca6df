"""A few days in which much goes wrong, through the real hub: nothing is missed, nothing is made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.truth.run import Plan, run_truth

MANY = Plan(poles=12, cameras=5, days=6, seed=13, rates=25)
"""No trip of this seed begins while the hub is down: docs/truth-test.md says what happens then."""


@pytest.mark.timeout(900)
def test_a_few_days_of_many_faults_are_told_as_they_were(tmp_path: Path) -> None:
    report = run_truth(tmp_path, MANY)
    assert report.comparison.missed == []
    assert report.comparison.false == []
    assert report.comparison.outlived == []
    assert max(report.notices_per_trip) == 1
    assert report.sound
    scores = report.comparison.scores
    assert sum(score.found for score in scores.values()) >= 25
    assert scores["feeder_outage"].found >= 6
    assert scores["hub_blind"].found >= 4
    assert report.troubles["maintenance, planned"] == 1


@pytest.mark.soak
@pytest.mark.timeout(6 * 3600)
def test_a_whole_year_is_told_as_it_was(tmp_path: Path) -> None:
    report = run_truth(tmp_path, Plan())
    assert report.short == []
    assert report.sound
