"""What a kilowatt-hour costs, by date: entered by people with its source, exact to a hundredth of a đồng."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from sqlalchemy import Connection, delete, insert, select

from hub.uptime.tables import tariff

MOST_VND = Decimal(100_000)


@dataclass(frozen=True, slots=True)
class Tariff:
    """In force from a local day until the next one's; `vat_permille` comes on top (80: 8 %)."""

    valid_from: date
    vnd_per_kwh_hundredths: int
    vat_permille: int
    source: str

    @property
    def vnd_per_kwh(self) -> Decimal:
        """Đồng per kilowatt-hour before VAT, with two decimals."""
        return Decimal(self.vnd_per_kwh_hundredths) / 100


class TariffError(ValueError):
    """A tariff that can't be; the text says why, `message_vi` in Vietnamese, `field` where."""

    def __init__(self, field: str, message: str, message_vi: str) -> None:
        super().__init__(message)
        self.field = field
        self.message_vi = message_vi


def tariffs(conn: Connection) -> list[Tariff]:
    """All, the earliest first."""
    columns = (tariff.c.valid_from, tariff.c.vnd_per_kwh_hundredths, tariff.c.vat_permille, tariff.c.source)
    return [Tariff(*row) for row in conn.execute(select(*columns).order_by(tariff.c.valid_from))]


def checked(valid_from: date, vnd_per_kwh: str, vat_percent: str, source: str) -> Tariff:
    """A tariff from what people write: `2204.07` or `2204,07`, VAT `8` or `8.5`. Raises TariffError."""
    price = _number("vnd_per_kwh", vnd_per_kwh)
    vat = _number("vat_percent", vat_percent)
    if not 0 < price <= MOST_VND or price != round(price, 2):
        raise TariffError(
            "vnd_per_kwh",
            f"{vnd_per_kwh}: đồng per kWh before VAT, above 0 up to {MOST_VND}, at most two decimals",
            f"{vnd_per_kwh}: giá một kWh trước thuế phải lớn hơn 0, không quá {MOST_VND} đ, tối đa hai số lẻ.",
        )
    if not 0 <= vat < 100 or vat * 10 != int(vat * 10):
        raise TariffError(
            "vat_percent",
            f"{vat_percent}: VAT in per cent, 0 to below 100, at most one decimal",
            f"{vat_percent}: thuế GTGT tính bằng phần trăm, từ 0 đến dưới 100, tối đa một số lẻ.",
        )
    if not source.strip():
        raise TariffError(
            "source",
            "say where the price comes from: the decision's number or the bill",
            "Hãy ghi nguồn của giá: số quyết định hoặc hóa đơn.",
        )
    return Tariff(valid_from, int(price * 100), int(vat * 10), source.strip())


def put(conn: Connection, one: Tariff, *, by: str, now: datetime) -> None:
    """Record a tariff; one with the same first day is replaced."""
    conn.execute(delete(tariff).where(tariff.c.valid_from == one.valid_from))
    conn.execute(
        insert(tariff).values(
            valid_from=one.valid_from,
            vnd_per_kwh_hundredths=one.vnd_per_kwh_hundredths,
            vat_permille=one.vat_permille,
            source=one.source,
            recorded_at=now,
            recorded_by=by,
        )
    )


def cost_vnd(energy_wh: Sequence[int], those: Sequence[Tariff]) -> tuple[int, int]:
    """Whole đồng before and with VAT of watt-hours at each tariff; rounded once, half up, at the end."""
    net = gross = Decimal(0)
    for wh, one in zip(energy_wh, those, strict=True):
        part = Decimal(wh) * one.vnd_per_kwh_hundredths / 100_000
        net += part
        gross += part * (1000 + one.vat_permille) / 1000
    return _whole(net), _whole(gross)


def _whole(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


def _number(field: str, written: str) -> Decimal:
    try:
        number = Decimal(written.strip().replace(",", "."))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise TariffError(field, f"{written!r} is no number", f"“{written}” không phải là số.")
    return number
