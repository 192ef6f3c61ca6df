"""The money of a simulated commune: per pole a plan, what residents gave, what was paid.

The sum is the real programme's: 219 poles, 497,130,000 đ, all from residents. Who gave what is made up and
anonymous: a household of a hamlet, an association by its kind, a shop, never a person's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Literal

from simulators.commune import Commune, PoleSite
from simulators.seeded import seeded

RECEIVED_PER_POLE_VND = 2_270_000
"""Average over the commune: 219 x 2,270,000 = 497,130,000 đ."""

_STEP_VND = 10_000
_FIRST_DAY = date(2025, 8, 4)
_SHORT_EVERY = 27
"""One pole in so many has not yet found all its money."""

Kind = Literal["plan", "receipt_cash", "receipt_in_kind", "expense", "expense_in_kind"]
Giver = Literal["household", "firm", "association"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingRow:
    """One ledger entry of one pole, whole đồng."""

    key: str
    kind: Kind
    pole: str
    amount_vnd: int
    day: date
    description: str
    contributor_kind: Giver | None = None


def funding_rows(commune: Commune, *, seed: int) -> list[FundingRow]:
    """Every entry of the commune. Receipts add up to RECEIVED_PER_POLE_VND for each pole on average."""
    random = seeded(seed, "funding")
    needs = [_plan(site, random) for site in commune.poles]
    received = _received(needs, random)
    rows: list[FundingRow] = []
    for site, need, amount_vnd in zip(commune.poles, needs, received, strict=True):
        rows += _rows_of(site, need, amount_vnd, seeded(seed, "funding", site.code))
    return rows


@dataclass(frozen=True, slots=True)
class _Need:
    pole_vnd: int
    lamp_vnd: int
    cable_vnd: int
    labour_vnd: int

    @property
    def total_vnd(self) -> int:
        return self.pole_vnd + self.lamp_vnd + self.cable_vnd + self.labour_vnd


def _plan(site: PoleSite, random: Random) -> _Need:
    return _Need(
        pole_vnd=_rounded(random.uniform(940_000, 1_060_000)),
        lamp_vnd=_rounded((720_000 if site.lamp_rated_w > 50 else 560_000) * random.uniform(0.97, 1.03)),
        cable_vnd=_rounded(site.spacing_m * 9_000 + random.uniform(20_000, 60_000)),
        labour_vnd=_rounded(random.uniform(230_000, 290_000)),
    )


def _received(needs: list[_Need], random: Random) -> list[int]:
    """What each pole was given: its need, less where it is short, the rest spread so that the sum is exact."""
    received = [need.total_vnd for need in needs]
    short = set(range(_SHORT_EVERY // 2, len(needs), _SHORT_EVERY))
    for index in short:
        received[index] -= _rounded(random.uniform(180_000, 640_000))
    difference = RECEIVED_PER_POLE_VND * len(needs) - sum(received)
    others = [index for index in range(len(needs)) if index not in short]
    # A few households gave a little over the need, or rounded down: nobody's gift is the exact price.
    step = _STEP_VND if difference >= 0 else -_STEP_VND
    steps, rest = divmod(abs(difference), _STEP_VND)
    for _ in range(steps):
        received[random.choice(others)] += step
    received[others[0]] += rest if difference >= 0 else -rest
    return received


def _rows_of(site: PoleSite, need: _Need, received_vnd: int, random: Random) -> list[FundingRow]:
    start = _FIRST_DAY + timedelta(days=random.randrange(0, 90))
    rows = [
        _row(site, f"plan-{word}", "plan", amount_vnd, start, text)
        for word, amount_vnd, text in (
            ("pole", need.pole_vnd, "Cột thép mạ kẽm cao 5 m, móng bê tông"),
            ("lamp", need.lamp_vnd, f"Bộ đèn LED {site.lamp_rated_w:.0f} W và cần đèn"),
            ("cable", need.cable_vnd, f"Cáp và phụ kiện, khoảng {site.spacing_m:.0f} m"),
            ("labour", need.labour_vnd, "Công đào móng, dựng cột, kéo dây"),
        )
    ]
    goods = _goods(site, need, random)
    goods_vnd = sum(gift.amount_vnd for gift in goods)
    for gift in goods:
        day = start + timedelta(days=random.randrange(7, 40))
        rows.append(
            _row(site, f"given-{gift.word}", "receipt_in_kind", gift.amount_vnd, day, gift.text, gift.who)
        )
        used = day + timedelta(days=random.randrange(1, 20))
        rows.append(_row(site, f"used-{gift.word}", "expense_in_kind", gift.amount_vnd, used, gift.use))
    cash_vnd = received_vnd - goods_vnd
    for number, (amount_vnd, who, text) in enumerate(_cash(site, cash_vnd, random), start=1):
        day = start + timedelta(days=random.randrange(3, 35))
        rows.append(_row(site, f"cash-{number}", "receipt_cash", amount_vnd, day, text, who))
    rows += _expenses(site, need, goods, cash_vnd, start + timedelta(days=45), random)
    return rows


@dataclass(frozen=True, slots=True)
class _Gift:
    """Goods or work given instead of the plan's item `word`, and how its use is told."""

    word: str
    amount_vnd: int
    who: Giver
    text: str
    use: str


