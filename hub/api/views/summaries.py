"""A commune at a glance, from the board and the sums."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from sqlalchemy import Connection

from hub.access.model import User
from hub.api.problems import Problem, unknown_commune
from hub.api.schemas import CommuneOut, FundingSummary, NodeCounts, StateCounts, SummaryOut
from hub.api.sight import home_commune, seen_commune
from hub.api.views.board import Board
from hub.funding.reads import PoleFunding, totals
from hub.ingest.reads import stats
from hub.registry.reads import CommuneInfo


def chosen_commune(conn: Connection, by: User, asked: str | None, wished: str | None) -> CommuneInfo:
    """The commune asked for, else the one of the first page; raises Problem 404 where there is none."""
    if asked is not None:
        return seen_commune(conn, by, asked)
    found = home_commune(conn, by, wished)
    if found is not None:
        return found
    if wished is not None:
        raise unknown_commune(wished)
    raise Problem(
        404,
        "unknown-commune",
        "no commune is registered: import the poles first",
        "Chưa có xã/phường nào: hãy nhập danh sách cột đèn.",
    )


def summary_of(
    conn: Connection,
    board: Board,
    commune: CommuneInfo,
    now: datetime,
    *,
    money: PoleFunding | None = None,
    rejects: int | None = None,
) -> SummaryOut:
    """Counts over one commune's poles and nodes; `money` and `rejects` where they are known already.

    `rejects` counts the whole hub's: who sent a message that can't be read is not always known.
    """
    codes = board.codes_of(commune.code)
    nodes = board.nodes_of(commune.code)
    money = totals(conn, (commune.code,)) if money is None else money
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
        open_incidents=board.open_in(commune.code),
        rejects=rejects_total(conn) if rejects is None else rejects,
        nodes=NodeCounts(**Counter[str](node.status for node in nodes)),
        funding=FundingSummary(
            need_vnd=money.need_vnd,
            received_vnd=money.received_vnd,
            spent_vnd=money.spent_vnd,
            balance_vnd=money.balance_vnd,
        ),
    )


def rejects_total(conn: Connection) -> int:
    """How many messages were ever set aside, over the whole hub."""
    return int(stats(conn)["rejects"]["total"])
