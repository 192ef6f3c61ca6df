"""A camera step by step: its port, its stream, its picture."""

from __future__ import annotations

from typing import get_args

import pytest

from edge.camera.devices import CameraDevices, StreamState
from edge.doctor.devices import STREAMS, look_through
from edge.drivers.mock_camera import MockCamera, MockSnapshot, MockStream


async def told(camera: CameraDevices) -> list[str]:
    return [f"{finding.level}: {finding.found.en}" for finding in await look_through("CAM-1", camera)]


async def test_a_camera_that_works_says_so_step_by_step() -> None:
    camera = CameraDevices(MockCamera(), stream=MockStream(), snapshot=MockSnapshot(b"x" * 42_000))
    assert await told(camera) == [
        "fine: reached (4 ms)",
        "fine: its stream runs, ",
        "fine: gives a picture, 42 kB",
    ]


async def test_a_camera_that_is_away_is_asked_nothing_more() -> None:
    camera = CameraDevices(MockCamera(reachable=False), stream=MockStream(), snapshot=MockSnapshot(b"x"))
    assert await told(camera) == ["fault: can't be reached"]


@pytest.mark.parametrize("state", sorted(set(get_args(StreamState)) - {"live"}))
async def test_each_way_of_having_no_stream_has_its_words(state: StreamState) -> None:
    found = await look_through("CAM-1", CameraDevices(MockCamera(), stream=MockStream(state)))
    assert (found[-1].found.vi, found[-1].found.en) == STREAMS[state]
    assert found[-1].advice.vi
    assert ("password" in found[-1].advice.en) == (state == "unauthorised")


async def test_a_camera_without_a_picture() -> None:
    assert (await told(CameraDevices(MockCamera(), snapshot=MockSnapshot())))[-1] == (
        "fault: no picture: no snapshot: answered 404"
    )
