from edge.camera.case import FAULTS, CameraCase
from edge.camera.devices import StreamResult
from edge.camera.hold_off import HoldOff
from edge.camera.picture.words import Picture
from edge.config import CameraSettings
from edge.drivers.ports import Reachability

HERE, GONE = Reachability(reachable=True, latency_ms=3.0), Reachability(reachable=False)


def case_of(**changes: object) -> CameraCase:
    return CameraCase(CameraSettings(code="CAM-1", driver="mock", **changes), reach_interval_s=30)  # type: ignore[arg-type]


def test_a_fault_holds_before_it_is_told_and_rests_before_it_ends() -> None:
    hold = HoldOff(begins_after=3)
    assert [hold.see(word) for word in (True, True, False, True, None, True, True)] == [
        None, None, None, None, None, None, True,
    ]  # fmt: skip
    assert [hold.see(word) for word in (True, False, True, False, False)] == [None, None, None, None, False]


def test_an_alternating_picture_is_no_fault() -> None:
    case = case_of()
    words: list[Picture] = ["covered", "ok", "covered", "covered", "ok", "moved", "covered"]
    assert [told for word in words for told in case.pictured(word, {}, now_s=0, quiet=False)] == []


def test_a_picture_fault_says_its_figures() -> None:
    case = case_of(fault_rounds=1)
    (told,) = case.pictured("dark", {"mean": 2.0}, now_s=0, quiet=False)
    assert (told.kind, told.active, told.detail) == ("camera_dark", True, {"mean": 2.0})
    assert case.faults == ["camera_dark"]


def test_an_unreadable_picture_ends_no_fault() -> None:
    case = case_of(fault_rounds=1)
    case.pictured("covered", {}, now_s=0, quiet=False)
    for _ in range(5):
        assert case.pictured("unreadable", {}, now_s=0, quiet=False) == []
    assert case.faults == ["camera_covered"]


def test_hung_is_a_dead_port_or_a_dead_stream_behind_a_live_one() -> None:
    case = case_of()
    assert case.hung(now_s=0) is None
    case.reached(GONE, now_s=0, quiet=False)
    assert case.hung(now_s=0)
    case.reached(HERE, now_s=30, quiet=False)
    assert case.hung(now_s=30) is False
    for state, hung in (("no_media", True), ("no_answer", True), ("live", False)):
        case.streamed(StreamResult(state), now_s=30, quiet=False)  # type: ignore[arg-type]
        assert case.hung(now_s=30) is hung
    for state in ("unauthorised", "not_found", "refused"):
        case.streamed(StreamResult(state), now_s=30, quiet=False)  # type: ignore[arg-type]
        assert case.hung(now_s=30) is False, "no power cycle mends a wrong password"


def test_words_grow_old_each_by_its_own_interval() -> None:
    case = case_of(stream_interval_s=120)
    case.reached(HERE, now_s=0, quiet=False)
    case.streamed(StreamResult("live"), now_s=0, quiet=False)
    case.clock_told(1.0, now_s=0, quiet=False)
    case.reached(HERE, now_s=400, quiet=False)
    reading = case.reading(now_s=400, powered=None)
    assert reading is not None
    assert (reading.stream, reading.clock_offset_s) == (None, 1.0)
    assert case.reading(now_s=471, powered=None) is None


def test_quiet_rounds_count_for_nothing() -> None:
    case = case_of(fault_rounds=1)
    assert case.reached(GONE, now_s=0, quiet=True) == []
    assert case.streamed(StreamResult("no_media"), now_s=0, quiet=True) == []
    assert case.pictured("dark", {}, now_s=0, quiet=True) == []
    assert case.clock_told(1e6, now_s=0, quiet=True) == []
    assert case.recording_told(1e6, now_s=0, quiet=True) == []


def test_every_fault_can_begin() -> None:
    case = case_of(fault_rounds=1)
    told = case.reached(GONE, now_s=0, quiet=False) + case.streamed(
        StreamResult("refused"), now_s=0, quiet=False
    )
    pictures: list[Picture] = ["frozen", "dark", "covered", "defocused", "moved"]
    for word in pictures:
        told += [one for one in case.pictured(word, {}, now_s=0, quiet=False) if one.active]
    told += case.clock_told(-31.0, now_s=0, quiet=False) + case.recording_told(1801.0, now_s=0, quiet=False)
    assert [one.kind for one in told] == list(FAULTS)
