"""A few days in which much goes wrong, through the real hub: nothing is missed, nothing is made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.truth.run import PRECISION, RECALL, Plan, TruthReport, run_truth

ENOUGH = 3
"""A kind with fewer episodes says little about the kind."""


def check(report: TruthReport) -> None:
    for kind, score in report.comparison.scores.items():
        if score.episodes >= ENOUGH:
            assert score.recall is not None
            assert score.recall >= RECALL, f"{kind}: {score}; {report.comparison.missed}"
        if score.true >= ENOUGH or score.false:
            assert score.precision is not None
            assert score.precision >= PRECISION, f"{kind}: {score}; {report.comparison.false}"
    assert max(report.notices_per_trip) <= 1


def test_a_few_days_of_many_faults_are_told_as_they_were(tmp_path: Path) -> None:
    plan = Plan(poles=12, cameras=5, days=6, seed=1, rates=25)
    report = run_truth(tmp_path, plan)
    check(report)
    enough = {kind for kind, score in report.comparison.scores.items() if score.found >= ENOUGH}
    assert {"feeder_outage"} <= enough
    assert len(report.notices_per_trip) >= ENOUGH


@pytest.mark.soak
@pytest.mark.timeout(6 * 3600)
def test_a_whole_year_is_told_as_it_was(tmp_path: Path) -> None:
    report = run_truth(tmp_path, Plan())
    check(report)
    assert report.sound
