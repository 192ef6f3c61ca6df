from collections import Counter
from itertools import pairwise
from math import dist

import pytest

from simulators.commune import Commune, load_commune
from simulators.geometry import Curve


@pytest.fixture(scope="module")
def commune() -> Commune:
    return load_commune("tram-than", seed=219)


def test_the_commune_has_its_real_number_of_poles_under_codes_without_gaps(commune: Commune) -> None:
    assert [pole.code for pole in commune.poles] == [f"TG-{number:04d}" for number in range(1, 220)]
    assert [pole.node for pole in commune.poles] == [f"tg-{number:04d}" for number in range(1, 220)]


def test_poles_of_a_road_stand_as_far_apart_as_poles_do(commune: Commune) -> None:
    for feeder in {pole.feeder for pole in commune.poles}:
        road = [pole for pole in commune.poles if pole.feeder == feeder]
        gaps_m = [dist(a.at, b.at) for a, b in pairwise(road)]
        assert min(gaps_m) > 30, feeder
        assert max(gaps_m) < 50, feeder
        assert 35 < sum(gaps_m) / len(gaps_m) < 45, feeder


def test_poles_lie_in_the_commune_and_latitude_is_north(commune: Commune) -> None:
    for pole in commune.poles:
        assert abs(pole.latitude - 21.4731) < 0.015
        assert abs(pole.longitude - 105.255) < 0.016
        assert (pole.latitude > 21.4731) == (pole.at[1] > 0)


def test_no_two_poles_share_a_spot(commune: Commune) -> None:
    poles = commune.poles
    nearest_m = min(dist(a.at, b.at) for i, a in enumerate(poles) for b in poles[i + 1 :])
    assert nearest_m > 10


def test_every_hamlet_feeder_and_camera_of_the_file_is_in_use(commune: Commune) -> None:
    assert {pole.hamlet for pole in commune.poles} == {hamlet.name for hamlet in commune.file.hamlets}
    assert len({pole.feeder for pole in commune.poles}) == 8
    cameras = [camera for pole in commune.poles for camera in pole.cameras]
    assert len(cameras) == len(set(cameras)) == 24
    places = {pole.place for pole in commune.poles if pole.cameras}
    assert "Ngã ba trụ sở UBND xã" in places


def test_a_group_looks_after_one_hamlet_and_one_road(commune: Commune) -> None:
    pairs = {(pole.group, pole.hamlet, pole.feeder) for pole in commune.poles}
    assert set(Counter(group for group, _, _ in pairs).values()) == {1}


def test_the_same_seed_gives_the_same_poles_and_another_seed_others(commune: Commune) -> None:
    assert load_commune("tram-than", seed=219) == commune
    assert load_commune("tram-than", seed=220).poles != commune.poles


def test_a_curve_passes_its_waypoints_and_knows_its_length() -> None:
    straight = Curve.through([(0, 0), (50, 0), (100, 0)])
    assert straight.length_m == pytest.approx(100)
    assert straight.at(50) == pytest.approx((50, 0))
    assert straight.at(20, aside_m=3)[1] == pytest.approx(3)
    bent = Curve.through([(0, 0), (100, 0), (100, 100)])
    assert bent.length_m > 200
    assert min(dist(point, (100, 0)) for point in bent.points) < 1e-9