def _goods(site: PoleSite, need: _Need, random: Random) -> list[_Gift]:
    """Given in goods or work, valued at the plan's price: sometimes the lamp, often the digging."""
    given: list[_Gift] = []
    if random.random() < 0.22:
        text = f"Bộ đèn LED {site.lamp_rated_w:.0f} W, một cửa hàng điện ở {site.hamlet} tặng"
        given.append(_Gift("lamp", need.lamp_vnd, "firm", text, "Đã lắp bộ đèn được tặng"))
    if random.random() < 0.45:
        who: Giver = "household"
        group = f"các hộ {site.group}"
        if random.random() < 0.4:
            who, group = "association", f"Chi đoàn Thanh niên {site.hamlet}"
        text = f"Ngày công đào móng, dựng cột: {group}"
        given.append(_Gift("labour", need.labour_vnd, who, text, "Đã thực hiện ngày công đóng góp"))
    return given


def _cash(site: PoleSite, cash_vnd: int, random: Random) -> list[tuple[int, Giver, str]]:
    """Cash in two to five gifts, the last one taking what remains."""
    givers: list[tuple[Giver, str]] = [
        ("household", f"Một hộ ở {site.hamlet}"),
        ("household", f"Các hộ {site.group}"),
        ("household", f"Một hộ ở {site.hamlet} có con em làm ăn xa"),
        ("association", f"Chi hội Phụ nữ {site.hamlet}"),
        ("association", f"Chi hội Cựu chiến binh {site.hamlet}"),
        ("association", f"Chi hội Nông dân {site.hamlet}"),
        ("firm", f"Một cửa hàng tạp hóa ở {site.hamlet}"),
    ]
    chosen = random.sample(givers, random.randint(2, 5))
    weights = [random.uniform(0.6, 1.6) for _ in chosen]
    gifts: list[tuple[int, Giver, str]] = []
    left_vnd = cash_vnd
    for (who, text), weight in zip(chosen[:-1], weights, strict=False):
        amount_vnd = _rounded(cash_vnd * weight / sum(weights))
        left_vnd -= amount_vnd
        gifts.append((amount_vnd, who, text))
    who, text = chosen[-1]
    return [*gifts, (left_vnd, who, text)]


def _expenses(
    site: PoleSite,
    need: _Need,
    goods: list[_Gift],
    cash_vnd: int,
    first_day: date,
    random: Random,
) -> list[FundingRow]:
    """Paid in cash for what was not given in goods, a little under or over the plan, never over the cash."""
    given = {gift.word for gift in goods}
    left_vnd = cash_vnd
    rows = []
    for word, planned_vnd, text in (
        ("pole", need.pole_vnd, "Mua cột và đổ móng"),
        ("lamp", need.lamp_vnd, f"Mua bộ đèn LED {site.lamp_rated_w:.0f} W"),
        ("cable", need.cable_vnd, "Mua cáp và phụ kiện"),
        ("labour", need.labour_vnd, "Trả công thợ điện kéo dây, đấu nối"),
    ):
        if word in given:
            continue
        amount_vnd = min(left_vnd, _rounded(planned_vnd * random.uniform(0.93, 1.01)))
        if amount_vnd <= 0:
            continue
        left_vnd -= amount_vnd
        day = first_day + timedelta(days=random.randrange(0, 30))
        rows.append(_row(site, f"paid-{word}", "expense", amount_vnd, day, text))
    return rows


def _row(
    site: PoleSite,
    word: str,
    kind: Kind,
    amount_vnd: int,
    day: date,
    description: str,
    contributor_kind: Giver | None = None,
) -> FundingRow:
    return FundingRow(
        key=f"{site.code}-{word}",
        kind=kind,
        pole=site.code,
        amount_vnd=amount_vnd,
        day=day,
        description=description,
        contributor_kind=contributor_kind,
    )


def _rounded(amount_vnd: float) -> int:
    return round(amount_vnd / _STEP_VND) * _STEP_VND
