"""A seeded fortnight of simulated lamps with every trouble: each is found, and almost nothing else is told."""

from bench.pole.diagnosis import run_diagnosis
from simulators.lamp_year import TROUBLES


def test_every_trouble_of_a_seeded_fortnight_is_told_and_little_else() -> None:
    report = run_diagnosis(lamps_per_trouble=1, days=14, seed=3, step_s=120)
    assert set(report.kinds) == {kind for kind in TROUBLES.values() if kind is not None}
    for kind, score in report.kinds.items():
        assert score.found == score.episodes >= 1, f"{kind}: {score}"
        assert score.not_ended == 0, f"{kind}: {score}"
    assert report.false_alarms <= 1, report
