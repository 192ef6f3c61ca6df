"""What changed, as server-sent events: poles, incidents, commands, commands for many, the commune's summary.

A batch is what one look at the database found; each listener gets the part of it that is theirs to see. Only
its last event carries the `id` (the revision), so that a browser which lost the connection in the middle gets
the whole batch again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from pydantic import BaseModel
from sqlalchemy import Connection, Engine

from hub.api.schemas import SummaryOut
from hub.api.schemas.batches import BatchOut
from hub.api.sight import home_of
from hub.api.views.board import Board, Change, batch_out, command_out, incident_out
from hub.api.views.summaries import rejects_total, summary_of
from hub.commands.batch_reads import BatchView
from hub.funding.reads import PoleFunding, totals
from hub.funding.reads import head as ledger_head
from hub.registry.reads import CommuneInfo, communes

Sight = tuple[str, ...]
"""The communes that a listener sees, as `hub.access.model.User.communes`; empty: the whole hub."""

WHOLE: Sight = ()

ELSEWHERE = ""
"""The commune of what concerns more than one: those who see single communes are not told of it."""


class Event(NamedTuple):
    """One event and where it belongs; `commune` None: everybody may know of it."""

    name: str
    body: BaseModel
    commune: str | None


class Batch:
    """The events of one look, and the summaries that are new, by commune."""

    def __init__(self, revision: int) -> None:
        self.revision = revision
        self.events: list[Event] = []
        self.summaries: dict[str, SummaryOut] = {}
        self.homes: dict[Sight, str] = {}
        self._written: list[str] = []

    def of(self, sight: Sight) -> bytes:
        """What a listener with this sight is told; empty where nothing is new."""
        # Each event is written once, however many sights it lies in.
        self._written += [_text(one.name, one.body) for one in self.events[len(self._written) :]]
        told = [
            text
            for one, text in zip(self.events, self._written, strict=True)
            if not sight or one.commune is None or one.commune in sight
        ]
        summary = self.summaries.get(self.homes.get(sight, ""))
        return _joined(told if summary is None else [*told, _text("summary", summary)], self.revision)

    def told(self, sights: Collection[Sight]) -> dict[Sight, bytes]:
        """As `of`, for all of these."""
        return {sight: self.of(sight) for sight in sights}


class News:
    """Follows the database with a board of its own. One thread at a time calls `look` and `look_again`."""

    def __init__(self, reads: Engine, *, commune: str | None, now: Callable[[], datetime]) -> None:
        self._reads = reads
        self._commune = commune
        self._now = now
        self._board = Board()
        self._told: dict[str, str] = {}
        self._summaries: dict[str, SummaryOut] = {}
        self._homes_known: set[Sight] = set()
        self._money: dict[str, PoleFunding] = {}
        self._money_at = -1

    def look(self, sights: Collection[Sight] = (WHOLE,)) -> Batch:
        """What was committed since the last look, with the summaries that listeners of these sights follow."""
        with self._reads.connect() as conn:
            now = self._now()
            change = self._board.follow(conn)
            batch = Batch(self._board.revision)
            for code in self._told.keys() - set(self._board.codes()):
                del self._told[code]
            batch.events = self._changes(self._board, change, now)
            self._add_summaries(conn, batch, sights, now, changed=bool(batch.events))
        return batch

    def look_again(self, sights: Collection[Sight] = (WHOLE,)) -> Batch:
        """As `look`, and also the lamps whose state changed by time alone: silence has no revision."""
        batch = self.look(sights)
        now = self._now()
        stale = [
            code for code in self._board.codes() if self._told.get(code) != self._board.state(code, now)
        ]
        if stale:
            batch.events += self._pole_events(self._board, stale, now)
            with self._reads.connect() as conn:
                self._add_summaries(conn, batch, sights, now, changed=True)
        return batch

    def catch_up(self, since: int | None, sight: Sight = WHOLE) -> bytes:
        """What a listener missed since a revision; for one that knows none, the summary as it is now."""
        with self._reads.connect() as conn:
            now = self._now()
            board = Board.load(conn)
            batch = Batch(board.revision)
            if since is not None and since != board.revision:
                # A revision from the future is one of another database: begin anew.
                change = board.changed_since(conn, since if since < board.revision else 0)
                batch.events = self._changes(board, change, now)
            home = home_of(communes(conn), sight, self._commune)
            if home is not None:
                batch.homes[sight] = home.code
                batch.summaries[home.code] = summary_of(conn, board, home, now)
            return batch.of(sight)

    def _changes(self, board: Board, change: Change, now: datetime) -> list[Event]:
        return [
            *self._pole_events(board, change.poles, now),
            *(
                Event("incident", incident_out(one), None if one.is_of_hub else board.commune_of(one))
                for one in change.incidents
            ),
            *(Event("command", command_out(one), one.commune) for one in change.commands),
            *(
                Event("command_batch", _progress(one), one.scope.commune or ELSEWHERE)
                for one in change.batches
            ),
        ]

    def _pole_events(self, board: Board, codes: Iterable[str], now: datetime) -> list[Event]:
        summaries = [board.summary(code, now) for code in codes]
        if board is self._board:
            self._told.update((one.code, one.state) for one in summaries)
        return [Event("pole", one, one.commune) for one in summaries]

    def _add_summaries(
        self, conn: Connection, batch: Batch, sights: Collection[Sight], now: datetime, *, changed: bool
    ) -> None:
        """The summary of each listener's own commune, where it differs from the one told last."""
        if not changed and all(sight in self._homes_known for sight in sights):
            return
        known = communes(conn)
        self._homes_known.update(sights)
        rejects = rejects_total(conn)
        homes = {sight: home_of(known, sight, self._commune) for sight in sights}
        batch.homes = {sight: home.code for sight, home in homes.items() if home is not None}
        for home in {home.code: home for home in homes.values() if home is not None}.values():
            money = self._money_of(conn, home)
            summary = summary_of(conn, self._board, home, now, money=money, rejects=rejects)
            if summary != self._summaries.get(home.code):
                batch.summaries[home.code] = self._summaries[home.code] = summary

    def _money_of(self, conn: Connection, commune: CommuneInfo) -> PoleFunding:
        at = ledger_head(conn).id
        if at != self._money_at:
            self._money, self._money_at = {}, at
        if commune.code not in self._money:
            self._money[commune.code] = totals(conn, (commune.code,))
        return self._money[commune.code]


def _progress(one: BatchView) -> BatchOut:
    """How far it is; the list of those left out never changes and may be long, so it is not told again."""
    return batch_out(replace(one, left_out=(), scope=replace(one.scope, poles=one.scope.poles[:1])))


def _text(name: str, body: BaseModel) -> str:
    """One event in the format of server-sent events (HTML Living Standard, 9.2), without its empty line."""
    return f"event: {name}\ndata: {body.model_dump_json()}\n"


def _joined(texts: list[str], revision: int) -> bytes:
    if texts:
        texts[-1] += f"id: {revision}\n"
    return "".join(text + "\n" for text in texts).encode()
