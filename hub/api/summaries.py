"""A commune at a glance, from the board and the sums."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from sqlalchemy import Connection

from hub.api.board import Board
from hub.api.problems import Problem
from hub.api.schemas import CommuneOut, FundingSummary, NodeCounts, StateCounts, SummaryOut
from hub.funding.reads import PoleFunding, totals
from hub.ingest.reads import stats
from hub.registry.reads import CommuneInfo, communes


def find_commune(conn: Connection, code: str | None) -> CommuneInfo | None:
    """The commune of that code, or the first by code; None where there is none."""
    return next((one for one in communes(conn) if code is None or one.code == code), None)


def chosen_commune(conn: Connection, code: str | None) -> CommuneInfo:
    """As `find_commune`, but raises Problem 404 where there is none."""
    found = find_commune(conn, code)
    if found is not None:
        return found
    if code is None:
        raise Problem(
            404,
            "unknown-commune",
            "no commune is registered: import the poles first",
            "Chưa có xã/phường nào: hãy nhập danh sách cột đèn.",
        )
    raise Problem(
        404,
        "unknown-commune",
        f"no commune {code!r} is registered",
        f"Không có xã/phường nào mang mã “{code}”.",
    )


def summary_of(
    conn: Connection,
    board: Board,
    commune: CommuneInfo,
    now: datetime,
    *,
    money: PoleFunding | None = None,
) -> SummaryOut:
    """Counts over one commune's poles and nodes; `money` where its sums are known already.

    `rejects` counts the whole hub's: who sent a message that can't be read is not always known.
    """
    codes = [code for code in board.codes() if board.info(code).commune_code == commune.code]
    inside = set(codes)
    nodes = [node for node in board.nodes() if node.commune == commune.code]
    names = {node.node for node in nodes}
    money = totals(conn, commune.code) if money is None else money
    return SummaryOut(
        commune=CommuneOut(
            code=commune.code,
            name=commune.name,
            province=commune.province,
            former_names=list(commune.former_names),
            latitude=commune.latitude,
            longitude=commune.longitude,
        ),
        poles=len(codes),
        states=StateCounts(**Counter[str](board.state(code, now) for code in codes)),
        open_incidents=sum(
            one.pole in inside or (one.originator_type == "node" and one.originator in names)
            for one in board.open_incidents()
        ),
        rejects=stats(conn)["rejects"]["total"],
        nodes=NodeCounts(**Counter[str](node.status for node in nodes)),
        funding=FundingSummary(
            need_vnd=money.need_vnd,
            received_vnd=money.received_vnd,
            spent_vnd=money.spent_vnd,
            balance_vnd=money.balance_vnd,
        ),
    )
