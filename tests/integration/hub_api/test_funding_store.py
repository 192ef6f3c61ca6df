"""The ledger in real databases: append-only, sealed, summed right."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from hub.funding import reads
from hub.funding.importing import import_entries
from hub.funding.model import (
    AlreadyReversedError,
    Draft,
    EntryKind,
    IdempotencyConflictError,
    LedgerError,
    Line,
)
from hub.funding.store import contributor_id, erase_contributor, open_ledger, verify_ledger
from hub.registry.reads import pole_codes
from tests.support.hub_world import NIGHT, register

TODAY = date(2026, 3, 1)


def draft(kind: EntryKind, key: str, amount_vnd: int = 300_000, pole: str = "TG-0001") -> Draft:
    return Draft(
        kind=kind,
        happened_on=TODAY,
        idempotency_key=key,
        lines=(Line(pole, amount_vnd),),
        contributor_kind="household" if kind.startswith("receipt") else None,
        description="Đèn LED 50 W",
        by="ke-toan",
    )


def record(engine: Engine, *drafts: Draft) -> None:
    with engine.begin() as conn, open_ledger(conn) as ledger:
        for one in drafts:
            ledger.record(one, now=NIGHT)


def test_need_received_spent_and_balance_of_a_pole(engine: Engine) -> None:
    register(engine)
    record(
        engine,
        draft("plan", "1", 3_000_000),
        draft("receipt_cash", "2", 1_800_000),
        draft("receipt_in_kind", "3", 450_000),
        draft("expense", "4", 1_200_000),
        draft("expense_in_kind", "5", 450_000),
        draft("receipt_cash", "6", 70_000, "TG-0002"),
    )
    with engine.connect() as conn:
        one = reads.pole_funding(conn, "TG-0001")
        assert one == reads.PoleFunding(
            need_vnd=3_000_000,
            received_cash_vnd=1_800_000,
            received_in_kind_vnd=450_000,
            received_vnd=2_250_000,
            spent_vnd=1_650_000,
            balance_vnd=600_000,
            balance_cash_vnd=600_000,
            balance_in_kind_vnd=0,
        )
        assert reads.pole_funding(conn, "TG-0003") == reads.NOTHING
        assert reads.totals(conn).received_vnd == 2_320_000
        assert reads.totals(conn, ["tram-than"]) == reads.totals(conn)
        assert reads.totals(conn, ["elsewhere"]) == reads.NOTHING


CHANGES = [
    "UPDATE ledger_entry SET description = 'x'",
    "UPDATE ledger_transfer SET amount_vnd = 1",
    "UPDATE ledger_account SET pole = 'TG-0002'",
    "DELETE FROM ledger_transfer",
    "DELETE FROM ledger_entry",
    "DELETE FROM ledger_account",
]


@pytest.mark.parametrize("statement", CHANGES)
def test_the_database_refuses_to_change_or_delete(engine: Engine, statement: str) -> None:
    register(engine)
    record(engine, draft("receipt_cash", "1"))
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as conn:
        conn.execute(text(statement))
    with engine.connect() as conn:
        assert verify_ledger(conn)[1] == []
        assert reads.pole_funding(conn, "TG-0001").received_vnd == 300_000


@pytest.mark.parametrize("table", ["ledger_transfer", "ledger_entry", "ledger_account"])
def test_the_database_refuses_the_ways_around(engine: Engine, table: str) -> None:
    register(engine)
    record(engine, draft("receipt_cash", "1"))
    around = (
        f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"
        if engine.dialect.name == "sqlite"
        else f"TRUNCATE {table} CASCADE"
    )
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as conn:
        conn.execute(text(around))


def test_the_same_key_records_once_and_refuses_other_content(engine: Engine) -> None:
    register(engine)
    one = draft("receipt_cash", "1")
    record(engine, one, one)
    record(engine, one)
    with pytest.raises(IdempotencyConflictError):
        record(engine, replace(one, lines=(Line("TG-0001", 5),)))
    with engine.connect() as conn:
        assert reads.head(conn).id == 1


def test_an_entry_for_an_unknown_pole_is_refused(engine: Engine) -> None:
    register(engine)
    with pytest.raises(LedgerError, match="TG-9999"):
        record(engine, draft("receipt_cash", "1", pole="TG-9999"))


def test_a_reversal_undoes_once_and_answers_its_repetition(engine: Engine) -> None:
    register(engine)
    record(engine, draft("receipt_cash", "1"))
    with engine.begin() as conn, open_ledger(conn) as ledger:
        first = ledger.reverse(1, idempotency_key="u", memo="nhầm", by="ke-toan", now=NIGHT)
        again = ledger.reverse(1, idempotency_key="u", memo="nhầm", by="ke-toan", now=NIGHT)
        assert first is not None
        assert again is not None
        assert (first[0].id, first[1]) == (2, True)
        assert (again[0].id, again[1]) == (2, False)
        with pytest.raises(AlreadyReversedError):
            ledger.reverse(1, idempotency_key="v", memo="nhầm", by="ke-toan", now=NIGHT)
        assert ledger.reverse(9, idempotency_key="w", memo="nhầm", by="ke-toan", now=NIGHT) is None
    with engine.connect() as conn:
        assert reads.pole_funding(conn, "TG-0001") == reads.NOTHING
        newest, oldest = reads.entries(conn, "TG-0001")
        assert (newest.kind, newest.reverses_id) == ("reversal", 1)
        assert oldest.reversed_by_id == 2
        assert verify_ledger(conn)[1] == []


def test_writers_at_once_leave_one_unbroken_chain(engine: Engine) -> None:
    register(engine)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: record(engine, draft("receipt_cash", f"k{n}", n + 1)), range(24)))
    with engine.connect() as conn:
        head, faults = verify_ledger(conn)
        assert (head.id, faults) == (24, [])
        assert reads.pole_funding(conn, "TG-0001").received_vnd == sum(range(1, 25))


def test_a_shared_bill_is_one_entry_over_several_poles(engine: Engine) -> None:
    register(engine)
    bill = replace(draft("expense", "bill"), lines=tuple(Line(f"TG-000{n}", 10_000 * n) for n in (1, 2, 3)))
    record(engine, bill)
    with engine.connect() as conn:
        assert [reads.pole_funding(conn, f"TG-000{n}").spent_vnd for n in (1, 2, 3)] == [
            10_000,
            20_000,
            30_000,
        ]
        assert reads.recent_entries(conn)[0].amount_vnd == 60_000
        assert reads.entries(conn, "TG-0002")[0].amount_vnd == 20_000


def test_a_name_shows_with_consent_only_and_can_be_forgotten(engine: Engine) -> None:
    register(engine)
    with engine.begin() as conn:
        for key, public in (("open", True), ("closed", False)):
            who = contributor_id(
                conn, key, kind="household", name=f"Hộ {key}", name_public=public, now=NIGHT
            )
            with open_ledger(conn) as ledger:
                ledger.record(replace(draft("receipt_cash", key), contributor_id=who), now=NIGHT)
    with engine.connect() as conn:
        assert [one.contributor_name for one in reads.entries(conn, "TG-0001")] == [None, "Hộ open"]
        entry = reads.entry_by_key(conn, "open")
    assert entry is not None
    assert entry.contributor_id is not None
    with engine.begin() as conn:
        assert erase_contributor(conn, entry.contributor_id, now=NIGHT)
        assert not erase_contributor(conn, entry.contributor_id, now=NIGHT)
    with engine.connect() as conn:
        assert [one.contributor_name for one in reads.entries(conn, "TG-0001")] == [None, None]
        assert reads.pole_funding(conn, "TG-0001").received_vnd == 600_000
        assert verify_ledger(conn)[1] == []


def test_a_forged_row_is_found_by_the_chain(sqlite_engine: Engine) -> None:
    register(sqlite_engine)
    record(sqlite_engine, draft("receipt_cash", "1"), draft("expense", "2", 100_000))
    with sqlite_engine.begin() as conn:  # what somebody could do who owns the file
        conn.execute(text("DROP TRIGGER ledger_transfer_no_update"))
        conn.execute(text("UPDATE ledger_transfer SET amount_vnd = 900000 WHERE entry_id = 2"))
    with sqlite_engine.connect() as conn:
        assert [one.entry_id for one in verify_ledger(conn)[1]] == [2]


KINDS: list[EntryKind] = ["plan", "receipt_cash", "receipt_in_kind", "expense", "expense_in_kind"]
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(KINDS),
            st.sampled_from(["TG-0001", "TG-0002", "TG-0003"]),
            st.integers(1, 10**12),
        ),
        st.integers(1, 12),  # reverse the entry of that number, if there is one that can be
    ),
    max_size=12,
)


@given(steps=STEPS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sums_are_right_after_any_operations(sqlite_engine: Engine, steps: list[object]) -> None:
    _ensure_registered(sqlite_engine)
    with sqlite_engine.connect() as conn:
        outer = conn.begin()
        model: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        live: dict[int, tuple[str, str, int]] = {}
        with open_ledger(conn) as ledger:
            for at, step in enumerate(steps):
                if isinstance(step, int):
                    if step in live:
                        kind, pole, amount = live.pop(step)
                        ledger.reverse(step, idempotency_key=f"s{at}", memo="x", by="t", now=NIGHT)
                        model[pole][kind] -= amount
                else:
                    assert isinstance(step, tuple)
                    kind, pole, amount = step
                    entry, _ = ledger.record(draft(kind, f"s{at}", amount, pole), now=NIGHT)
                    live[entry.id] = (kind, pole, amount)
                    model[pole][kind] += amount
        for pole in ("TG-0001", "TG-0002", "TG-0003"):
            want, got = model[pole], reads.pole_funding(conn, pole)
            assert got.need_vnd == want["plan"]
            assert got.received_cash_vnd == want["receipt_cash"]
            assert got.received_in_kind_vnd == want["receipt_in_kind"]
            assert got.received_vnd == want["receipt_cash"] + want["receipt_in_kind"]
            assert got.spent_vnd == want["expense"] + want["expense_in_kind"]
            assert got.balance_vnd == got.received_vnd - got.spent_vnd
            assert got.balance_vnd == got.balance_cash_vnd + got.balance_in_kind_vnd
        trial = conn.execute(
            text(
                "SELECT COALESCE(SUM(amount) FILTER (WHERE kind IN ('need', 'cash', 'goods', 'works')), 0), "
                "COALESCE(SUM(amount) FILTER (WHERE kind IN ('planned', 'given_cash', 'given_in_kind')), 0) "
                "FROM (SELECT debit_account AS account, amount_vnd AS amount FROM ledger_transfer "
                "UNION ALL SELECT credit_account, -amount_vnd FROM ledger_transfer) "
                "JOIN ledger_account ON ledger_account.code = account"
            )
        ).one()
        assert (
            trial[0]
            == -trial[1]
            == sum(
                amounts["plan"] + amounts["receipt_cash"] + amounts["receipt_in_kind"]
                for amounts in model.values()
            )
        )
        assert verify_ledger(conn)[1] == []
        outer.rollback()


FUND_CSV = """loại;mã cột;số tiền;người đóng góp;hiện vật;ngày;mã chống trùng;ghi chú
kế hoạch;TG-0001;3.000.000;;Cột, đèn, dây;01/02/2026;p-1;
thu;TG-0001;1.500.000 đ;hộ gia đình;;05/02/2026;r-1;
thu hiện vật;TG-0001;450000;doanh nghiệp;Một bộ đèn LED;2026-02-06;r-2;
chi;TG-0001;1.200.000;;;10/02/2026;e-1;Dây điện và công lắp
"""


def test_a_file_of_entries_is_taken_in_once(engine: Engine) -> None:
    register(engine)
    for recorded, known in ((4, 0), (0, 4)):
        with engine.begin() as conn:
            result = import_entries(conn, FUND_CSV.encode("utf-8-sig"), by="import", now=NIGHT)
        assert (result.stored, result.recorded, result.known, result.errors) == (True, recorded, known, ())
    with engine.connect() as conn:
        sums = reads.pole_funding(conn, "TG-0001")
        assert (sums.need_vnd, sums.received_vnd, sums.spent_vnd) == (3_000_000, 1_950_000, 1_200_000)
        expense = reads.entry_by_key(conn, "e-1")
        assert expense is not None
        assert (expense.description, expense.memo) == ("Dây điện và công lắp", "")


def test_a_file_with_wrong_rows_records_nothing_and_names_them_all(engine: Engine) -> None:
    register(engine)
    bad = FUND_CSV + (
        "tặng;TG-0001;1;;x;2026-02-01;a;\n"
        "thu;TG-0001;1,5;hộ gia đình;;2026-02-01;b;\n"
        "thu;TG-0001;5;hàng xóm;;2026-02-01;c;\n"
        "thu;TG-0009;5;hộ gia đình;;2026-02-01;d;\n"
        "chi;TG-0001;5;;x;31-12-2026;e;\n"
        "chi;TG-0001;5;;x;2030-01-01;f;\n"
    )
    with engine.begin() as conn:
        result = import_entries(conn, bad.encode(), by="import", now=NIGHT)
    assert not result.stored
    assert [(one.row, one.column) for one in result.errors] == [
        (6, "kind"),
        (7, "amount_vnd"),
        (8, "contributor_kind"),
        (9, "pole"),
        (10, "date"),
        (11, "date"),
    ]
    with engine.connect() as conn:
        assert reads.head(conn).id == 0


def _ensure_registered(engine: Engine) -> None:
    with engine.connect() as conn:
        registered = bool(pole_codes(conn))
    if not registered:
        register(engine)
