"""What changed, as server-sent events: poles, incidents, commands, commands for many, the commune's summary.

A batch is what one look at the database found. Only its last event carries the `id` (the revision), so that
a browser which lost the connection in the middle gets the whole batch again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from pydantic import BaseModel
from sqlalchemy import Connection, Engine

from hub.api.batch_schemas import BatchOut
from hub.api.board import Board, Change, batch_out, command_out, incident_out
from hub.api.schemas import SummaryOut
from hub.api.summaries import find_commune, summary_of
from hub.commands.batch_reads import BatchView
from hub.funding.reads import PoleFunding, totals
from hub.funding.reads import head as ledger_head

Event = tuple[str, BaseModel]


class News:
    """Follows the database with a board of its own. One thread at a time calls `look` and `look_again`."""

    def __init__(self, reads: Engine, *, commune: str | None, now: Callable[[], datetime]) -> None:
        self._reads = reads
        self._commune = commune
        self._now = now
        self._board = Board()
        self._told: dict[str, str] = {}
        self._summary: SummaryOut | None = None
        self._money: tuple[int, str, PoleFunding] | None = None

    def look(self) -> bytes:
        """What was committed since the last look; empty when nothing that pages show."""
        with self._reads.connect() as conn:
            now = self._now()
            change = self._board.follow(conn)
            events = self._events(self._board, change, now)
            if events or self._summary is None:
                events += self._new_summary(conn, now)
            return render(events, self._board.revision)

    def look_again(self) -> bytes:
        """As `look`, and also the lamps whose state changed by time alone: silence has no revision."""
        news = self.look()
        now = self._now()
        stale = [
            code for code in self._board.codes() if self._told.get(code) != self._board.state(code, now)
        ]
        if not stale:
            return news
        events = self._pole_events(self._board, stale, now)
        with self._reads.connect() as conn:
            events += self._new_summary(conn, now)
        return news + render(events, self._board.revision)

    def catch_up(self, since: int | None) -> bytes:
        """What a listener missed since a revision; for one that knows none, the summary as it is now."""
        with self._reads.connect() as conn:
            now = self._now()
            board = Board.load(conn)
            events: list[Event] = []
            if since is not None and since != board.revision:
                # A revision from the future is one of another database: begin anew.
                change = board.changed_since(conn, since if since < board.revision else 0)
                events = self._changes(board, change, now)
            commune = find_commune(conn, self._commune)
            if commune is not None:
                events.append(("summary", summary_of(conn, board, commune, now)))
            return render(events, board.revision)

    def _events(self, board: Board, change: Change, now: datetime) -> list[Event]:
        for code in self._told.keys() - set(board.codes()):
            del self._told[code]
        return self._changes(board, change, now)

    def _changes(self, board: Board, change: Change, now: datetime) -> list[Event]:
        return [
            *self._pole_events(board, change.poles, now),
            *(("incident", incident_out(one)) for one in change.incidents),
            *(("command", command_out(one)) for one in change.commands),
            *(("command_batch", _progress(one)) for one in change.batches),
        ]

    def _pole_events(self, board: Board, codes: Iterable[str], now: datetime) -> list[Event]:
        summaries = [board.summary(code, now) for code in codes]
        if board is self._board:
            self._told.update((one.code, one.state) for one in summaries)
        return [("pole", one) for one in summaries]

    def _new_summary(self, conn: Connection, now: datetime) -> list[Event]:
        commune = find_commune(conn, self._commune)
        if commune is None:
            return []
        at = ledger_head(conn).id
        if self._money is None or self._money[:2] != (at, commune.code):
            self._money = (at, commune.code, totals(conn, commune.code))
        summary = summary_of(conn, self._board, commune, now, money=self._money[2])
        if summary == self._summary:
            return []
        self._summary = summary
        return [("summary", summary)]


def _progress(one: BatchView) -> BatchOut:
    """How far it is; the list of those left out never changes and may be long, so it is not told again."""
    return batch_out(replace(one, left_out=(), scope=replace(one.scope, poles=one.scope.poles[:1])))


def render(events: Sequence[Event], revision: int) -> bytes:
    """Events in the format of server-sent events (HTML Living Standard, 9.2)."""
    texts = [f"event: {name}\ndata: {body.model_dump_json()}\n" for name, body in events]
    if texts:
        texts[-1] += f"id: {revision}\n"
    return "".join(text + "\n" for text in texts).encode()
