"""Sends what is due: one lane per receiver, so that a slow mail server keeps nobody else waiting."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from hub.incidents.reads import incidents_of
from hub.logs import first_line
from hub.notify import store
from hub.notify.channels import ChannelBook
from hub.notify.composing import compose
from hub.notify.model import Delivery, Outcome
from hub.notify.places import Places
from hub.notify.rules import judge, shares
from hub.notify.signing import headers
from hub.notify.transports.webhook import WebhookPoster
from hub.notify.webhooks import note_result, webhooks
from hub.settings import NotifySettings

_log = structlog.get_logger(__name__)

WAIT_AGAIN = timedelta(seconds=5)
"""How long a closing waits before it looks again whether its opening has arrived."""

WEBHOOKS_AT_ONCE = 50
"""So many messages of one webhook go in one turn; the next turn goes on."""


class Sender:
    """Looks for what is due and hands it to the lanes. `key` signs webhooks; without one they wait."""

    def __init__(
        self,
        settings: NotifySettings,
        engine: Engine,
        reads: Engine,
        book: ChannelBook,
        poster: WebhookPoster,
        executor: Executor,
        *,
        key: bytes | None,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._reads = reads
        self._book = book
        self._poster = poster
        self._executor = executor
        self._key = key
        self._clock = clock
        self._places = Places()
        self._busy: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Let the lanes end after the message at hand; what is left waits for the next start."""
        self._stopping.set()

    def dispatch(self) -> int:
        """Start what is due and may go now; returns how many lanes were started."""
        now = self._clock()
        with self._reads.connect() as conn:
            waiting = store.due(conn, now)
            if not waiting:
                return 0
            found = incidents_of(conn, (one.incident_id for one in waiting if one.incident_id is not None))
            after = store.statuses(conn, (one.after_id for one in waiting if one.after_id is not None))
            tried = store.tried_since(conn, now - timedelta(minutes=1))
        lanes: defaultdict[tuple[str, str], list[Delivery]] = defaultdict(list)
        later: list[tuple[Delivery, datetime]] = []
        needless: list[tuple[Delivery, str]] = []
        for one in waiting:
            incident, opening = found.get(one.incident_id or 0), after.get(one.after_id or 0)
            verdict = judge(one, incident, opening, now=now)
            if verdict.kind == "go":
                lanes[(one.target_type, one.target)].append(one)
            elif verdict.kind == "wait":
                later.append((one, verdict.until or now + WAIT_AGAIN))
            else:
                needless.append((one, verdict.why))
        if later or needless:
            with self._engine.begin() as conn:
                for one, until in later:
                    store.postpone(conn, one.id, until)
                for one, why in needless:
                    store.drop(conn, one.id, why, now=now)
        return sum(self._start(lane, due, tried.get(lane[1], 0)) for lane, due in lanes.items())

    def _start(self, lane: tuple[str, str], due: Sequence[Delivery], tried: int) -> bool:
        if lane[0] == "webhook":
            ready = [[one] for one in due[:WEBHOOKS_AT_ONCE]]
        else:
            entry = self._book.entries().get(lane[1])
            allowed = (20 if entry is None else entry.rate_per_min) - tried
            by_language: defaultdict[str, list[Delivery]] = defaultdict(list)
            for one in due:
                by_language[one.language].append(one)
            ready = [
                share
                for alike in by_language.values()
                for share in shares(alike, allowed=allowed, storm_over=self._settings.storm_over)
            ][: max(allowed, 0)]
        if not ready:
            return False
        with self._lock:
            if lane in self._busy:
                return False
            self._busy.add(lane)
        self._executor.submit(self._run_lane, lane, ready)
        return True

    def _run_lane(self, lane: tuple[str, str], ready: Sequence[Sequence[Delivery]]) -> None:
        try:
            for share in ready:
                if self._stopping.is_set():
                    return
                if lane[0] == "channel":
                    self._send(share)
                elif not self._post(share[0]):
                    return
        except SQLAlchemyError as error:
            _log.error("notice_not_noted", target=lane[1], error=first_line(error))
        except Exception:  # noqa: BLE001  a lane that dies would look busy for ever
            _log.exception("notice_lane_failed", target=lane[1])
        finally:
            with self._lock:
                self._busy.discard(lane)

    def _send(self, share: Sequence[Delivery]) -> None:
        with self._engine.begin() as conn:
            if len(share) > 1:
                mine = store.claim_summary(conn, share, now=self._clock())
            else:
                mine = store.claim(conn, share[0].id, now=self._clock())
        if mine is None:
            return
        with self._reads.connect() as conn:
            message = compose(conn, mine, self._places, base_url=self._settings.base_url, now=self._clock())
        entry = self._book.entries().get(mine.target)
        if message is None:
            outcome = Outcome("needless", "nothing to tell")
        elif entry is None:
            outcome = Outcome("passing", "the channels file has no such channel")
        elif entry.channel is None:
            outcome = Outcome("passing", f"the channel can't be used: {entry.problem}")
        else:
            outcome = entry.channel.send(message)
        self._finish(mine, outcome, subject="" if message is None else message.subject)

    def _post(self, delivery: Delivery) -> bool:
        """Post one message; False where the receiver can't take any now: the others wait with it."""
        now = self._clock()
        with self._engine.begin() as conn:
            hook = webhooks(conn).get(int(delivery.target))
            if hook is None or not (hook.enabled or delivery.purpose == "test"):
                store.drop(conn, delivery.id, "the webhook is switched off", now=now)
                return True
            mine = store.claim(conn, delivery.id, now=now)
        if mine is None:
            return True
        if self._key is None:
            outcome = Outcome("passing", "the hub has no webhook key to sign with")
        else:
            body = (mine.body or "").encode()
            signed = headers(
                hook.secrets(self._key, now=now), f"ngonden-{mine.id}", int(now.timestamp()), body
            )
            outcome = self._poster.post(hook.url, body, signed)
        self._finish(mine, outcome)
        with self._engine.begin() as conn:
            if outcome.kind == "passing":
                store.hold(conn, mine)
            off = note_result(
                conn,
                hook.id,
                well=outcome.kind == "sent",
                why=outcome.reason,
                gone=outcome.kind == "gone",
                disable_after_h=self._settings.webhook_disable_after_h,
                now=self._clock(),
            )
        if off:
            _log.warning("webhook_switched_off", webhook=hook.id, reason=outcome.reason)
        return outcome.kind == "sent"

    def _finish(self, mine: Delivery, outcome: Outcome, *, subject: str = "") -> None:
        # A webhook is given up only with its webhook: its receiver may be repaired within days.
        tries_max = 10_000 if mine.target_type == "webhook" else self._settings.tries_max
        with self._engine.begin() as conn:
            status = store.finish(
                conn, mine, outcome, now=self._clock(), tries_max=tries_max, subject=subject
            )
        if status == "failed":
            _log.warning(
                "notice_failed",
                delivery=mine.id,
                target=mine.target,
                tries=mine.tries,
                reason=outcome.reason,
            )
