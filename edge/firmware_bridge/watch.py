"""Carries what the lines' threads noticed into the log and to the hub."""

from __future__ import annotations

import asyncio
from collections import deque

import structlog

from edge.firmware_bridge.board import Notice
from edge.outbox.journal import Journal

LOOK_EVERY_S = 1.0


class BoardWatch:
    """Tells each notice once: `board_found`, `board_silent`, `board_fault`, `serial_line_lost`."""

    def __init__(self, notices: deque[Notice], *, node: str, journal: Journal) -> None:
        self._notices = notices
        self._journal = journal
        self._log = structlog.get_logger().bind(node=node)

    async def run(self) -> None:
        """Look for notices, for ever."""
        while True:
            self.step()
            await asyncio.sleep(LOOK_EVERY_S)

    def step(self) -> None:
        """Tell what waits."""
        while self._notices:
            notice = self._notices.popleft()
            begins = {} if notice.active is None else {"active": notice.active}
            poles = {"poles": list(notice.poles)} if notice.poles else {}
            (self._log.warning if notice.active else self._log.info)(
                notice.kind, **begins, **poles, **notice.detail
            )
            for pole in notice.poles or (None,):
                self._journal.later(notice.kind, pole=pole, active=notice.active, detail=notice.detail)
