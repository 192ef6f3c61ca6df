import pytest

from edge.config import LinkSettings
from edge.link.pace import METERED_STATE_S, Pace


def test_a_wired_link_is_as_ever() -> None:
    pace = Pace.of(LinkSettings())
    assert pace == Pace()
    assert (pace.heartbeat_s(30), pace.keepalive_s(None), pace.packed) == (30, 30, False)


def test_a_metered_link_reports_every_ten_minutes_and_promises_no_more_than_that() -> None:
    pace = Pace.of(LinkSettings(kind="metered"))
    assert (pace.report_interval_s, pace.packed, pace.history_bytes_per_s) == (600, True, 4000)
    assert pace.heartbeat_s(30) == pace.keepalive_s(None) == 660, "reports keep both promises"
    assert pace.heartbeat_s(900) == 900


def test_what_is_set_goes_before_what_the_kind_implies() -> None:
    pace = Pace.of(LinkSettings(kind="metered", report_interval_s=60, packed=False, answer_within_s=5))
    assert (pace.report_interval_s, pace.packed, pace.answer_within_s) == (60, False, 5)
    assert pace.heartbeat_s(30) == 66
    assert pace.keepalive_s(120) == 120


@pytest.mark.parametrize(
    ("metered", "since_word_s", "since_state_s", "due_s"),
    [
        (False, 0, 25, 5),
        (True, 0, 25, 660),
        (True, 650, 650, 10),
        (True, 10, METERED_STATE_S - 5, 5),
    ],
    ids=["wired: at every heartbeat", "metered: reports are word enough", "silence", "now and then anyway"],
)
def test_when_a_state_message_is_due(
    metered: bool, since_word_s: float, since_state_s: float, due_s: float
) -> None:
    pace = Pace.of(LinkSettings(kind="metered" if metered else "wired"))
    heartbeat_s = pace.heartbeat_s(30)
    assert (
        pace.state_due_s(heartbeat_s=heartbeat_s, since_word_s=since_word_s, since_state_s=since_state_s)
        == due_s
    )
