from math import inf

import pytest

from edge.lamp.photocell import PhotocellRules, PhotocellTrack, follow_photocell, longest_day_s, rules_at

RULES = PhotocellRules(dark_after_s=20, light_after_s=180, silent_after_s=60)


def follow(*readings: tuple[float, bool | None]) -> PhotocellTrack:
    track = PhotocellTrack()
    for monotonic_s, reading in readings:
        track = follow_photocell(track, reading, monotonic_s=monotonic_s, rules=RULES)
    return track


def test_the_first_word_is_believed_at_once() -> None:
    assert follow((0, True)).believed is True
    assert follow((0, False)).believed is False


def test_a_cloud_does_not_light_the_lamp_but_dusk_does() -> None:
    assert follow((0, False), (10, True), (29, True)).believed is False
    assert follow((0, False), (10, True), (29, False), (31, True), (49, True)).believed is False
    assert follow((0, False), (10, True), (30, True)).believed is True


def test_headlights_do_not_put_the_lamp_out_but_dawn_does() -> None:
    assert follow((0, True), (10, False), (189, False)).believed is True
    assert follow((0, True), (10, False), (190, False)).believed is False


def test_one_that_falls_silent_keeps_its_word_a_while_and_then_has_none() -> None:
    assert follow((0, True), (59, None)).believed is True
    assert follow((0, True), (60, None)).believed is None
    assert follow((0, None)).believed is None


def test_one_that_comes_back_from_silence_is_believed_at_once() -> None:
    assert follow((0, True), (60, None), (61, False)).believed is False


def test_it_is_proven_once_it_has_said_both_words_and_silence_takes_that_away() -> None:
    assert not follow((0, False), (1000, False)).proven
    assert follow((0, False), (10, True), (30, True)).proven
    assert not follow((0, False), (10, True), (30, True), (60, None), (120, None), (121, False)).proven


@pytest.mark.parametrize(("word", "longest_h"), [(False, 13.31 + 1), (True, 13.31 + 3)])
def test_no_day_in_tram_than_is_longer_than_thirteen_hours_and_a_bit(word: bool, longest_h: float) -> None:
    rules = rules_at(21.4731, dark_after_s=20, light_after_s=180)
    track = follow_photocell(PhotocellTrack(), word, monotonic_s=0, rules=rules)
    before_s, after_s = (longest_h - 0.05) * 3600, (longest_h + 0.05) * 3600
    assert track.word(monotonic_s=before_s, rules=rules) is word
    assert track.word(monotonic_s=after_s, rules=rules) is None, "it is stuck"


@pytest.mark.parametrize(
    # The almanac's longest days: Cà Mau 12.5 h, Hà Giang 13.5 h, both with refraction and the sun's disc.
    ("latitude", "hours"),
    [(0.0, 12.0), (9.18, 12.55), (22.83, 13.4), (-22.83, 13.4)],
)
def test_the_longest_day(latitude: float, hours: float) -> None:
    assert longest_day_s(latitude) / 3600 == pytest.approx(hours, abs=0.06)


def test_beyond_the_polar_circle_no_day_is_too_long() -> None:
    assert longest_day_s(70) == inf
    assert longest_day_s(90) == inf


def test_under_a_bridge_it_may_be_dark_for_ever() -> None:
    rules = rules_at(21.4731, dark_after_s=20, light_after_s=180, doubt_dark=False)
    track = follow_photocell(PhotocellTrack(), True, monotonic_s=0, rules=rules)
    assert track.word(monotonic_s=1e7, rules=rules) is True
