"""The fast lane leaves what the slow one leaves."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, insert, select

from hub.db import metadata, open_database
from hub.incidents.tables import incident_rule
from hub.ingest.judging.directory import KnownNode
from protocol import CabinetReading, CameraReading, Kind, LampCounters, LampReading, MeterReading, Sample
from tests.integration.hub_ingest.rig import Rig
from tests.integration.hub_ingest.words import (
    EPOCH,
    RATED_W,
    event,
    events,
    node_name,
    pole_code,
    sample,
    state,
    telemetry,
)

OTHER_EPOCH = UUID("33333333-3333-4333-8333-333333333333")
Act = Callable[[Rig], None]


def _say(kind: Kind, payload: Callable[[Rig], bytes], number: int) -> Act:
    return lambda rig: rig.send(kind, payload(rig), number=number)


def _replaced(one: Sample, change: dict[str, Any]) -> Sample:
    return msgspec.structs.replace(one, **change)


CAMERA = CameraReading(camera="CAM-1", reachable=True, stream="live")
CHANGES = st.one_of(
    st.just({}),
    st.just({}),
    st.just({"cameras": [CAMERA]}),
    st.just({"cameras": [msgspec.structs.replace(CAMERA, stream="no_media")]}),
    st.just({"counters": LampCounters(burning_s=5, switches=1, energy_wh=1.0, supply_losses=0)}),
    st.just({"cabinet": CabinetReading(door_open=True)}),
    st.just({"faults": ["cycling_failure"]}),
    st.just({"dark": True}),
    st.just({"clock": "unsynced"}),
    st.just({"historical": True}),
    st.just({"pole": "TG-9999"}),
    st.just({"boot": EPOCH, "mono_s": 5.0}),
)
RAW = st.sampled_from(
    [
        b"{",
        b'{"v":2}',
        b"",
        b'{"v":1,"node":"tg-0001","epoch":"x","sent_at":"2026-03-01T12:00:00Z","samples":[]}',
    ]
)


STATUS: st.SearchStrategy[Literal["online", "lost", "stopped"]] = st.sampled_from(
    ["online", "lost", "stopped"]
)


def _crash(rig: Rig) -> None:
    rig.committer.step()
    rig.restart()


READINGS: list[dict[str, Any]] = [
    {"power_w": RATED_W},
    {"power_w": 0.2},
    {"power_w": 0.2 * RATED_W},
    {"power_w": RATED_W, "level": 0.0},
    {"power_w": 0.0, "level": 0.0},
    {"power_w": None},
    {"power_w": RATED_W, "level": 0.5},
]


@st.composite
def readings(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Nearly always what was said before, with other watts; else one of what may befall a lamp."""
    if draw(st.integers(0, 5)):
        return {"power_w": RATED_W - draw(st.sampled_from([0.0, 1.0, 2.5, 9.0]))}, {}
    return draw(st.sampled_from(READINGS)), draw(CHANGES)


def _follow(number: int, said: list[tuple[dict[str, Any], dict[str, Any]]]) -> Act:
    """Samples that continue what the node has sent, a message each."""

    def act(rig: Rig) -> None:
        for words, change in said:
            rig.sent[number] += 1
            one = _replaced(sample(rig.sent[number], number=number, at=rig.now, **words), change)
            rig.send(
                Kind.TELEMETRY,
                telemetry(one, number=number, epoch=EPOCH, sent_at=rig.now),
                number=number,
            )

    return act


