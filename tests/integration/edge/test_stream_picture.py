"""Pictures out of a real stream, with PyAV in a child process."""

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from edge.camera.asking.auth import Credentials
from edge.camera.asking.stream_picture import StreamPicture
from edge.camera.devices import ProbeError
from edge.camera.picture.look import look
from edge.camera.picture.words import Light, Question
from tests.support.rtsp_server import PASSWORD, USER, RtspServer
from tests.support.servers import missing

pytestmark = pytest.mark.servers
LIT = Light(lamp_lit=True, dark=True, infrared=False)


@pytest.fixture(scope="module")
def server() -> Iterator[RtspServer]:
    if find_spec("av") is None:
        missing("PyAV (the extra `video`)")
    with RtspServer(auth="digest") as running:
        yield running


def picture(server: RtspServer, path: str, password: str = PASSWORD) -> StreamPicture:
    return StreamPicture(server.url(path), lambda: Credentials(USER, password))


@pytest.mark.parametrize(("path", "word"), [("/noise", "ok"), ("/live-h265", None), ("/black", "dark")])
async def test_a_stream_gives_a_picture_that_can_be_judged(
    server: RtspServer, path: str, word: str | None
) -> None:
    answer = look(Question(jpeg=await picture(server, path).fetch(), light=LIT, pixel_true=False))
    assert answer.thumbnail is not None
    # A white ball on black is neither dark nor well; it is only there to be decoded.
    assert word in (None, answer.picture)


async def test_a_stream_without_a_picture_says_why_and_never_the_password(server: RtspServer) -> None:
    with pytest.raises(ProbeError, match="404"):
        await picture(server, "/nothing-here").fetch()
    with pytest.raises(ProbeError) as refused:
        await picture(server, "/noise", password="wrong-secret").fetch()
    assert "wrong-secret" not in str(refused.value)


def test_a_picture_that_is_not_pixel_true_is_never_called_frozen() -> None:
    from simulators.camera_scenes.scenes import CATALOGUE, pictures

    kind = next(kind for kind in CATALOGUE if kind.name == "day, frozen")
    one, other = list(pictures(kind, 10_000))[-2:]
    previous = look(Question(jpeg=one.jpeg, light=LIT)).thumbnail
    words = [
        look(Question(jpeg=other.jpeg, light=LIT, previous=previous, pixel_true=true)).picture
        for true in (True, False)
    ]
    assert words == ["frozen", "ok"]
