"""A watcher with one feeder of nodes, a clock that only the test moves, and no database."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hub.incidents.model import (
    COMMUNICATION_FAILURE,
    SUPPLY_LOSS,
    Evidence,
    Key,
    Place,
    Subject,
    Verdict,
)
from hub.incidents.rulebook import RuleBook, RuleRow
from hub.incidents.standing import Standing, Step
from hub.incidents.told import ToldFaults, Word
from hub.incidents.watcher import Watcher

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLACE = Place("tram-than", "Khu 3", "L1", "Tổ 1")
FEEDER = "tram-than/L1"
EPOCH = "e"


def node(number: int, place: Place = PLACE) -> Subject:
    return Subject("node", f"tg-{number:04}", f"TG-{number:04}", f"tg-{number:04}", place)


def pole(number: int, place: Place = PLACE) -> Subject:
    return node(number, place)._replace(type="pole", name=f"TG-{number:04}")


def camera(number: int, place: Place = PLACE) -> Subject:
    return pole(number, place)._replace(type="camera", name=f"CAM-{number:04}")


class Stage:
    """`nodes` nodes on one feeder, all of which report."""

    def __init__(self, nodes: int = 30, rules: Iterable[RuleRow] = ()) -> None:
        self.now = START
        self.watcher = Watcher(RuleBook(rules), {})
        self.told = ToldFaults()
        self.up = {node(n).name for n in range(1, nodes + 1)}
        self.promised_s = 30.0
        """Within which time each node promises a word."""
        self.steps: list[Step] = []
        self._seq = 0

    def settle(self) -> list[Step]:
        """As after a batch: arrange, and take what is to be written."""
        self.watcher.arrange(
            self.now, lambda place: self.up if place.feeder == "L1" else (), lambda _: self.promised_s
        )
        new = self.watcher.take().changes
        self.steps += new
        return new

    def pass_time(self, seconds: float) -> list[Step]:
        self.now += timedelta(seconds=seconds)
        for key in self.watcher.expired(self.now):
            if key.kind == COMMUNICATION_FAILURE:
                self.hear(node(int(key.originator[-4:])))
        return self.settle()

    def see(self, subject: Subject, kind: str, verdict: Verdict, *, since: datetime | None = None) -> None:
        """What readings show."""
        self.watcher.observe(subject, kind, verdict, self.now, evidence=lambda: {"seen": True}, since=since)

    def tell(
        self,
        subject: Subject,
        kind: str,
        stands: bool,
        *,
        at: datetime | None = None,
        seq: int | None = None,
        **told: float,
    ) -> None:
        """A node's word; one with `at` is history."""
        self._seq = self._seq + 1 if seq is None else seq
        word = Word(EPOCH + subject.node, self._seq, at or self.now, live=at is None)
        self.told.take(self.watcher, kind, subject, stands=stands, word=word, evidence=lambda: {**told})

    def fall_silent(self, *numbers: int, last_seen_s_ago: float = 90, heartbeat_s: int = 30) -> None:
        """These nodes' silence has outlasted the hold-off."""
        for number in numbers:
            one = node(number)
            self.up.discard(one.name)
            since = self.now - timedelta(seconds=last_seen_s_ago)

            def evidence() -> Evidence:
                return {"cause": "silent", "heartbeat_s": heartbeat_s}

            for at in (self.now - timedelta(seconds=3), self.now):
                self.watcher.observe(
                    one, COMMUNICATION_FAILURE, Verdict.BAD, at, evidence=evidence, since=since
                )

    def hear(self, one: Subject) -> None:
        verdict = Verdict.GOOD if one.name in self.up else Verdict.BAD
        self.see(one, COMMUNICATION_FAILURE, verdict)

    def come_back(self, *numbers: int) -> None:
        """These nodes speak again, and go on speaking for longer than it takes to close."""
        for number in numbers:
            self.up.add(node(number).name)
            self.hear(node(number))
        self.pass_time(6)

    def lose_supply(self, *numbers: int) -> None:
        for number in numbers:
            self.tell(node(number), SUPPLY_LOSS, True)

    def get_supply(self, *numbers: int) -> None:
        for number in numbers:
            self.tell(node(number), SUPPLY_LOSS, False)

    def open(self, kind: str | None = None) -> list[Standing]:
        return [one for one in self.watcher.book if kind in (None, one.key.kind)]

    def the(self, name: str, kind: str) -> Standing:
        found = self.watcher.book.get(Key(name, kind))
        assert found is not None, f"no open {kind} of {name}"
        return found

    def loud(self) -> list[Key]:
        """Whose notices go out."""
        return sorted(one.key for one in self.watcher.book if one.quiet is None)

    def words(self, name: str, kind: str) -> list[str]:
        return [step.change for step in self.steps if step.key == (name, kind)]
