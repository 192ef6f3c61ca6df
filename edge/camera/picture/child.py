"""The process that looks at one picture: a question on standard input, its answer on standard output.

It bounds itself, so that a JPEG made to hurt hurts nobody: memory, processor time, no files.
"""

from __future__ import annotations

import os
import resource
import sys

import msgspec

from edge.camera.picture.words import Question

MEMORY_BYTES = 512 * 1024 * 1024
"""Of addresses, not of RAM: libraries claim far more than they touch."""
CPU_S = 20


def main() -> None:
    """Answer one question."""
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    from edge.camera.picture.look import look

    question = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Question)
    sys.stdout.buffer.write(msgspec.msgpack.encode(look(question)))


if __name__ == "__main__":
    main()
