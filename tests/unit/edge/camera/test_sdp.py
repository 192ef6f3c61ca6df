import pytest

from edge.camera.asking.sdp import first_video

BASE = "rtsp://10.0.0.9:554/stream1"
HEAD = "v=0\r\no=- 0 0 IN IP4 10.0.0.9\r\ns=cam\r\nt=0 0\r\n"
AUDIO = "m=audio 0 RTP/AVP 8\r\na=control:trackID=1\r\na=rtpmap:8 PCMA/8000\r\n"
VIDEO = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 {codec}/90000\r\na=control:{control}\r\n"


@pytest.mark.parametrize(
    ("session", "control", "setup", "play"),
    [
        ("", "trackID=0", f"{BASE}/trackID=0", BASE),
        ("a=control:*\r\n", "trackID=0", f"{BASE}/trackID=0", BASE),
        ("", "rtsp://10.0.0.9/other/track1", "rtsp://10.0.0.9/other/track1", BASE),
        ("a=control:rtsp://10.0.0.9/all/\r\n", "v", "rtsp://10.0.0.9/all/v", "rtsp://10.0.0.9/all/"),
        ("a=control:*\r\n", "*", BASE, BASE),
    ],
)
def test_control_addresses(session: str, control: str, setup: str, play: str) -> None:
    track = first_video(HEAD + session + AUDIO + VIDEO.format(codec="H265", control=control) + AUDIO, BASE)
    assert track is not None
    assert (track.codec, track.setup_url, track.play_url) == ("H265", setup, play)


def test_only_the_first_video_counts() -> None:
    both = VIDEO.format(codec="H264", control="main") + VIDEO.format(codec="H265", control="sub")
    track = first_video(HEAD + both, BASE + "/")
    assert track is not None
    assert (track.codec, track.setup_url) == ("H264", f"{BASE}/main")


def test_motion_jpeg_has_a_number_instead_of_a_name() -> None:
    track = first_video(HEAD + "m=video 0 RTP/AVP 26\r\n", BASE)
    assert track is not None
    assert (track.codec, track.setup_url) == ("JPEG", BASE)


@pytest.mark.parametrize("text", ["", HEAD, HEAD + AUDIO, "\x00\xff nonsense", "m=\r\n"])
def test_no_video_is_none(text: str) -> None:
    assert first_video(text, BASE) is None
