"""Money, times and sizes as people in a commune office write them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from dashboards.web import formatting


@pytest.mark.parametrize(
    ("amount", "text"),
    [(497_130_000, "497.130.000 đ"), (0, "0 đ"), (999, "999 đ"), (1000, "1.000 đ"), (-25_000, "-25.000 đ")],
)
def test_money_is_grouped_by_dots(amount: int, text: str) -> None:
    assert formatting.vnd(amount) == text


def test_times_are_shown_in_vietnam_and_cross_midnight_there() -> None:
    at = datetime(2026, 11, 21, 18, 30, 5, tzinfo=UTC)
    assert formatting.moment(at) == "01:30 22/11/2026"
    assert formatting.moment_seconds(at) == "01:30:05 22/11/2026"


def test_days_are_written_day_first() -> None:
    assert formatting.day(date(2026, 3, 4)) == "04/03/2026"


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1,0 kB"), (16_384, "16,4 kB")]
)
def test_sizes_have_a_decimal_comma(count: int, text: str) -> None:
    assert formatting.size(count) == text
