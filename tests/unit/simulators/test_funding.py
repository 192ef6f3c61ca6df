from collections import Counter, defaultdict
from datetime import date

import pytest

from simulators.commune import load_commune
from simulators.funding import FundingRow, funding_rows


@pytest.fixture(scope="module")
def rows() -> list[FundingRow]:
    return funding_rows(load_commune("tram-than", seed=219), seed=219)


def per_pole(rows: list[FundingRow]) -> dict[str, Counter[str]]:
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        sums[row.pole][row.kind] += row.amount_vnd
    return sums


def received(sums: Counter[str]) -> int:
    return sums["receipt_cash"] + sums["receipt_in_kind"]


def test_what_residents_gave_is_the_programmes_real_total(rows: list[FundingRow]) -> None:
    total = sum(row.amount_vnd for row in rows if row.kind.startswith("receipt_"))
    assert total == 497_130_000
    assert any(row.kind == "receipt_in_kind" for row in rows)


def test_no_pole_spent_money_or_goods_that_it_did_not_have(rows: list[FundingRow]) -> None:
    for pole, sums in per_pole(rows).items():
        assert sums["expense"] <= sums["receipt_cash"], pole
        assert sums["expense_in_kind"] == sums["receipt_in_kind"], pole


def test_a_few_poles_are_still_short_and_the_others_are_paid(rows: list[FundingRow]) -> None:
    short = [pole for pole, sums in per_pole(rows).items() if received(sums) < sums["plan"]]
    assert 4 <= len(short) <= 12
    assert len(per_pole(rows)) == 219


def test_amounts_are_whole_positive_and_keys_unique(rows: list[FundingRow]) -> None:
    assert all(isinstance(row.amount_vnd, int) and row.amount_vnd >= 10_000 for row in rows)
    assert len({row.key for row in rows}) == len(rows)
    assert all(date(2025, 7, 1) < row.day < date(2026, 3, 1) for row in rows)


def test_receipts_name_a_kind_of_giver_and_nothing_else_does(rows: list[FundingRow]) -> None:
    for row in rows:
        assert (row.contributor_kind is not None) == row.kind.startswith("receipt_"), row
        assert row.description


def test_goods_are_used_after_they_were_given(rows: list[FundingRow]) -> None:
    given = {row.key.replace("given", "used"): row.day for row in rows if row.kind == "receipt_in_kind"}
    used = {row.key: row.day for row in rows if row.kind == "expense_in_kind"}
    assert used.keys() == given.keys()
    assert all(used[key] > given[key] for key in used)
