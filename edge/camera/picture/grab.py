"""The process that takes a picture out of a stream, with PyAV: an address on standard input, a JPEG out.

Exit code 3: the stream gave no picture. The address, which holds a password, is never printed.
"""

from __future__ import annotations

import os
import resource
import sys
from io import BytesIO

import msgspec

from edge.camera.child import NO_RESULT
from edge.camera.picture.words import Stream

FRAMES = 5
"""The first ones after a key frame are its coarsest."""
OPEN_WITHIN_S, READ_WITHIN_S = 10.0, 10.0
WIDTH = 640
CPU_S = 30
MEMORY_BYTES = 1024 * 1024 * 1024


def main() -> None:
    """Give one picture."""
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    stream = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Stream)
    try:
        import av
    except ImportError:
        sys.exit('PyAV is missing: pip install "ngonden[video]"')
    av.logging.set_level(None)
    try:
        jpeg = _newest_frame(stream.url)
    except av.FFmpegError as error:
        print(error.strerror, file=sys.stderr)
        sys.exit(NO_RESULT)
    if jpeg is None:
        print("not one frame", file=sys.stderr)
        sys.exit(NO_RESULT)
    sys.stdout.buffer.write(jpeg)


def _newest_frame(url: str) -> bytes | None:
    import av

    options = {"rtsp_transport": "tcp", "allowed_media_types": "video", "analyzeduration": "2000000"}
    newest = None
    with av.open(url, options=options, timeout=(OPEN_WITHIN_S, READ_WITHIN_S)) as container:
        for number, frame in enumerate(container.decode(video=0), 1):
            newest = frame
            if number == FRAMES:
                break
    if newest is None:
        return None
    height = max(2, newest.height * WIDTH // newest.width // 2 * 2)
    image = newest.reformat(width=WIDTH, height=height, format="gray").to_image()  # type: ignore[no-untyped-call]
    out = BytesIO()
    image.convert("L").save(out, "JPEG", quality=90)
    return out.getvalue()