@st.composite
def acts(draw: st.DrawFn) -> Act:
    number = draw(st.integers(1, 3))
    kind = draw(
        st.sampled_from(
            ["sample"] * 5
            + ["follow"] * 6
            + ["state", "event", "raw", "step", "wait", "restart", "registry"]
        )
    )
    if kind == "step":
        return lambda rig: rig.committer.step()
    if kind == "restart":
        return _crash
    if kind == "wait":
        seconds = draw(st.sampled_from([0.3, 4, 12, 40]))
        return lambda rig: rig.pass_time(seconds, every_s=max(1, seconds / 4))
    if kind == "registry":
        return lambda rig: rig.directory.add(
            KnownNode(node_name(1), "tram-than", frozenset({pole_code(1)}), {pole_code(1): RATED_W})
        )
    if kind == "state":
        status = draw(STATUS)
        return _say(Kind.STATE, lambda rig: state(number=number, status=status, at=rig.now), number)
    if kind == "raw":
        raw = draw(RAW)
        return _say(Kind.TELEMETRY, lambda rig: raw, number)
    if kind == "event":
        seq = draw(st.integers(1, 9))
        return _say(
            Kind.EVENT, lambda rig: events(event(seq, number=number, at=rig.now), number=number), number
        )
    if kind == "follow":
        return _follow(number, draw(st.lists(readings(), min_size=1, max_size=6)))
    first = draw(st.integers(1, 9))
    count = draw(st.integers(1, 3))
    epoch = draw(st.sampled_from([EPOCH, EPOCH, EPOCH, OTHER_EPOCH]))
    age_s = draw(st.sampled_from([0, 0, 0, 30, 60, 61, -299, -301, 5e9]))
    watts = draw(st.sampled_from([RATED_W, RATED_W - 1, 0.2, 15.0, None]))
    level = draw(st.sampled_from([1.0, 1.0, 0.5, 0.0]))
    changes = draw(st.lists(CHANGES, min_size=count, max_size=count))
    zone = draw(st.sampled_from([None, timezone(timedelta(hours=7))]))
    extra = draw(st.sampled_from([b"", b"", b"", b'"new":1,', b'"power_kw":1,']))

    def payload(rig: Rig) -> bytes:
        if epoch == EPOCH:
            rig.sent[number] = max(rig.sent[number], first + count - 1)
        at: datetime = max(rig.now - timedelta(seconds=age_s), datetime(1970, 1, 1, tzinfo=rig.now.tzinfo))
        made = [
            _replaced(
                sample(
                    first + n,
                    number=number,
                    at=at.astimezone(zone) if zone else at,
                    power_w=watts,
                    level=level,
                ),
                changes[n],
            )
            for n in range(count)
        ]
        return telemetry(*made, number=number, epoch=epoch, sent_at=rig.now).replace(
            b'"dark"', extra + b'"dark"'
        )

    return _say(Kind.TELEMETRY, payload, number)


def _left(rig: Rig) -> dict[str, object]:
    """Everything that a run has left, without what only tells when it was written."""
    found: dict[str, object] = {}
    with rig.engine.connect() as conn:
        for table in metadata.sorted_tables:
            if table.name in ("hub_revision", "telemetry_outbox"):
                continue
            columns = [column for column in table.c if column.name not in ("revision", "id")]
            rows = [tuple(row) for row in conn.execute(select(*columns))]
            if table.name == "ingest_stat":
                rows = [row for row in rows if row[0] != "checkpoint"]
            found[table.name] = sorted(map(repr, rows))
    found["points"] = sorted((msgspec.to_builtins(point) for point in rig.points()), key=repr)
    stored: set[tuple[str, UUID, int]] = set()
    aside: set[tuple[str, UUID, int, str]] = set()
    for told in rig.stored():
        stored |= {
            (told.node, told.epoch, n) for first, last in told.ranges for n in range(first, last + 1)
        }
        aside |= {(told.node, told.epoch, one.first, one.reason) for one in told.set_aside}
    found["stored"], found["aside"] = sorted(map(repr, stored)), sorted(map(repr, aside))
    return found


@pytest.fixture(scope="module")
def pair(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], list[Engine]]:
    folder = tmp_path_factory.mktemp("lanes")

    def made() -> list[Engine]:
        engines = []
        for name in ("fast", "slow"):
            for rest in folder.glob(f"{name}.db*"):
                rest.unlink()
            shutil.copy(migrated_sqlite, folder / f"{name}.db")
            engines.append(open_database(f"sqlite:///{folder}/{name}.db"))
        return engines

    return made


