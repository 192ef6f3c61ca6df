"""What samples show by themselves, where a node tells nothing; and which of them can be passed over."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.incidents.model import Place
from hub.incidents.rulebook import RuleBook
from hub.incidents.watcher import Watcher
from hub.ingest.judging.batch import Batch
from hub.ingest.judging.directory import InMemoryDirectory, KnownNode
from hub.ingest.judging.observing import is_routine, observe_sample
from hub.ingest.state import IngestState, PoleMark
from protocol import CabinetReading, CameraReading, LampReading, MeterReading, Sample

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLE, CAMERA = "TG-0001", "CAM-0001"
KNOWN = KnownNode(
    "tg-0001",
    "tram-than",
    frozenset({POLE}),
    {POLE: 40.0},
    {CAMERA: POLE},
    {POLE: Place("tram-than", "Khu 3", "L1", "Tổ 1")},
)


class Road:
    """One pole whose live samples are observed one after another."""

    def __init__(self) -> None:
        self.state = IngestState(Watcher(RuleBook(), {}))
        self.before: PoleMark | None = None
        self.now = START
        self.seq = 0

    def make(
        self,
        *,
        level: float = 0.0,
        due: bool | None = False,
        power_w: float | None = 0.0,
        volts: float | None = 225.0,
        faults: Iterable[str] = (),
        reason: str = "sun",
        **more: Any,
    ) -> Sample:
        self.seq += 1
        return Sample(
            seq=self.seq,
            pole=POLE,
            time=self.now,
            lamp=LampReading(effect_level=level, reason=reason, due=due),
            meter=None if power_w is None else MeterReading(power_w=power_w, voltage_v=volts),
            faults=list(faults),
            **{"clock": "synced", **more},
        )

    def observe(self, sample: Sample) -> None:
        batch = Batch(self.state, InMemoryDirectory(KNOWN), self.now, 60)
        observe_sample(batch, KNOWN, "e", sample, self.before, self.now)
        self.before = PoleMark(KNOWN.name, "e", sample.seq, self.now, tuple(sample.faults))
        self.state.watcher.arrange(self.now, lambda _: [KNOWN.name])

    def go_on(self, minutes: float, every_s: float = 60, **what: Any) -> None:
        end = self.now + timedelta(minutes=minutes)
        while self.now < end:
            self.observe(self.make(**what))
            self.now += timedelta(seconds=every_s)

    def kinds(self) -> list[str]:
        return sorted(one.key.kind for one in self.state.watcher.book)


@pytest.fixture
def road() -> Road:
    made = Road()
    made.go_on(1)
    return made


def test_a_lamp_that_burns_by_day_is_noticed_after_its_hold_off(road: Road) -> None:
    road.go_on(15, power_w=38.0)
    assert road.kinds() == []
    road.go_on(2, power_w=38.0)
    assert road.kinds() == ["lamp_unexpected_on"]
    road.go_on(4, power_w=0.5)
    assert road.kinds() == []


def test_by_night_a_stuck_contactor_is_not_mended(road: Road) -> None:
    road.go_on(17, power_w=38.0)
    road.go_on(30, level=1.0, due=True, power_w=38.0)
    assert road.kinds() == ["lamp_unexpected_on"]


@pytest.mark.parametrize(
    ("due", "faults"), [(None, []), (True, []), (False, ["power_tapping"]), (False, ["relay_failure"])]
)
def test_power_by_day_that_has_another_explanation_is_no_burning_lamp(
    road: Road, due: bool | None, faults: list[str]
) -> None:
    road.go_on(30, power_w=38.0, due=due, faults=faults)
    assert "lamp_unexpected_on" not in road.kinds()


def test_a_meter_that_spoke_and_falls_silent_is_stale_and_one_that_never_spoke_is_none(road: Road) -> None:
    road.go_on(32, power_w=None)
    assert road.kinds() == ["meter_stale"]
    without = Road()
    without.go_on(60, power_w=None)
    assert without.kinds() == []


@pytest.mark.parametrize(
    ("volts", "kind", "nearly_well"),
    [(190.0, "supply_voltage_too_low", 199.0), (245.0, "supply_voltage_too_high", 241.0)],
)
def test_a_supply_out_of_its_band_needs_more_than_the_limit_to_be_well(
    road: Road, volts: float, kind: str, nearly_well: float
) -> None:
    road.go_on(17, volts=volts)
    assert road.kinds() == [kind]
    road.go_on(20, volts=nearly_well)
    assert road.kinds() == [kind]
    road.go_on(7)
    assert road.kinds() == []


def test_a_solar_lamps_twelve_volts_are_no_bad_mains(road: Road) -> None:
    road.go_on(60, volts=12.4)
    assert road.kinds() == []


def test_without_mains_a_dark_lamp_is_no_dead_lamp(road: Road) -> None:
    dark: dict[str, Any] = {"level": 1.0, "due": True, "power_w": 0.0}
    road.go_on(10, **dark, volts=0.0)
    road.go_on(10, **dark, cabinet=CabinetReading(supply_present=False))
    assert road.kinds() == ["supply_loss"]
    road.go_on(3, level=1.0, due=True, power_w=40.0, cabinet=CabinetReading(supply_present=True))
    assert road.kinds() == []
    road.go_on(3, **dark)
    assert road.kinds() == ["lamp_failure"]


def test_the_cabinet_is_judged_by_its_readings(road: Road) -> None:
    road.go_on(17, cabinet=CabinetReading(door_open=True, temperature_c=80))
    assert road.kinds() == ["cabinet_door_open", "high_temperature"]
    road.go_on(7, cabinet=CabinetReading(door_open=False, temperature_c=72))
    assert road.kinds() == ["high_temperature"]
    road.go_on(7, cabinet=CabinetReading(door_open=False, temperature_c=60))
    assert road.kinds() == []


def test_a_clock_that_stays_wrong_for_hours_is_told_of(road: Road) -> None:
    road.go_on(6 * 60, every_s=600, clock="unsynced")
    assert road.kinds() == []
    road.go_on(11, clock="unsynced")
    assert road.kinds() == ["clock_unsynced"]
    road.go_on(7)
    assert road.kinds() == []


@pytest.mark.parametrize(
    ("reading", "kind", "minutes"),
    [
        ({"reachable": False}, "camera_offline", 17),
        ({"reachable": True, "stream": "no_media"}, "camera_stream_lost", 32),
        ({"reachable": True, "picture": "frozen"}, "camera_frozen", 62),
        ({"reachable": True, "picture": "covered"}, "camera_covered", 62),
        ({"reachable": True, "clock_offset_s": -90.0}, "camera_clock_drift", 122),
        ({"reachable": True, "recording_age_s": 4000.0}, "recording_gap", 32),
    ],
)
def test_a_camera_is_judged_by_its_readings(
    road: Road, reading: dict[str, Any], kind: str, minutes: float
) -> None:
    road.go_on(minutes, cameras=[CameraReading(camera=CAMERA, **reading)])
    assert road.kinds() == [kind]
    well = CameraReading(
        camera=CAMERA, reachable=True, stream="live", picture="ok", clock_offset_s=1, recording_age_s=30
    )
    road.go_on(17, cameras=[well])
    assert road.kinds() == []


def picture(word: Literal["ok", "moved", "defocused"]) -> list[CameraReading]:
    return [CameraReading(camera=CAMERA, reachable=True, picture=word)]


def test_two_odd_words_within_another_fault_are_no_fault_of_their_own(road: Road) -> None:
    road.go_on(70, cameras=picture("defocused"))
    road.go_on(1, cameras=picture("moved"))
    road.go_on(70, cameras=picture("defocused"))
    road.go_on(1, cameras=picture("moved"))
    assert road.kinds() == ["camera_defocused"]


def test_what_stands_of_a_picture_is_not_ended_by_another_word(road: Road) -> None:
    road.go_on(70, cameras=picture("moved"))
    road.go_on(70, cameras=picture("defocused"))
    assert road.kinds() == ["camera_defocused", "camera_moved"]
    road.go_on(17, cameras=picture("ok"))
    assert road.kinds() == []


def test_a_camera_of_others_is_not_judged(road: Road) -> None:
    road.go_on(60, cameras=[CameraReading(camera="CAM-9999", reachable=False)])
    assert road.kinds() == []


_CAMERAS = st.builds(
    CameraReading,
    camera=st.sampled_from([CAMERA, "CAM-9999"]),
    reachable=st.booleans(),
    stream=st.sampled_from([None, "live", "no_media"]),
    picture=st.sampled_from([None, "ok", "frozen", "dark", "unreadable"]),
    clock_offset_s=st.sampled_from([None, 0.5, 300.0]),
    recording_age_s=st.sampled_from([None, 10.0, 90_000.0]),
)
_CABINETS = st.builds(
    CabinetReading,
    temperature_c=st.sampled_from([None, 30.0, 72.0, 90.0]),
    door_open=st.sampled_from([None, False, True]),
    supply_present=st.sampled_from([None, False, True]),
)
_SAMPLES = st.fixed_dictionaries(
    {
        "level": st.sampled_from([0.0, 0.5, 1.0]),
        "due": st.sampled_from([None, False, True]),
        "power_w": st.sampled_from([None, 0.0, 4.0, 25.0, 40.0]),
        "volts": st.sampled_from([None, 0.0, 12.0, 150.0, 197.0, 199.0, 225.0, 241.0, 242.0]),
        "faults": st.sampled_from([[], [], [], ["cycling_failure"], ["lamp_failure"]]),
        "reason": st.sampled_from(["sun", "sun", "override", "maintenance"]),
        "clock": st.sampled_from(["synced", "synced", "unsynced"]),
        "cabinet": st.none() | _CABINETS,
        "cameras": st.lists(_CAMERAS, max_size=2, unique_by=lambda one: one.camera),
    }
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(_SAMPLES, st.sampled_from([30, 600, 3600])), min_size=2, max_size=12))
def test_a_routine_sample_changes_nothing(samples: list[tuple[dict[str, Any], int]]) -> None:
    road = Road()
    for what, seconds in samples:
        sample = road.make(**what)
        routine = road.before is not None and is_routine(road.state, KNOWN, sample, road.before)
        road.state.watcher.take()
        metered, at_work = set(road.state.metered), set(road.state.watcher.arranging.maintained)
        road.observe(sample)
        outcome = road.state.watcher.take()
        if routine:
            assert not outcome.changes
            assert not outcome.parents
            assert not outcome.watches
            assert (road.state.metered, road.state.watcher.arranging.maintained) == (metered, at_work)
        road.now += timedelta(seconds=seconds)


def test_a_night_of_a_healthy_pole_is_routine_all_through(road: Road) -> None:
    camera = CameraReading(camera=CAMERA, reachable=True, stream="live", picture="ok", recording_age_s=20)
    cabinet = CabinetReading(temperature_c=31, door_open=False, supply_present=True)
    for level in (0.0, 0.5, 1.0):
        sample = road.make(
            level=level, due=level > 0, power_w=40 * level, cameras=[camera], cabinet=cabinet
        )
        assert road.before is not None
        assert is_routine(road.state, KNOWN, sample, road.before)
