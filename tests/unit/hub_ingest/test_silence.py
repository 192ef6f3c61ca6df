"""Missed heartbeats, on a clock that only the test moves."""

from __future__ import annotations

from hub.ingest.judging.silence import SilenceWatch


def listening() -> SilenceWatch:
    watch = SilenceWatch()
    watch.listening(0)
    return watch


def test_three_of_its_own_heartbeats_make_a_node_silent_once() -> None:
    watch = listening()
    watch.heard({"a": 10}, 100)
    watch.heard({"b": 60}, 100)
    assert list(watch.due(129.9)) == []
    assert watch.due(135) == {"a": 130}
    assert list(watch.due(140)) == []
    assert list(watch.due(280)) == ["b"]


def test_every_word_moves_the_deadline() -> None:
    watch = listening()
    for at in range(100, 200, 5):
        watch.heard({"a": 10}, at)
        assert list(watch.due(at + 4.9)) == []
    assert list(watch.due(225)) == ["a"]


def test_it_is_told_again_after_it_was_heard_again() -> None:
    watch = listening()
    watch.heard({"a": 10}, 0)
    assert list(watch.due(30)) == ["a"]
    watch.heard({"a": 10}, 40)
    assert list(watch.due(69)) == []
    assert list(watch.due(70)) == ["a"]


def test_a_shorter_promise_counts_from_then_on() -> None:
    watch = listening()
    watch.heard({"a": 3600}, 0)
    watch.heard({"a": 5}, 10)
    assert list(watch.due(24)) == []
    assert list(watch.due(25)) == ["a"]
    assert list(watch.due(20_000)) == []


def test_nobody_is_judged_by_a_time_in_which_the_hub_did_not_listen() -> None:
    watch = SilenceWatch()
    watch.heard({"a": 10}, 0)
    watch.listening(None)
    assert list(watch.due(1000)) == []
    watch.listening(1000)
    assert list(watch.due(1029)) == []
    assert list(watch.due(1030)) == ["a"]


def test_a_node_known_from_before_is_judged_from_when_the_hub_listens() -> None:
    watch = listening()
    watch.listening(500)
    watch.expect("a", 10)
    assert list(watch.due(529)) == []
    assert list(watch.due(530)) == ["a"]
    watch.expect("a", 10)
    assert list(watch.due(530)) == ["a"]
