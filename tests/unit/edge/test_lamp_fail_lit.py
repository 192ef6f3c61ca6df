"""Whatever fails of what the lamp goes by, it burns at night: sensor, clock, motion sensor, sun, hub."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.clock import MockClock
from edge.devices import PoleDevices
from edge.drivers.mock_inputs import MockMotion
from edge.drivers.mock_lamp import MockLamp
from edge.drivers.ports import DriverError
from edge.lamp.lighting import NodeTime, PoleLight
from edge.lamp.photocell import LIGHT_SLACK_S, longest_day_s
from edge.lamp.schedule import sun_elevation_deg
from tests.support.nodes import node_config

LATITUDE, LONGITUDE = 21.4731, 105.255
STEP_S = 600.0
CELL = ["works", "absent", "silent", "broken", "has a bug", "says light", "says dark"]
CLOCK = ["right", "1970", "three days back", "ten years ahead", "six hours ahead"]


class Sky:
    """A photocell with a fault, under the real sun. Its wall time is the world's, not the node's."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 21, tzinfo=UTC)
        self.fault = "works"

    def read(self) -> bool | None:
        if self.fault == "broken":
            raise DriverError("photocell: gone")
        if self.fault == "has a bug":
            raise ZeroDivisionError("some library's bug")
        if self.fault == "silent":
            return None
        if self.fault in ("says light", "says dark"):
            return self.fault == "says dark"
        return self.elevation() < -2.5

    def elevation(self) -> float:
        return sun_elevation_deg(LATITUDE, LONGITUDE, self.now)

    def close(self) -> None:
        pass


class World:
    """One pole without a hub; the node's clock may be wrong, the sky never is."""

    def __init__(self, tmp_path: Path, cell: str, *, sun_fails: bool) -> None:
        def elevation(latitude: float, longitude: float, now: datetime) -> float:
            if sun_fails:
                raise ImportError("astral")
            return sun_elevation_deg(latitude, longitude, now)

        self.sky = Sky()
        self.sky.fault = cell
        self.clock = MockClock(self.sky.now)
        self.motion = MockMotion(None)
        devices = PoleDevices(MockLamp(), None if cell == "absent" else self.sky, motion=self.motion)
        config = node_config(tmp_path, pole={"photocell": {"driver": "mock"}})
        self.light = PoleLight(
            config.poles[0], devices, self.clock, NodeTime(self.clock), elevation=elevation
        )

    def set_clock(self, how: str) -> None:
        self.clock.is_synced = how == "right"
        wrong = {
            "right": self.sky.now,
            "1970": datetime(1970, 1, 1, tzinfo=UTC),
            "three days back": self.sky.now - timedelta(days=3),
            "ten years ahead": self.sky.now + timedelta(days=3652),
            "six hours ahead": self.sky.now + timedelta(hours=6),
        }
        self.clock.jump_to(wrong[how])

    def step(self) -> float:
        self.sky.now += timedelta(seconds=STEP_S)
        self.clock.advance(STEP_S)
        return self.light.step().level


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start_h=st.integers(0, 23),
    day=st.integers(0, 365),
    cell=st.sampled_from(CELL),
    clock=st.sampled_from(CLOCK),
    synced_before=st.booleans(),
    moving=st.sampled_from([None, True, False]),
    sun_fails=st.booleans(),
)
def test_whatever_has_failed_at_the_start_the_lamp_burns_at_night(
    tmp_path: Path,
    start_h: int,
    day: int,
    cell: str,
    clock: str,
    synced_before: bool,
    moving: bool | None,
    sun_fails: bool,
) -> None:
    world = World(tmp_path, cell, sun_fails=sun_fails)
    world.sky.now += timedelta(days=day, hours=start_h)
    world.motion.moving = moving
    if synced_before:
        world.set_clock("right")
        world.step()
    world.set_clock(clock)
    for _ in range(int(30 * 3600 / STEP_S)):
        level = world.step()
        if world.sky.elevation() < -6.5:
            assert level == 1.0, f"dark at {world.sky.now}, {world.light.decision}"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    fail_after_h=st.integers(1, 48),
    cells=st.tuples(st.sampled_from(["works", "absent"]), st.sampled_from(CELL[2:])),
    clocks=st.tuples(st.sampled_from(CLOCK), st.sampled_from(CLOCK)),
)
def test_whatever_fails_on_the_way_the_lamp_burns_at_night(
    tmp_path: Path, fail_after_h: int, cells: tuple[str, str], clocks: tuple[str, str]
) -> None:
    """With one bound: a sensor that sticks at light, with no clock in this boot, is caught when its day
    has become longer than any day here.
    """
    world = World(tmp_path, cells[0], sun_fails=False)
    world.set_clock(clocks[0])
    believed_since_s = world.clock.monotonic()
    no_clock = "right" not in clocks
    for tick in range(int(72 * 3600 / STEP_S)):
        if tick == int(fail_after_h * 3600 / STEP_S):
            if cells[0] != "absent":
                world.sky.fault = cells[1]
            world.set_clock(clocks[1])
        level = world.step()
        if level == 1.0:
            believed_since_s = world.clock.monotonic()
        if world.sky.elevation() < -6.5 and level != 1.0:
            assert no_clock, f"dark at {world.sky.now}, {world.light.decision}"
            assert world.sky.fault == "says light"
            out_s = world.clock.monotonic() - believed_since_s
            assert out_s <= longest_day_s(LATITUDE) + LIGHT_SLACK_S + 2 * STEP_S


def test_a_working_sensor_without_any_clock_follows_the_sky(tmp_path: Path) -> None:
    world = World(tmp_path, "works", sun_fails=False)
    world.set_clock("1970")
    levels = [(world.step(), world.sky.elevation()) for _ in range(int(60 * 3600 / STEP_S))]
    by_day = [level for level, height in levels[int(36 * 3600 / STEP_S) :] if height > 5]
    assert set(by_day) == {0.0}, "once it has said both words"
    assert all(level == 1.0 for level, height in levels if height < -6)
