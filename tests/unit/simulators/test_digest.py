import pytest
import structlog

from simulators.digest import Digest, Event


def held(digest: Digest, method: str, **event: object) -> bool:
    try:
        digest(None, method, dict(event))
    except structlog.DropEvent:
        return True
    return False


def flushed(digest: Digest) -> list[tuple[str, Event]]:
    written: list[tuple[str, Event]] = []
    digest.flush(lambda method, event: written.append((method, event)))
    return written


def test_a_whole_commune_reconnecting_is_one_line() -> None:
    digest = Digest()
    for number in range(219):
        assert held(digest, "info", event="broker_connected", node=f"tg-{number}")
    assert flushed(digest) == [("info", {"event": "broker_connected", "nodes": 219})]
    assert flushed(digest) == []


def test_a_single_node_is_told_in_full() -> None:
    digest = Digest()
    held(digest, "warning", event="broker_lost", node="tg-0001", error="reset")
    assert flushed(digest) == [("warning", {"event": "broker_lost", "node": "tg-0001", "error": "reset"})]


@pytest.mark.parametrize("method", ["error", "exception", "critical"])
def test_errors_do_not_wait(method: str) -> None:
    assert not held(Digest(), method, event="begin_anew", node="tg-0001")


def test_what_is_about_no_node_does_not_wait() -> None:
    assert not held(Digest(), "info", event="nodes start", nodes=219)


def test_what_is_written_during_a_flush_is_not_held_back_again() -> None:
    digest = Digest()
    held(digest, "info", event="broker_connected", node="tg-0001")
    passed: list[bool] = []
    digest.flush(lambda method, event: passed.append(not held(digest, method, **event)))
    assert passed == [True]
