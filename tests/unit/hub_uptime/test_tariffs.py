"""Prices as people write them, and sums to the đồng."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.uptime.tariffs import Tariff, TariffError, checked, cost_vnd

DAY = date(2025, 5, 10)


def test_a_price_is_kept_to_the_hundredth() -> None:
    assert checked(DAY, "2204,07", "8", "QĐ") == Tariff(DAY, 220_407, 80, "QĐ")
    assert checked(DAY, " 2204.07 ", "8.5", " QĐ ") == Tariff(DAY, 220_407, 85, "QĐ")


@pytest.mark.parametrize(
    ("price", "vat", "source", "field"),
    [
        ("2204.071", "8", "QĐ", "vnd_per_kwh"),
        ("0", "8", "QĐ", "vnd_per_kwh"),
        ("-5", "8", "QĐ", "vnd_per_kwh"),
        ("nhiều", "8", "QĐ", "vnd_per_kwh"),
        ("Infinity", "8", "QĐ", "vnd_per_kwh"),
        ("2204.07", "100", "QĐ", "vat_percent"),
        ("2204.07", "8.55", "QĐ", "vat_percent"),
        ("2204.07", "8", "  ", "source"),
    ],
)
def test_a_price_that_cant_be_is_refused_in_two_languages(
    price: str, vat: str, source: str, field: str
) -> None:
    with pytest.raises(TariffError) as refused:
        checked(DAY, price, vat, source)
    assert refused.value.field == field
    assert refused.value.message_vi != str(refused.value)


def test_cost_is_rounded_once_half_up() -> None:
    half = Tariff(DAY, 50, 0, "x")
    assert cost_vnd([1000], [half]) == (1, 1), "0.50 đ"
    assert cost_vnd([500, 500], [half, half]) == (1, 1), "twice 0.25 đ, not twice nothing"
    assert cost_vnd([], []) == (0, 0)
    assert cost_vnd([1_000_000], [Tariff(DAY, 220_407, 80, "x")]) == (2_204_070, 2_380_396)


def test_the_command_records_lists_and_replaces(tmp_path: Path) -> None:
    database = ["--database", f"sqlite:///{tmp_path / 'hub.db'}"]

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["tariff", *database, *words])
        return done.exit_code, done.output

    assert run() == (0, "Chưa có giá điện nào. (No tariff is recorded.)\n")
    price = ["--from", "2025-05-10", "--vnd-per-kwh", "2204.07", "--vat-percent"]
    assert run(*price, "8", "--source", "QĐ 1")[0] == 0
    assert run(*price, "10", "--source", "QĐ 2") == (0, "2025-05-10  2,204.07 đ/kWh + 10 % VAT  QĐ 2\n")
    code, said = run("--json")
    assert code == 0
    assert said == (
        '[{"valid_from": "2025-05-10", "vnd_per_kwh": "2204.07", "vat_percent": 10.0, "source": "QĐ 2"}]\n'
    )
    for wrong in (
        ["--from", "2025-05-10"],
        [*price, "8"],
        ["--from", "mai", *price[2:], "8", "--source", "x"],
    ):
        assert run(*wrong)[0] == 2