@settings(max_examples=30, deadline=None)
@given(story=st.lists(acts(), min_size=4, max_size=25))
def test_both_lanes_leave_the_same(pair: Callable[[], list[Engine]], story: list[Act]) -> None:
    left = []
    for engine, fast in zip(pair(), (True, False), strict=True):
        rig = Rig(engine, fast=fast)
        try:
            for act in story:
                act(rig)
            rig.committer.step()
            rig.pass_time(1)
            left.append(_left(rig))
        finally:
            rig.close()
            engine.dispose()
    assert left[0] == left[1]


def _other_lamp(**words: Any) -> dict[str, Any]:
    return {"lamp": LampReading(effect_level=1.0, reason="sun", **words)}


DEVIATIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    *[(words, {}) for words in READINGS],
    *[
        ({}, {"meter": MeterReading(power_w=RATED_W, voltage_v=volts)})
        for volts in (None, 0.0, 150.0, 290.0)
    ],
    *[({}, {"cameras": [one]}) for one in (CAMERA, msgspec.structs.replace(CAMERA, stream="no_media"))],
    ({}, {"counters": LampCounters(burning_s=5, switches=1, energy_wh=1.0, supply_losses=0)}),
    ({}, {"cabinet": CabinetReading(door_open=True)}),
    ({}, {"faults": ["cycling_failure"]}),
    ({}, {"dark": None}),
    ({}, {"clock": "unsynced"}),
    ({}, {"historical": True}),
    ({}, {"time": datetime(1970, 1, 1, tzinfo=UTC)}),
    ({}, {"time": datetime(2037, 1, 1, tzinfo=UTC)}),
    ({}, {"pole": "TG-9999"}),
    ({}, _other_lamp(commanded_level=1.0)),
    ({}, _other_lamp(due=False)),
    ({}, _other_lamp(override_until=datetime(2027, 1, 1, tzinfo=UTC))),
    ({}, {"lamp": LampReading(effect_level=1.0, reason="maintenance")}),
    ({}, {"lamp": LampReading(effect_level=1.0, reason="Not A Word")}),
]


def _rule(engine: Engine, kind: str, params: dict[str, float]) -> None:
    """Let a kind open with its first sample and close with the first that is well."""
    row = {"commune": "tram-than", "kind": kind, "hold_off_s": 0, "clear_after_s": 0}
    with engine.begin() as conn:
        conn.execute(insert(incident_rule).values(**row, params=params, enabled=True))


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("together", [True, False])
def test_a_lamp_that_stops_doing_the_usual_leaves_the_same(
    pair: Callable[[], list[Engine]], times: int, together: bool
) -> None:
    """A node for each way in which a sample may differ from the usual; all in one batch, or minutes apart."""
    left = []
    for engine, fast in zip(pair(), (True, False), strict=True):
        for kind in ("lamp_failure", "supply_voltage_too_low", "supply_voltage_too_high"):
            _rule(engine, kind, {})
        rig = Rig(engine, fast=fast, nodes=len(DEVIATIONS))
        usual: tuple[dict[str, Any], dict[str, Any]] = ({"power_w": RATED_W}, {})
        for deviates in [False] * 5 + [True] * times + [False] * 4:
            for number, deviation in enumerate(DEVIATIONS, 1):
                _follow(number, [deviation if deviates else usual])(rig)
            if not together:
                rig.pass_time(25, every_s=12.5)
        rig.pass_time(1)
        _follow(1, [({"power_w": RATED_W}, {})])(rig)
        rig.pass_time(400, every_s=20)
        left.append(_left(rig))
        rig.close()
        engine.dispose()
    assert left[0] == left[1]


def test_a_rule_that_is_changed_holds_for_the_next_sample(engine: Engine) -> None:
    rig = Rig(engine)
    for _ in range(5):
        _follow(1, [({"power_w": RATED_W / 2}, {})])(rig)
        rig.committer.step()
    _rule(engine, "lamp_failure", {"fail_share": 0.9})
    rig.pass_time(5)
    _follow(1, [({"power_w": RATED_W / 2}, {})] * 3)(rig)
    rig.committer.step()
    assert [one.kind for one in rig.incidents(status="open")] == ["lamp_failure"]
    rig.close()
