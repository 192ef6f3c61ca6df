"""Money, times and sizes as people in a commune office write them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from dashboards.web import formatting
from hub.numerals import written


@pytest.mark.parametrize(
    ("amount", "text"),
    [(497_130_000, "497.130.000 đ"), (0, "0 đ"), (999, "999 đ"), (1000, "1.000 đ"), (-25_000, "-25.000 đ")],
)
def test_money_is_grouped_by_dots(amount: int, text: str) -> None:
    assert formatting.vnd(amount) == text


def test_times_are_shown_in_vietnam_and_cross_midnight_there() -> None:
    at = datetime(2026, 11, 21, 18, 30, 5, tzinfo=UTC)
    assert formatting.moment(at) == "22/11/2026 01:30"
    assert formatting.moment_seconds(at) == "22/11/2026 01:30:05"


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (0.98113, "98,1 %"),
        (1.0, "100 %"),
        (0.99999, "99,9 %"),
        (0.0001, "0,1 %"),
        (0.0, "0 %"),
        (None, "–"),
    ],
)
def test_a_share_is_never_rounded_to_all_or_nothing(part: float | None, text: str) -> None:
    assert formatting.share(part) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 h"), (120, "<0,1 h"), (5400, "1,5 h"), (7200, "2 h"), (4_444_000, "1.234 h"), (None, "–")],
)
def test_spans_are_told_in_hours(seconds: float | None, text: str) -> None:
    assert formatting.hours(seconds) == text


def test_energy_is_told_in_kilowatt_hours() -> None:
    assert (formatting.kwh(1234.56), formatting.kwh(None)) == ("1.234,6 kWh", "–")


def test_days_are_written_day_first() -> None:
    assert formatting.day(date(2026, 3, 4)) == "04/03/2026"


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1,0 kB"), (16_384, "16,4 kB")]
)
def test_sizes_have_a_decimal_comma(count: int, text: str) -> None:
    assert formatting.size(count) == text


def test_english_pages_group_by_commas_and_have_a_decimal_point() -> None:
    assert formatting.vnd(497_130_000, "en") == "497,130,000 đ"
    assert formatting.share(0.98113, "en") == "98.1 %"
    assert formatting.hours(120, "en") == "<0.1 h"
    assert formatting.hours(5400, "en") == "1.5 h"
    assert formatting.hours(4_444_000, "en") == "1,234 h"
    assert formatting.kwh(1234.56, "en") == "1,234.6 kWh"
    assert formatting.size(16_384, "en") == "16.4 kB"


@pytest.mark.parametrize(("number", "vi", "en"), [(604_800, "604.800", "604,800"), (0.05, "0,05", "0.05")])
def test_a_plain_number_keeps_its_digits(number: float, vi: str, en: str) -> None:
    assert (written(number), written(number, "en")) == (vi, en)
