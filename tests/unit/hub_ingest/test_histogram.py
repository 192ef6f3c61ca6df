"""Percentiles from buckets."""

from __future__ import annotations

import random

import numpy as np
import pytest

from hub.ingest.histogram import Histogram


def test_percentiles_are_right_to_a_few_per_cent() -> None:
    chance = random.Random(8)
    values = [chance.lognormvariate(4, 1) for _ in range(20_000)]
    histogram = Histogram()
    for start in range(0, 20_000, 100):
        histogram.add(np.array(values[start : start + 100]))
    values.sort()
    for share in (0.5, 0.9, 0.99):
        assert histogram.percentile(share) == pytest.approx(values[int(share * 20_000)], rel=0.05)


def test_it_adds_up_over_json() -> None:
    first = Histogram()
    first.add(np.array([0.0, -3.0, 5.0, 5.0, 80.0]))
    again = Histogram.from_json(first.to_json())
    again.add(np.array([80.0]))
    assert again.count == 6
    assert again.percentile(0.99) == pytest.approx(80, rel=0.05)


def test_without_values_there_are_no_percentiles() -> None:
    assert Histogram().percentile(0.5) is None
    assert Histogram.from_json({}).count == 0
